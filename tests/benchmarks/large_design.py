"""A generated design bundle with the shape of a large real project, times a factor.

With factor 1: 92 products, 46 customer-facing and 46 resource-facing services, 20 resources, 112 plans, 422 tasks,
584 dependencies, 183 operations. Names and numbers follow from the index alone, so the same factor gives
the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from unittest.mock import patch

from orderloom.connectors.templates.check import check_templates
from orderloom.dsl.bundle import read_files
from orderloom.dsl.cache import compile_cached
from orderloom.dsl.compiler import compile_bundle
from orderloom.dsl.parser import parse

PRODUCTS, SERVICES, RESOURCES = 92, 46, 20
PLANS, TASKS, DEPENDENCIES, OPERATIONS = 112, 422, 584, 183
CONNECTORS = 12


def large_design(factor: int = 2) -> Mapping[str, str]:
    """The files of the bundle by path, `factor` times the size of the real project."""
    files = {
        "bundle.yaml": "name: large\nversion: 1.0.0\nsettings:\n  default:\n"
        + "".join(f"    system_{i}_url: https://system-{i}.example.net\n" for i in range(CONNECTORS)),
        "connectors.loom": "\n".join(_connectors()),
        "operations.loom": "\n".join(_operations(factor)),
        "catalog.loom": "\n".join(_catalog(factor)),
        "decomposition.loom": "\n".join(_decomposition(factor)),
        "plans.loom": "\n".join(_plans(factor)),
    }
    for i in range(OPERATIONS * factor):
        files[f"templates/operation_{i}.http.j2"] = _REQUEST.format(i=i)
        files[f"templates/operation_{i}.yaml.j2"] = _RESPONSE
    return files


_REQUEST = """POST /operation/{i}
Content-Type: application/json

{{"order": {{{{ order.id }}}}, "site": {{{{ line.site }}}}, "rate": {{{{ line.rate }}}}}}
"""

_RESPONSE = """outcome: {{ "completed" if status == 201 else "failed" }}
set:
  reference: {{ body.reference }}
"""


def _connectors() -> Iterator[str]:
    for i in range(CONNECTORS):
        yield f'connector system_{i} "System {i}" http {{'
        yield f"  base_url setting system_{i}_url"
        yield f"  auth bearer secret system_{i}_token"
        yield "  limit 8 at once, 50 per second"
        yield "  breaker open after 5 failures for 30s"
        yield "}"


def _operation(i: int) -> str:
    return f"system_{i % CONNECTORS}.operation_{i}"


def _operations(factor: int) -> Iterator[str]:
    for i in range(OPERATIONS * factor):
        yield f'operation {_operation(i)} "Operation {i}" {{'
        yield f'  request "templates/operation_{i}.http.j2"'
        yield f'  response "templates/operation_{i}.yaml.j2"'
        yield "  timeout 10s"
        yield "  retry on 429, 5xx, timeout"
        yield "  output reference string required"
        yield "}"


def _catalog(factor: int) -> Iterator[str]:
    for i in range(10 * factor):
        yield f"enum Tier{i} {{ bronze silver gold platinum }}"
    for i in range(PRODUCTS * factor):
        yield f"## The product number {i}."
        yield f'product Product{i} "Product {i}" {{'
        yield f"  tier Tier{i % (10 * factor)} = silver"
        yield "  rate integer = 100"
        yield "  managed boolean = false"
        yield "  site string required"
        yield "  contract string?"
        yield "}"
    for i in range(SERVICES * factor):
        yield f'service Customer{i} "Customer service {i}" customer_facing one per bundle {{'
        yield f"  tier Tier{2 * i % (10 * factor)} required"
        yield '  rate integer unit "Mbps" required'
        yield "  managed boolean required"
        yield "  site string required"
        yield "  reference string?"
        yield "}"
        yield f'service Network{i} "Network service {i}" resource_facing one per bundle {{'
        yield '  rate integer unit "Mbps" required'
        yield "  profile string required"
        yield "  site string required"
        yield "  reference string?"
        yield "}"
    for i in range(RESOURCES * factor):
        yield f'resource Resource{i} "Resource {i}" one per bundle {{'
        yield '  rate integer unit "Mbps" required'
        yield "  site string required"
        yield "  reference string?"
        yield "}"


def _decomposition(factor: int) -> Iterator[str]:
    for i in range(10 * factor):
        yield f'table profile_{i} (rate integer unit "Mbps") -> (profile string) first {{'
        for step in range(12):
            yield f'  <= {(step + 1) * 50}: "P{i}-{step}"'
        yield f'  any: "P{i}-max"'
        yield "}"
    for i in range(PRODUCTS * factor):
        service = i % (SERVICES * factor)
        yield f"decompose Product{i} into Customer{service} {{"
        yield "  when action != noChange"
        yield f"  tier = {_tier(i, service, factor)}"
        yield "  rate = case tier { bronze: 10 silver: 100 gold: 500 platinum: 1000 }"
        yield "  managed = managed or tier == platinum"
        yield "  site = site"
        yield "}"
    for i in range(SERVICES * factor):
        yield f"decompose Customer{i} into Network{i} {{"
        yield "  rate = if managed then rate * 2 else rate"
        yield f"  profile = profile_{i % (10 * factor)}(rate)"
        yield "  site = site"
        yield "}"
    for i in range(RESOURCES * factor):
        yield f"decompose Network{i} into Resource{i} {{"
        yield "  when rate >= 50 and site is present"
        yield "  rate = rate"
        yield "  site = site"
        yield "}"


def _tier(product: int, service: int, factor: int) -> str:
    same = product % (10 * factor) == 2 * service % (10 * factor)
    return "tier" if same else "case tier { bronze: bronze silver: silver gold: gold platinum: platinum }"


def _specs(factor: int) -> list[str]:
    customer = [f"Customer{i}" for i in range(SERVICES * factor)]
    network = [f"Network{i}" for i in range(SERVICES * factor)]
    return [*network, *(f"Resource{i}" for i in range(RESOURCES * factor)), *customer]


def _plans(factor: int) -> Iterator[str]:
    yield 'queue field_ops "Field operations" { sla 2 business days }'
    yield 'queue noc "Network operations" fallout { sla 4h }'
    specs = _specs(factor)
    sizes = [4 if i < (TASKS - 3 * PLANS) * factor else 3 for i in range(PLANS * factor)]
    spare = DEPENDENCIES * factor - sum(size - 1 for size in sizes)
    call = 0
    for i, (spec, size) in enumerate(zip(specs, sizes, strict=True)):
        yield f'plan Plan{i} "Plan {i}" for {spec} on add, modify {{'
        for step in range(size):
            after = [f"step_{step - 1}"] if step else []
            if step > 1 and spare > 0:
                after.append(f"step_{step - 2}")
                spare -= 1
            if not step and i >= len(specs) - SERVICES * factor:
                reached = specs[i - (len(specs) - SERVICES * factor)]
                wanted = [f"{reached}.step_{other} within bundle" for other in range(3)][: max(spare, 0)]
                spare -= len(wanted)
                after += wanted
            joined = f" after {', '.join(after)}" if after else ""
            if step == 1:
                yield f"  manual step_{step} {{ queue field_ops when quantity > 0{joined} }}"
            elif step == size - 1:
                yield f"  milestone step_{step} {{{joined} }}"
            else:
                operation = _operation(call % (OPERATIONS * factor))
                call += 1
                then = "set reference = response.reference fallout noc"
                yield f"  call step_{step} {{ operation {operation}{joined} {then} }}"
        yield "}"
    assert spare == 0, f"{spare} dependencies were not placed"


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table: reading, cold check with templates and compile, loading from the cache; medians."""
    factor = 1 if quick else 2
    files = large_design(factor)
    read_files(files)  # the grammar is loaded once a process
    reading, compiling, templates, loading = [], [], [], []
    with TemporaryDirectory() as folder:
        private = {**os.environ, "XDG_CACHE_HOME": folder}
        with patch.dict(os.environ, private):
            for _ in range(3 if quick else 5):
                parse.cache_clear()
                start = perf_counter()
                sources = read_files(files).sources
                assert sources is not None
                read = perf_counter()
                compiled = compile_bundle(sources)
                assert compiled.design is not None, compiled.diagnostics
                checked = perf_counter()
                assert check_templates(compiled.design) == ()
                done = perf_counter()
                reading.append(read - start)
                compiling.append(checked - read)
                templates.append(done - checked)
                compile_cached(sources, check_templates)
                start = perf_counter()
                compile_cached(sources, check_templates)
                loading.append(perf_counter() - start)
                note = f"{len(compiled.design.specs)} specs, {len(compiled.design.plans)} plans"
    yield "read a large design", f"{median(reading) * 1000:.0f} ms", "", note
    yield "parse, check and compile it", f"{median(compiling):.3f} s", "2 s with reading", note
    yield "check its templates", f"{median(templates):.3f} s", "", f"{OPERATIONS * factor} operations"
    yield "load it from the cache", f"{median(loading) * 1000:.0f} ms", "150 ms with reading", note
