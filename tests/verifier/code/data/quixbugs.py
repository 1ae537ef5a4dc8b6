"""QuixBugs as items: forty programs with one wrong line each, and the same put right.

Where the data has arguments and results, Python's programs are called with them and Java's
read them through a main class of ours. Of the rest, which work on graphs, the data's drivers
print what they find, and for three whose results are sets and maps there are asserts of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verifier.v1 import verifier_pb2 as pb

CPU_SECONDS = 2
# The smallest precision that a call of `sqrt` asks for.
SQRT_TOLERANCE = 0.01
SETUPS = Path(__file__).parent / "setups"

# A generator's values are what is compared, as in the data's own tester.
ANSWER = """
def answer(*given):
    result = {name}(*given)
    return list(result) if hasattr(result, "__next__") else result
"""

# What the drivers should print: by their comments, and by hand where these say nothing.
PRINTED = {
    "breadth_first_search": "Path found!\nPath found!\nPath not found!\nPath found!\nPath found!\n",
    "depth_first_search": "Path found!\nPath found!\nPath not found!\nPath found!\nPath found!\n",
    "detect_cycle": (
        "Cycle not detected!\nCycle detected!\nCycle detected!\nCycle not detected!\n"
        "Cycle not detected!\n"
    ),
    "reverse_linked_list": "Reversed! 1 2 3 4 5\nReversed! 0\nReversed!\n",
    "shortest_path_length": "4\n7\n0\ninf\n",
    "topological_ordering": (
        "5 7 3 11 8 10 2 9\n4 5 0 2 3 1\n3/4 cup milk 1 egg 1 Tbl oil heat griddle 1 cup mix "
        "pour 1/4 cup heat syrup turn when bubbly eat\n"
    ),
}

ASSERTED = {
    "minimum_spanning_tree": """\
assert minimum_spanning_tree({(1, 2): 10, (2, 3): 15, (3, 4): 10, (1, 4): 10}) == {(1, 2), (3, 4), (1, 4)}
assert minimum_spanning_tree({(1, 2): 6, (1, 3): 1, (2, 4): 2}) == {(1, 2), (1, 3), (2, 4)}
""",
    "shortest_paths": """\
assert shortest_paths('A', {('A', 'B'): 3, ('A', 'C'): 3, ('A', 'F'): 5, ('C', 'B'): -2, ('C', 'D'): 7, ('C', 'E'): 4, ('D', 'E'): -5, ('E', 'F'): -1}) == {'A': 0, 'C': 3, 'B': 1, 'E': 5, 'D': 10, 'F': 4}
assert shortest_paths('A', {('A', 'B'): 1, ('B', 'C'): 2, ('A', 'C'): 7}) == {'A': 0, 'B': 1, 'C': 3}
""",
    "shortest_path_lengths": """\
assert shortest_path_lengths(3, {(0, 1): 3, (1, 2): 5, (2, 0): -1}) == {(0, 0): 0, (1, 1): 0, (2, 2): 0, (0, 1): 3, (1, 2): 5, (2, 0): -1, (0, 2): 8, (1, 0): 4, (2, 1): 2}
assert shortest_path_lengths(2, {(0, 1): 3})[0, 1] == 3
""",
}

Cases = list[tuple[list[Any], Any]]


def cases(root: Path, name: str) -> Cases | None:
    """Arguments and result of each call; None where the data has none."""
    path = root / "json_testcases" / f"{name}.json"
    if not path.exists():
        return None
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    calls = [(given if isinstance(given, list) else [given], expected) for given, expected in rows]
    return [call for call in calls if not _slow(name, call[0])]


def _slow(name: str, given: list[Any]) -> bool:
    """Calls for which a correct program takes many seconds; the data's tester leaves them out too."""
    if name == "levenshtein":
        return max(map(len, given)) > 8
    return bool(name == "knapsack" and given[0] > 1_000_000)


def python_items(root: Path) -> Iterator[pb.Item]:
    for folder in ("correct_python_programs", "python_programs"):
        for path in sorted((root / folder).glob("*.py")):
            name = path.stem
            if name == "node" or name.endswith("_test"):
                continue
            task = _python(root / folder, name, cases(root, name))
            yield pb.Item(id=f"{folder}/{name}", code=task)


def _python(folder: Path, name: str, calls: Cases | None) -> pb.CodeTask:
    program = (folder / f"{name}.py").read_text()
    task = pb.CodeTask(language="python", limits=pb.CodeLimits(cpu_seconds=CPU_SECONDS))
    if calls is not None:
        task.program = program + ANSWER.format(name=name)
        task.entry_point = "answer"
        if name == "sqrt":
            task.tolerance.absolute = SQRT_TOLERANCE
        for given, expected in calls:
            arguments = [json.dumps(value) for value in given]
            task.tests.add(args_json=arguments, expected_json=json.dumps(expected))
    elif name in ASSERTED:
        task.program = program
        task.tests.add(source=ASSERTED[name])
    else:
        driver = re.sub(r"(?m)^from \..*$", "", (folder / f"{name}_test.py").read_text())
        task.program = f"{(folder / 'node.py').read_text()}\n{program}\n{driver}"
        task.tests.add(stdin="", stdout=PRINTED[name])
    return task


def java_items(root: Path) -> Iterator[pb.Item]:
    """The programs that have arguments and results; all calls of one in one run."""
    for folder in ("correct_java_programs", "java_programs"):
        for path in sorted((root / folder).glob("*.java")):
            name = path.stem.lower()
            calls = cases(root, name)
            if calls is None:
                continue
            stdin = "".join(json.dumps(given) + "\n" for given, _ in calls)
            stdout = "".join(_printed(name, expected) + "\n" for _, expected in calls)
            task = pb.CodeTask(
                language="java",
                program=_java(path.read_text(), path.stem, name),
                tests=[pb.CodeTest(stdin=stdin, stdout=stdout)],
                checker="floats",
                limits=pb.CodeLimits(cpu_seconds=CPU_SECONDS),
            )
            if name == "sqrt":
                task.tolerance.absolute = SQRT_TOLERANCE
            yield pb.Item(id=f"{folder}/{name}", code=task)


def _java(source: str, class_name: str, method: str) -> str:
    """One file: imports, our main class, the class of the data, no longer public."""
    imports = re.findall(r"(?m)^import .*;", source)
    body = re.sub(r"(?m)^(?:import|package) .*;", "", source)
    body = re.sub(rf"public class {class_name}\b", f"class {class_name}", body)
    main = (SETUPS / "Calls.java").read_text()
    main = main.replace("@CLASS@", class_name).replace("@METHOD@", method)
    return "\n".join(["import java.util.*;", *imports, main, body])


def _printed(name: str, expected: Any) -> str:
    """A result as the main class shows it."""
    if name == "hanoi":  # pairs show themselves
        return str([tuple(pair) for pair in expected])
    if name == "next_palindrome":  # a string in Java
        return f'"{expected}"'
    return json.dumps(int(expected) if _whole(expected) else expected)


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value == int(value)
