"""The parser as a whole: its cache on disk, threads, and doc comments."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orderloom.dsl import tree
from orderloom.dsl.parser import parse

PROGRAM = """
from orderloom.dsl.parser import parse
parsed = parse("enum A { x }", "x.loom")
assert parsed.tree is not None and len(parsed.tree.declarations) == 1
"""


def run(home: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(home), "PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def kept(home: Path) -> list[str]:
    return [path.suffix for path in (home / "orderloom").glob("grammar-*")]


def test_the_cache_is_made_private_and_used(tmp_path: Path) -> None:
    run(tmp_path)
    assert (tmp_path / "orderloom").stat().st_mode & 0o777 == 0o700
    assert kept(tmp_path) == [".cache"]
    (cache,) = (tmp_path / "orderloom").glob("grammar-*.cache")
    before = cache.stat().st_mtime_ns
    run(tmp_path)
    assert cache.stat().st_mtime_ns == before


def test_a_folder_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "orderloom").mkdir(mode=0o755)
    run(tmp_path)
    assert kept(tmp_path) == []


def test_a_place_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    run(blocked)
    run(Path("/proc/self"))


def test_a_damaged_cache_is_no_failure(tmp_path: Path) -> None:
    run(tmp_path)
    (cache,) = (tmp_path / "orderloom").glob("grammar-*.cache")
    cache.write_bytes(cache.read_bytes()[:1000])
    run(tmp_path)


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f'product P{number} "{number}" {{ a{number} string = x{number} }}\n' * 20 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: parse.__wrapped__(text, "x.loom"), texts))
    assert together == [parse.__wrapped__(text, "x.loom") for text in texts]


@pytest.mark.parametrize(
    ("comments", "doc"),
    [
        ("## a\n##  b\n", "a\n b"),
        ("# a\n", ""),
        ("##a\n# between\n## b\n", "a\nb"),
        ("##\n", ""),
        ("## a # b\r\n", "a # b"),
    ],
)
def test_doc_comments(comments: str, doc: str) -> None:
    parsed = parse(f"enum Before {{ }}\n{comments}enum A {{ }}\nenum B {{ }}", "x.loom")
    assert parsed.tree is not None
    assert [each.doc for each in tree.of_kind(parsed.tree.declarations, tree.EnumDeclaration)] == ["", doc, ""]
