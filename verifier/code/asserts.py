"""Turns asserts of a test program into calls that are compared outside the sandbox.

Covered: `assert f(literals) == literal`, `assert f(literals) is literal`,
`assert f(literals)` and `assert not f(literals)`, at top level or straight in
the one `def check(candidate)` that is then called with the solution's function
(HumanEval). What cannot be turned (loops, tolerances, helper variables) is
left to a run of the whole test program beside the solution.

Parsing is not evaluation: literals are read by `ast.literal_eval`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(slots=True)  # not frozen: one is made for each call test, which would take longer
class Call:
    """One call: positional arguments and the value expected, each as JSON text."""

    args_json: Sequence[str]
    expected_json: str
    truth: bool = False
    """Only the truth of the value is asked for (`assert f(x)`), not its equality."""
    as_python: bool = False
    """Equality is Python's, where True == 1 (an assert), not JSON's."""


@dataclass(frozen=True)
class Turned:
    """What of a test program could be turned into calls of one function."""

    entry_point: str
    calls: tuple[Call, ...]
    complete: bool
    """Nothing of the test program is left that the calls do not say."""
    error: str = ""
    """Why the text is no Python program; empty where it is one, or is not looked into."""


TURNED_CHARS = 262_144
"""Longest test program that is looked into: parsing takes about 0.1 s, in which
the server answers nobody else."""

TURNED_CALLS = 10_000
"""Most asserts that are turned: as many calls as the sandbox makes in one process."""

NOTHING = Turned("", (), False)


KEPT = 256
"""Test programs whose calls are remembered: many responses are tested by the same ones, and each
is asked about when it is checked and when it is run."""


@lru_cache(maxsize=KEPT)
def turn(source: str) -> Turned:
    """The calls that a test program makes by plain asserts."""
    if len(source) > TURNED_CHARS:
        return NOTHING
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        return Turned("", (), False, f"{type(error).__name__}: {error}")
    except (RecursionError, MemoryError):
        return NOTHING
    check = next((s for s in body if isinstance(s, ast.FunctionDef)), None)
    if check is None:
        return _collect(body, None)
    names = _check_called_with(body, check)
    return NOTHING if names is None else _collect(check.body, names)


def _check_called_with(body: list[ast.stmt], check: ast.FunctionDef) -> tuple[str, str] | None:
    """(parameter, function) when the program is only `def check(parameter)` and its call."""
    others = [s for s in body if s is not check and not _is_metadata(s)]
    if len(others) != 1 or not isinstance(others[0], ast.Expr):
        return None
    call = others[0].value
    if not (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == check.name
        and len(call.args) == 1
        and isinstance(call.args[0], ast.Name)
        and not call.keywords
    ):
        return None
    arguments = check.args
    plain = not (
        arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg
    )
    if len(arguments.args) != 1 or not plain or check.decorator_list:
        return None
    return arguments.args[0].arg, call.args[0].id


def _is_metadata(statement: ast.stmt) -> bool:
    """HumanEval's `METADATA = {...}`: a literal nobody reads."""
    return (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id == "METADATA"
    )


def _collect(body: list[ast.stmt], renamed: tuple[str, str] | None) -> Turned:
    """The calls of one function; with `renamed`, of that parameter under its real name."""
    calls: list[Call] = []
    names: set[str] = set()
    complete = True
    for statement in body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        found = _one(statement) if isinstance(statement, ast.Assert) else None
        if found is None:
            complete = False
        else:
            names.add(found[0])
            calls.append(found[1])
    if len(names) != 1 or len(calls) > TURNED_CALLS:
        return NOTHING
    name = names.pop()
    if any(_binds(node, name) for statement in body for node in ast.walk(statement)):
        return NOTHING
    if renamed is not None:
        if name != renamed[0]:
            return NOTHING
        name = renamed[1]
    return Turned(name, tuple(calls), complete)


def _binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)


def _one(statement: ast.Assert) -> tuple[str, Call] | None:
    test = statement.test
    expected: object = True
    truth = True
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        if not isinstance(test.ops[0], ast.Eq | ast.Is) or not _literal(test.comparators[0]):
            return None
        expected, truth = ast.literal_eval(test.comparators[0]), False
        if isinstance(test.ops[0], ast.Is) and not (expected is None or type(expected) is bool):
            return None
        test = test.left
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        expected, test = False, test.operand
    if not (isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and not test.keywords):
        return None
    if not all(_literal(argument) for argument in test.args):
        return None
    values = [ast.literal_eval(argument) for argument in test.args]
    if not all(_has_json_form(value) for value in values) or not _has_json_form(expected, True):
        return None
    arguments = tuple(json.dumps(value) for value in values)
    return test.func.id, Call(arguments, json.dumps(expected), truth, as_python=True)


def _literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _has_json_form(value: object, tuples: bool = False) -> bool:
    """Does JSON keep the value's type? Tuples only where a list will do (a result)."""
    if isinstance(value, list) or (tuples and isinstance(value, tuple)):
        return all(_has_json_form(element, tuples) for element in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and _has_json_form(v, tuples) for k, v in value.items())
    return value is None or isinstance(value, bool | int | float | str)
