"""Programs that try to look right: the sandbox tells what they did and nothing better."""

from __future__ import annotations

import pytest

from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.conftest import Asker, Outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")

THREE = (["1"], ["2"], ["3"])


def endings(outcomes: list[pb.Outcome]) -> list[int]:
    return [o.ending for o in outcomes]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import sys; sys.exit(0)", 0),
        ("import os; os._exit(0)", 0),
        ("raise SystemExit", 0),
        ("exit()", 0),
        ("1/0", 1),
    ],
)
async def test_exit_at_import(ask: Asker, source: str, code: int) -> None:
    outcomes = await ask.calls(f"def f(x): return x\n{source}", "f", *THREE)
    assert endings(outcomes) == [Outcome.EXITED, Outcome.NOT_RUN, Outcome.NOT_RUN]
    assert outcomes[0].exit_code == code


@pytest.mark.parametrize(
    "leave",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "threading.Thread(target=os._exit, args=(0,)).start() or time.sleep(9)",
        "os.execv('/bin/true', ['true'])",
    ],
)
async def test_exit_in_a_call(ask: Asker, leave: str) -> None:
    source = f"import os, threading, time\ndef f(x):\n    if x == 2: {leave}\n    return x"
    outcomes = await ask.calls(source, "f", *THREE)
    assert outcomes[0].ending == Outcome.RETURNED
    assert outcomes[1].ending in (Outcome.EXITED, Outcome.SIGNALLED)
    assert outcomes[2].ending == Outcome.NOT_RUN


async def test_objects_that_claim_equality(ask: Asker) -> None:
    source = """
class Any:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __repr__(self): return '1'
    def __iter__(self): return iter([1])
    __class__ = int
class Int(int):
    def __repr__(self): return '42'
    __str__ = __repr__
class Text(str):
    def __eq__(self, other): return True
def f(x): return {1: Any(), 2: Int(1), 3: Text('x')}[x]
"""
    outcomes = await ask.calls(source, "f", *THREE)
    assert endings(outcomes) == [Outcome.RAISED] * 3
    assert [o.error.split("type ")[1].split()[0] for o in outcomes] == ["Any", "Int", "Text"]


async def test_a_metaclass_that_lies_about_its_name(ask: Asker) -> None:
    source = """
class Meta(type):
    @property
    def __name__(cls): raise SystemExit(0)
class C(metaclass=Meta): pass
def f(x): return C() if x == 2 else x
"""
    outcomes = await ask.calls(source, "f", *THREE)
    assert endings(outcomes) == [Outcome.RETURNED, Outcome.RAISED, Outcome.RETURNED]


async def test_replaced_builtins_and_modules(ask: Asker) -> None:
    source = """
import builtins, json, marshal, os, sys, time, _json
def lie(*a, **k): return '42'
for name in ('repr', 'str', 'type', 'isinstance', 'len', 'int', 'list', 'dict', 'getattr', 'print',
             'callable', 'range', 'max', 'float'):
    setattr(builtins, name, lie)
json.dumps = json.loads = marshal.loads = marshal.dumps = _json.encode_basestring_ascii = lie
os.write = time.process_time_ns = lambda *a: 1
def f(x): return x
"""
    outcomes = await ask.calls(source, "f", ['[1,"a",{"b":2.5}]'], ["7"])
    values = [o.value_json for o in outcomes]
    assert values == ['[1,"a",{"b":2.5}]', "7"] or Outcome.RETURNED not in endings(outcomes), (
        outcomes
    )


async def test_forged_frames_on_every_descriptor(ask: Asker) -> None:
    source = """
import os
def f(x):
    if x == 2:
        for fd in range(3, 1024):
            try: os.write(fd, b'R' * 100)
            except OSError: pass
    return x
"""
    outcomes = await ask.calls(source, "f", *THREE)
    assert endings(outcomes) == [Outcome.RETURNED, Outcome.RAISED, Outcome.NOT_RUN]
    assert "channel of its results" in outcomes[1].error


async def test_closed_descriptors_in_calls(ask: Asker) -> None:
    source = "import os\ndef f(x):\n    if x == 2: os.closerange(0, 1024)\n    return x"
    outcomes = await ask.calls(source, "f", *THREE)
    assert outcomes[0].ending == Outcome.RETURNED
    assert outcomes[1].ending == Outcome.EXITED
    assert outcomes[1].exit_code != 0
    assert outcomes[2].ending == Outcome.NOT_RUN


async def test_a_forked_child_reports_nothing(ask: Asker) -> None:
    source = "import os\ndef f(x):\n    return -1 if os.fork() == 0 else x"
    outcomes = await ask.calls(source, "f", *THREE)
    assert [o.value_json for o in outcomes] == ["1", "2", "3"]


async def test_threads_left_over_in_calls(ask: Asker) -> None:
    source = (
        "import threading, time\ndef f(x):\n"
        "    threading.Thread(target=time.sleep, args=(99,)).start()\n    return x"
    )
    outcomes = await ask.calls(source, "f", *THREE)
    assert endings(outcomes) == [Outcome.RETURNED] * 3


async def test_nothing_after_the_report_changes_it(ask: Asker) -> None:
    source = (
        "import atexit, os, sys\natexit.register(lambda: os._exit(3))\nkept = []\n"
        "def f(x):\n    for k in kept: k.append(99)\n    r = [x]\n    kept.append(r)\n    return r"
    )
    outcomes = await ask.calls(source, "f", *THREE)
    assert [o.value_json for o in outcomes] == ["[1]", "[2]", "[3]"]


async def test_expected_values_cannot_be_found(ask: Asker) -> None:
    """The arguments are in the process, since it must compute with them; nothing else is."""
    source = """
import gc, sys
def f(x):
    frame, names = sys._getframe(), []
    while frame: names += frame.f_locals; frame = frame.f_back
    return [n for n in names if 'expect' in n or 'gold' in n or 'answer' in n]
"""
    outcomes = await ask.calls(source, "f", ["1"])
    assert outcomes[0].value_json == "[]"


async def test_printed_verdicts_are_output(ask: Asker) -> None:
    outcome = await ask.one("""print('{"ending": "EXITED", "stdout": "42"}')""")
    assert outcome.stdout == b"""{"ending": "EXITED", "stdout": "42"}\n"""


async def test_changed_limits_and_titles(ask: Asker) -> None:
    source = (
        "import resource, sys\nfor what in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):\n"
        "    try: resource.setrlimit(what, (-1, -1)); print('raised')\n"
        "    except (ValueError, OSError): print('refused')\n"
        "sys.setrecursionlimit(10**9)\ndef deep(n): return deep(n + 1)\n"
    )
    assert (await ask.one(source)).stdout == b"refused\nrefused\n"


async def test_one_programs_changes_do_not_reach_the_next_run(ask: Asker) -> None:
    source = (
        "import json, builtins\nprint(getattr(builtins, 'mark', None), json.dumps([1]))\n"
        "builtins.mark = 1\njson.dumps = lambda x: 'changed'"
    )
    result = await ask.result(source, b"", b"")
    assert {o.stdout for o in result.outcomes} == {b"None [1]\n"}
