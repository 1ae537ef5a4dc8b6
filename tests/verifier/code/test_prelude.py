from __future__ import annotations

from verifier.code.prelude import for_calls


def test_only_what_is_mentioned() -> None:
    program = "def f(a: List[int]) -> int:\n    heappush(a, 1)\n    return math.gcd(*a)"
    assert for_calls(program) == "from typing import List\nfrom heapq import heappush\nimport math"
    assert for_calls("def f(x):\n    return x") == ""


def test_module_or_function_of_the_same_name() -> None:
    assert for_calls("def f(a): return bisect(a, 1)") == "from bisect import bisect"
    assert for_calls("def f(a): return bisect.bisect_left(a, 1)").endswith("import bisect")


def test_builtins_are_not_hidden() -> None:
    namespace: dict[str, object] = {}
    program = "def f(a): return pow(2, 3, 5), sum(a), abs(-1), deque(a), count(), Counter(a)"
    exec(for_calls(program), namespace)  # noqa: S102 - our own text
    assert not {"pow", "sum", "abs"} & namespace.keys()
    assert {"deque", "count", "Counter"} <= namespace.keys()
