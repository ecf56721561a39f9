"""Cycles in a directed graph: one example for each knot of nodes that reach one another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping


def cycles(graph: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """A shortest cycle through the first node of each strongly connected component, as `(a, b, …, a)`.

    Components come in the order in which the graph lists their first nodes; a node without successors may be left out.
    """
    edges = {node: tuple(following) for node, following in graph.items()}
    found: list[tuple[str, ...]] = []
    component = _components(edges)
    seen: set[int] = set()
    for node in edges:
        if component[node] in seen:
            continue
        cycle = _shortest(edges, node, component)
        if cycle:
            seen.add(component[node])
            found.append(cycle)
    return tuple(found)


def _shortest(edges: Mapping[str, tuple[str, ...]], start: str, component: Mapping[str, int]) -> tuple[str, ...]:
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for following in edges.get(node, ()):
            if following == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return (*reversed(path), start)
            if following not in came_from and component.get(following) == component[start]:
                came_from[following] = node
                waiting.append(following)
    return ()


def _components(edges: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Tarjan's algorithm with an explicit stack: node -> number of its strongly connected component."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    component: dict[str, int] = {}
    path: list[str] = []
    for start in edges:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        path.append(start)
        work = [(start, iter(edges[start]))]
        while work:
            node, following = work[-1]
            for each in following:
                if each not in index:
                    index[each] = low[each] = len(index)
                    path.append(each)
                    work.append((each, iter(edges.get(each, ()))))
                    break
                if each not in component:
                    low[node] = min(low[node], index[each])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    number = index[node]
                    while True:
                        member = path.pop()
                        component[member] = number
                        if member == node:
                            break
    return component
