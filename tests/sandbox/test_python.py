"""Python programs behave as under CPython: input, output, exit codes, tracebacks, calls."""

from __future__ import annotations

import json

import pytest

from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.conftest import Asker, Outcome, calls

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADD = {
    "input": "print(sum(int(input()) for _ in range(3)))",
    "stdin iteration": "import sys\nprint(sum(int(line) for line in sys.stdin))",
    "stdin.read": "import sys\nprint(sum(map(int, sys.stdin.read().split())))",
    "stdin.readline": "import sys\nr = sys.stdin.readline\nprint(int(r()) + int(r()) + int(r()))",
    "stdin.readlines": "import sys\nprint(sum(map(int, sys.stdin.readlines())))",
    "input = readline": "import sys\ninput = sys.stdin.readline\nprint(int(input()) + 5)",
    "stdin.buffer.read": "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))",
    "stdin.buffer.readline": "import sys\nr=sys.stdin.buffer.readline\nprint(int(r())+int(r())+3)",
    "open(0)": "print(sum(map(int, open(0).read().split())))",
    "open(0) lines": "print(sum(int(x) for x in open(0)))",
    "os.read": "import os\nprint(sum(map(int, os.read(0, 10**6).split())))",
    "io.BytesIO": (
        "import io, os\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size or 10**6)).readline\n"
        "print(int(input()) + int(input()) + int(input()))"
    ),
    "/dev/stdin": "print(sum(map(int, open('/dev/stdin').read().split())))",
    "fileinput": "import fileinput\nprint(sum(int(x) for x in fileinput.input()))",
    "EOFError": (
        "total = 0\ntry:\n    while True:\n        total += int(input())\n"
        "except EOFError:\n    print(total)"
    ),
    "thread with a large stack": (
        "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(1 << 27)\n"
        "def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\n"
        "def main():\n    assert deep(50000) == 50000\n"
        "    print(sum(int(input()) for _ in range(3)))\n"
        "t = threading.Thread(target=main)\nt.start()\nt.join()"
    ),
    "main guard": (
        "def main():\n    global n\n    n = int(input())\n    print(n + int(input()) + 3)\n"
        "if __name__ == '__main__':\n    main()"
    ),
    "stdout.write": "import sys\nsys.stdout.write(f'{sum(map(int, sys.stdin))}\\n')",
    "stdout.buffer": (
        "import sys\nsys.stdout.buffer.write(b'%d\\n' % sum(map(int, sys.stdin.buffer)))"
    ),
    "os.write": "import os, sys\nos.write(1, b'%d\\n' % sum(map(int, sys.stdin)))",
    "stdout replaced": "import sys\nsys.stdout = open(1, 'w')\nprint(sum(map(int, open(0))))",
    "stdout kept in another file": "out = open(1, 'w')\nout.write(f'{sum(map(int, open(0)))}\\n')",
    "StringIO and atexit": (
        "import atexit, io, sys\nbuffer = io.StringIO()\nsys.stdout = buffer\n"
        "@atexit.register\ndef write():\n    sys.__stdout__.write(buffer.getvalue())\n"
        "print(sum(map(int, sys.stdin)))"
    ),
    "exit()": "print(6)\nexit()",
    "quit() in a function": "def main():\n    print(6)\n    quit()\nmain()\nprint(7)",
    "asyncio": (
        "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    print(6)\n"
        "asyncio.run(main())"
    ),
    "non-daemon thread outlives main": (
        "import threading, time\ndef late():\n    time.sleep(0.05)\n    print(6)\n"
        "threading.Thread(target=late).start()"
    ),
    "process pool": (
        "import os\npid = os.fork()\nif pid == 0:\n    os._exit(6)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    ),
    "subprocess": (
        "import subprocess\nprint(subprocess.run(['/bin/echo', '6'], capture_output=True,"
        " text=True).stdout, end='')"
    ),
    "lru_cache recursion": (
        "import sys\nfrom functools import lru_cache\nsys.setrecursionlimit(10**6)\n"
        "@lru_cache(None)\ndef f(n): return 0 if n == 0 else f(n - 1) + 1\nprint(f(20000) - 19994)"
    ),
    "dataclass and typing": (
        "from dataclasses import dataclass\nfrom typing import List, get_type_hints\n"
        "@dataclass\nclass P:\n    x: 'List[int]'\nprint(sum(P([1, 2, 3]).x))\n"
        "assert get_type_hints(P)['x'] == List[int]"
    ),
    "pickle of an own class": (
        "import pickle\nclass P: pass\np = P()\np.x = 6\nprint(pickle.loads(pickle.dumps(p)).x)"
    ),
    "own module file": (
        "open('helper.py', 'w').write('six = 6')\nimport helper\nprint(helper.six)"
    ),
    "inspect": "import inspect\ndef f(): 'six'\nassert 'six' in inspect.getsource(f)\nprint(6)",
    "standard library": (
        "import bisect, collections, decimal, fractions, heapq, itertools, json, math, re\n"
        "h = [3, 1, 2]\nheapq.heapify(h)\nprint(sum(h))"
    ),
    "byte order mark": "\ufeffprint(6)",
    "stack limit raised for good": (
        "import resource\nfrom resource import RLIM_INFINITY as most\n"
        "resource.setrlimit(resource.RLIMIT_STACK, (0x10000000, most))\n"
        "resource.setrlimit(resource.RLIMIT_STACK, (most, most))\nprint(6)"
    ),
}


@pytest.mark.parametrize("name", ADD)
async def test_idiom(ask: Asker, name: str) -> None:
    """Each twice: as a first run and as a second one of the same submission."""
    result = await ask.result(ADD[name], b"1\n2\n3\n", b"1\n2\n3")
    assert result.status == pb.RunResult.OK, result.message
    for outcome in result.outcomes:
        assert (outcome.ending, outcome.exit_code, outcome.stdout) == (Outcome.EXITED, 0, b"6\n"), (
            outcome
        )


KEPT_FILES = {
    "space": 'w = open (1, "w")',
    "other name": 'o = open\nw = o(1, "w")',
    "fdopen": 'import os\nf = os.fdopen\nw = f(1, "w")',
    "partial": 'import functools\nw = functools.partial(open, mode="w")(1)',
    "getattr": 'import builtins\nw = getattr(builtins, "op" + "en")(1, "w")',
    "import": 'w = __import__("i" + "o").__dict__["op" + "en"](1, "w")',
    "exec": 'exec(bytes.fromhex("77203d206f70656e28312c20277727290a"))',
    "type of stdout": "import sys\nw = type(sys.stdout)(sys.stdout.buffer)",
    "codecs": 'import codecs\nw = codecs.open("/dev/stdout", "w", "utf8")',
    "path": 'import pathlib\nw = getattr(pathlib.Path("/dev/stdout"), "ope" + "n")("w")',
    "text over raw": (
        'import sys, io\nb = type(sys.stdout.buffer)(sys.stdout.buffer.raw)\n'
        'w = type(sys.stdout)(b)'
    ),
    "pipe to a process": (
        "import subprocess as s\np = s.__dict__['Pop' + 'en']('cat', stdin=-1, text=True)\n"
        "w = p.stdin"
    ),
    "in a cycle": 'class A: pass\na = A()\na.a, a.w = a, open (1, "w")\nw = a.w\ndel a',
    "print to file": 'w = open (1, "w")\nprint(end="", file=w)',
    "among many objects": 'x = [[i] for i in range(600000)]\nw = open (1, "w")',
    "opened at exit": (
        "import atexit\ndef last():\n    global v\n    v = open (1, 'w')\n    v.write('5\\n')\n"
        "atexit.register(last)\nclass W:\n    def write(self, text): pass\nw = W()"
    ),
    "generator": (
        "def g():\n    try: print(end='', flush=True); (yi" "eld)\n    finally: print(5)\n"
        "w = g()\nnext(w)\nclass W:\n    def write(self, text): pass\nk, w = w, W()"
    ),
    "destructor": (
        "A = type('A', (), {'__de' + 'l__': lambda self: print(5)})\na = A()\n"
        "class W:\n    def write(self, text): pass\nw = W()"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT_FILES)
async def test_what_is_flushed_at_the_end_is_not_lost(ask: Asker, name: str) -> None:
    outcome = await ask.one(KEPT_FILES[name] + '\nw.write("5\\n")')
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, b"5\n", b"")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("pass", 0),
        ("import sys; print(5); sys.stdout.flush(); del sys.stdout", 0),
        ("import sys; del sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__", 0),
        ("import sys; sys.stdout = sys.__stdout__ = sys.stderr = None; print(5)", 0),
        ("import sys; sys.stdout.close()", 0),
        ("import gc; gc.get_objects = None", 0),
        ("import sys; del sys.stdout; raise ValueError", 1),
        ("import sys; sys.exit()", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit(-1)", 255),
        ("import sys; sys.exit(256)", 0),
        ("import sys; sys.exit(True)", 1),
        ("import sys; sys.exit('message')", 1),
        ("raise SystemExit((1, 2))", 1),
        ("import os; os._exit(7)", 7),
        ("1/0", 1),
        ("import sys; print(1); sys.stdout.flush(); import os; os.close(1); print(2)", 120),
        ("import threading; threading.Thread(target=lambda: 1/0).start()", 0),
        ("import atexit, os; atexit.register(os._exit, 9)", 9),
    ],
)
async def test_exit_code(ask: Asker, source: str, code: int) -> None:
    outcome = await ask.one(source)
    assert (outcome.ending, outcome.exit_code) == (Outcome.EXITED, code)


@pytest.mark.parametrize("number", [6, 8, 9, 11, 15, 2, 31])
async def test_own_signal(ask: Asker, number: int) -> None:
    source = f"import os, signal\nsignal.signal({number}, signal.SIG_DFL)" if number != 9 else ""
    outcome = await ask.one(f"{source}\nimport os\nos.kill(os.getpid(), {number})")
    assert (outcome.ending, outcome.signal) == (Outcome.SIGNALLED, number)


async def test_segmentation_fault(ask: Asker) -> None:
    outcome = await ask.one("import ctypes\nctypes.string_at(0)")
    assert (outcome.ending, outcome.signal) == (Outcome.SIGNALLED, 11)


@pytest.mark.parametrize("before", ["pass", "import sys; del sys.stdout"])
async def test_keyboard_interrupt_ends_by_sigint(ask: Asker, before: str) -> None:
    outcome = await ask.one(f"{before}\nraise KeyboardInterrupt")
    assert (outcome.ending, outcome.signal) == (Outcome.SIGNALLED, 2)
    assert outcome.stderr.endswith(b"KeyboardInterrupt\n")


async def test_traceback_is_the_programs_own(ask: Asker) -> None:
    outcome = await ask.one("def f():\n    return 1 / 0\n\nprint('before')\nf()\n")
    assert outcome.stdout == b"before\n"
    lines = outcome.stderr.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == '  File "/tmp/main.py", line 5, in <module>'
    assert lines[2] == "    f()"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "driver" not in outcome.stderr.decode()


async def test_exit_message_goes_to_stderr(ask: Asker) -> None:
    assert (await ask.one("import sys; sys.exit('sorry')")).stderr == b"sorry\n"


async def test_destructors_and_suspended_generators_run(ask: Asker) -> None:
    source = (
        "class A:\n    def __del__(self): print('gone')\na = A()\n"
        "def g():\n    try:\n        yield\n    finally:\n        print('closed')\nx = g()\nnext(x)"
    )
    assert sorted((await ask.one(source)).stdout.split()) == [b"closed", b"gone"]


async def test_syntax_error_is_a_compile_failure(ask: Asker) -> None:
    result = await ask.result("print(1)\nif x\n", b"", b"")
    assert result.status == pb.RunResult.OK
    assert result.compile_failed
    assert 'File "/tmp/main.py", line 2' in result.diagnostics
    assert "SyntaxError" in result.diagnostics
    assert [o.ending for o in result.outcomes] == [Outcome.NOT_RUN] * 2


@pytest.mark.parametrize("source", ["a\0b", "(" * 5000, "-" * 300_000 + "1", "x = 1\n" * 100_000])
async def test_odd_sources_are_decided(ask: Asker, source: str) -> None:
    result = await ask.result(source, b"")
    assert result.status == pb.RunResult.OK, result.message
    assert result.compile_failed == (not source.startswith("x"))


async def test_prelude_shares_the_namespace(ask: Asker) -> None:
    outcome = await ask.one("print(floor(2.5), six)", prelude="from math import *\nsix = 6")
    assert outcome.stdout == b"2 6\n"


async def test_environment_is_empty_and_argv_is_a_scripts(ask: Asker) -> None:
    outcome = await ask.one("import os, sys\nprint(dict(os.environ), sys.argv, __file__, __name__)")
    assert outcome.stdout == b"{} ['/tmp/main.py'] /tmp/main.py __main__\n"


async def test_runs_differ_in_random_numbers(ask: Asker) -> None:
    result = await ask.result("import random\nprint(random.random())", *[b""] * 4)
    assert len({outcome.stdout for outcome in result.outcomes}) == 4


async def test_bytes_go_through_unchanged(ask: Asker) -> None:
    every = bytes(range(256)) * 3
    copy = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert (await ask.one(copy, every)).stdout == every
    # Invalid UTF-8 goes through text streams too; text mode turns \r into \n, as CPython does.
    text = every.replace(b"\r", b"")
    assert (await ask.one("import sys\nsys.stdout.write(sys.stdin.read())", text)).stdout == text


async def test_ten_megabytes_in_and_out(ask: Asker) -> None:
    data = b"0123456789abcde\n" * 655_360
    copy = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())"
    outcome = await ask.one(copy, data)
    assert outcome.stdout == data
    assert not outcome.stdout_truncated


async def test_large_input_that_is_never_read(ask: Asker) -> None:
    outcome = await ask.one("print('done')", b"x" * (64 << 20))
    assert (outcome.ending, outcome.exit_code, outcome.stdout) == (Outcome.EXITED, 0, b"done\n")


async def test_accounting(ask: Asker) -> None:
    outcome = await ask.one("import time\nx = bytearray(100 << 20)\ntime.sleep(0.1)")
    assert outcome.wall_us >= 100_000
    assert 1_000 <= outcome.cpu_us < 2_000_000
    assert 100 << 20 <= outcome.peak_memory_bytes < 160 << 20


# ---- calls


@pytest.mark.parametrize(
    "text",
    [
        "0", "-1", "true", "false", "null", "1.5", "0.1", "1e+300", "-0.0", '""',
        '"\\u00e9\\n\\u0000"', "[]", "{}", "[1,[2,[3]]]",
        '{"a":{"b":[]},"c":[{}]}', "NaN", "Infinity", "-Infinity",
        '"\\ud800"', "1" * 4000, '["\\"\\\\"]',
    ],
)  # fmt: skip
async def test_values_come_back_exactly(ask: Asker, text: str) -> None:
    assert await ask.value("def f(x): return x", text) == text


async def test_value_forms(ask: Asker) -> None:
    assert (
        await ask.value("def f(): return (1, (2.0, 'x'), None, True)") == '[1,[2.0,"x"],null,true]'
    )
    assert await ask.value("def f(): return 1 << 20000") == _digits(1 << 20000)


def _digits(value: int) -> str:
    """Decimal digits beyond the interpreter's limit for str()."""
    parts = []
    while value:
        value, part = divmod(value, 10**1000)
        parts.append(f"{part:01000d}")
    return "".join(reversed(parts)).lstrip("0")


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("{1, 2}", "set"), ("b'x'", "bytes"), ("1j", "complex"), ("object()", "object"),
        ("(i for i in [])", "generator"), ("{1: 2}", "int"), ("range(3)", "range"),
        ("type('I', (int,), {})(3)", "I"), ("type('S', (str,), {})('a')", "S"),
        ("[type('L', (list,), {})()]", "L"), ("{'a': type('F', (float,), {})()}", "F"),
        ("__import__('collections').Counter([1])", "int"),
        ("__import__('collections').deque()", "deque"),
    ],
)  # fmt: skip
async def test_other_types_have_no_exact_form(ask: Asker, expression: str, named: str) -> None:
    (outcome,) = await ask.calls(f"def f(): return {expression}", "f", [])
    assert outcome.ending == Outcome.RAISED
    assert f"of type {named} has no exact JSON form" in outcome.error


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Counter('aab')", '{"a":2,"b":1}'),
        ("defaultdict(list, {'a': [1]})", '{"a":[1]}'),
        ("OrderedDict(a=1, b=())", '{"a":1,"b":[]}'),
        ("namedtuple('P', 'x y')(1, [2.5])", "[1,[2.5]]"),
        ("[type('D', (dict,), {})(), type('T', (tuple,), {})()]", "[{},[]]"),
        ("__import__('time').gmtime(0)", "[1970,1,1,0,0,0,3,1,0]"),
    ],
)
async def test_subclasses_of_dict_and_tuple_are_their_data(
    ask: Asker, expression: str, text: str
) -> None:
    source = f"from collections import *\ndef f(): return {expression}"
    assert await ask.value(source) == text


async def test_subclasses_gain_nothing_by_lying(ask: Asker) -> None:
    """What they override is never called, not even by their metaclass."""
    source = (
        "class M(type):\n"
        "    def __instancecheck__(self, x): raise ValueError\n"
        "    __subclasscheck__ = __hash__ = __instancecheck__\n"
        "def lie(*a): raise ValueError\n"
        "names = '__iter__ __len__ __getitem__ __eq__ __hash__ __class__ items keys values get'\n"
        "lies = dict.fromkeys(names.split(), property(lie))\n"
        "D, T = M('D', (dict,), dict(lies)), M('T', (tuple,), dict(lies))\n"
        "class L(dict):\n    __class__ = str\n    def items(self): return [('a', 2)]\n"
        "def f(): return [D(a=1), T((1, 2)), L(a=1)]"
    )
    assert await ask.value(source) == '[{"a":1},[1,2],{"a":1}]'


async def test_function_only_never_takes_a_solution(ask: Asker) -> None:
    source = "class Solution:\n    def f(self, x): return 'method'\n"
    for rest, expected in (("def f(x): return 'function'", '"function"'), ("", "")):
        request = calls(source + rest, "f", ["1"])
        assert (await ask.sandbox.run(request)).outcomes[0].value_json == ('"method"')
        request.calls.function_only = True
        (outcome,) = (await ask.sandbox.run(request)).outcomes
        assert outcome.value_json == expected
        assert (outcome.ending == Outcome.RAISED) == (not rest)
    request = calls(source, "Solution.f", ["1"])
    request.calls.function_only = True
    result = await ask.sandbox.run(request)
    assert result.status == pb.RunResult.INVALID
    assert "function_only" in result.message


async def test_entry_points(ask: Asker) -> None:
    source = (
        "class Solution:\n    def __init__(self): self.n = 0\n"
        "    def add(self, x):\n        self.n += x\n        return self.n\n"
        "class Other:\n    @staticmethod\n    def twice(x): return 2 * x\n"
        "def top(x): return -x\n"
        "from itertools import count as add\n"
    )
    for name, expected in (
        ("add", ["1", "2"]),
        ("Solution.add", ["1", "2"]),
        ("Other.twice", ["2", "4"]),
        ("top", ["-1", "-2"]),
    ):
        outcomes = await ask.calls(source, name, ["1"], ["2"])
        assert [o.value_json for o in outcomes] == expected
    for outcome in await ask.calls(source, "missing", ["1"], ["2"]):
        assert outcome.ending == Outcome.RAISED
        assert "no entry point 'missing'" in outcome.error


async def test_calls_raise_one_by_one(ask: Asker) -> None:
    source = (
        "import sys\ndef f(x):\n    if x == 1: raise ValueError('no ' + str(x))\n"
        "    if x == 2: sys.exit(0)\n    if x == 3: raise KeyboardInterrupt\n"
        "    if x == 4: return f(x)\n    return x"
    )
    outcomes = await ask.calls(source, "f", *[[str(i)] for i in range(6)])
    assert [o.ending for o in outcomes] == [
        Outcome.RETURNED,
        *[Outcome.RAISED] * 4,
        Outcome.RETURNED,
    ]
    assert outcomes[1].error == "ValueError: no 1"
    assert outcomes[2].error == "SystemExit: 0"
    assert outcomes[4].error.startswith("RecursionError")


async def test_calls_share_one_process_and_its_state(ask: Asker) -> None:
    outcomes = await ask.calls("n = []\ndef f(): n.append(1); return len(n)", "f", [], [], [])
    assert [o.value_json for o in outcomes] == ["1", "2", "3"]


async def test_arguments_do_not_alias(ask: Asker) -> None:
    outcomes = await ask.calls("def f(x): x.append(1); return x", "f", ["[0]"], ["[0]"])
    assert [o.value_json for o in outcomes] == ["[0,1]", "[0,1]"]


async def test_deep_and_cyclic_values_are_refused(ask: Asker) -> None:
    deep = "def f():\n    x = []\n    for _ in range(100000): x = [x]\n    return x"
    cyclic = "def f():\n    x = []\n    x.append(x)\n    return x"
    for source in (deep, cyclic):
        (outcome,) = await ask.calls(source, "f", [])
        assert outcome.ending == Outcome.RAISED
        assert "nested deeper" in outcome.error


async def test_printing_in_calls_is_harmless(ask: Asker) -> None:
    outcomes = await ask.calls(
        "def f(x):\n    print('x' * 200000)\n    return x", "f", ["1"], ["2"]
    )
    assert [o.value_json for o in outcomes] == ["1", "2"]


async def test_stop_on_failure(ask: Asker) -> None:
    outcomes = await ask.calls(
        "def f(x): return 1 // x", "f", ["1"], ["0"], ["1"], stop_on_failure=True
    )
    assert [o.ending for o in outcomes] == [Outcome.RETURNED, Outcome.RAISED, Outcome.NOT_RUN]
    result = await ask.result("print(1 // int(input()))", b"1", b"0", b"1", stop_on_failure=True)
    assert [o.ending for o in result.outcomes] == [Outcome.EXITED, Outcome.EXITED, Outcome.NOT_RUN]
    result = await ask.result("print(1 // int(input()))", b"1", b"0", b"1")
    assert [o.exit_code for o in result.outcomes] == [0, 1, 0]


# ---- snippets


async def test_snippets(ask: Asker) -> None:
    snippets = {
        "assert f(1) == 2": (0, True),
        "assert f(1) == 3": (1, False),
        "import sys; sys.exit(0)": (0, False),
        "import os; os._exit(0)": (0, False),
        "f = None": (0, True),
        "if __name__ == '__main__':\n    raise ValueError": (1, False),
        "syntax error": (1, False),
        "import atexit, os; atexit.register(os._exit, 4)": (4, True),
    }
    request = pb.RunRequest(
        language="python",
        source="def f(x): return x + 1\nif __name__ == '__main__':\n    print(input())",
        snippets=pb.Snippets(source=list(snippets)),
    )
    result = await ask.sandbox.run(request)
    assert [(o.exit_code, o.completed) for o in result.outcomes] == list(snippets.values())
    assert b'File "/tmp/test.py", line 1, in <module>' in result.outcomes[1].stderr


async def test_result_metadata(ask: Asker) -> None:
    result = await ask.result("pass", b"", id="my id")
    assert (result.id, result.tier, len(result.outcomes)) == ("my id", pb.T3, 1)
    assert result.toolchain.startswith("CPython 3.")
    assert result.ran_ms > 0
    assert result.queued_ms >= 0
    assert json.dumps(result.message) == '""'
