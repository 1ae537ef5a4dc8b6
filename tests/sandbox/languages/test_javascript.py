"""JavaScript programs from end to end."""

from __future__ import annotations

import pytest

from sandbox.client import EmbeddedSandbox
from tests.sandbox.languages.conftest import NUMBERS, TOTAL, UNICODE, Programs, exited

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUM = """
const [n, ...numbers] = require('fs').readFileSync(0, 'utf8').split(/\\s+/).filter(Boolean).map(Number);
console.log(numbers.slice(0, n).reduce((a, b) => a + b, 0));
"""
LINES = """
const rl = require('readline').createInterface({ input: process.stdin });
const lines = [];
rl.on('line', (line) => lines.push(line));
rl.on('close', () => console.log(lines.map((line) => [...line].length).join(' ')));
"""
AWAIT = """
async function* count(n) { for (let i = 0; i < n; i++) { await new Promise((r) => setTimeout(r, 1)); yield i; } }
(async () => { let s = 0; for await (const i of count(5)) s += i; console.log(s); })();
"""
WORKER = """
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
  let sum = 0, left = 3;
  for (const x of [1, 2, 3]) {
    const worker = new Worker(__filename, { workerData: x });
    worker.on('message', (y) => { sum += y; });
    worker.on('exit', () => { if (--left === 0) console.log(sum); });
  }
} else parentPort.postMessage(workerData * 10);
"""


@pytest.fixture
def js(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "javascript")


async def test_sum_and_large_input(js: Programs) -> None:
    result = await js.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("node ")


async def test_lines_from_the_standard_input(js: Programs) -> None:
    assert await js.output(LINES, "ab\n漢字🙂\n".encode()) == "2 3\n"


async def test_empty_input(js: Programs) -> None:
    assert await js.output("console.log(require('fs').readFileSync('/dev/stdin').length)") == "0\n"


async def test_unicode(js: Programs) -> None:
    source = "process.stdout.write(require('fs').readFileSync(0, 'utf8') + 'é')"
    assert await js.output(source, UNICODE.encode()) == UNICODE + "é"


async def test_deep_recursion(js: Programs) -> None:
    source = "const deep = (n) => (n === 0 ? 0 : 1 + deep(n - 1)); console.log(deep(500000));"
    assert await js.output(source) == "500000\n"


async def test_stack_overflow_can_be_caught(js: Programs) -> None:
    source = (
        "const f = () => 1 + f(); try { f(); } catch (e) { console.log(e instanceof RangeError); }"
    )
    assert await js.output(source) == "true\n"


async def test_workers(js: Programs) -> None:
    assert await js.output(WORKER) == "60\n"


async def test_await(js: Programs) -> None:
    assert await js.output(AWAIT) == "10\n"


async def test_large_output(js: Programs) -> None:
    source = (
        "let s = []; for (let i = 0; i < 1e6; i++) s.push(1e6 + i); console.log(s.join('\\n'));"
    )
    assert len(await js.output(source)) == 8_000_000


async def test_many_small_writes(js: Programs) -> None:
    assert len(await js.output("for (let i = 0; i < 20000; i++) console.log('line');")) == 100_000


async def test_exit_code(js: Programs) -> None:
    assert exited(await js.one("process.exit(7)"), 7)
    assert exited(await js.one("process.exitCode = 5"), 5)


@pytest.mark.parametrize(
    "source",
    [
        "console.log('x'); throw new TypeError('not caught')",
        "console.log('x'); Promise.reject(new TypeError('not caught'))",
        "console.log('x'); setTimeout(() => { throw new TypeError('not caught') }, 1)",
    ],
)
async def test_uncaught_exception(js: Programs, source: str) -> None:
    outcome = await js.one(source)
    assert exited(outcome, 1)
    assert outcome.stdout == b"x\n"
    assert b"TypeError: not caught" in outcome.stderr


async def test_syntax_error(js: Programs) -> None:
    outcome = await js.one("let x = ;")
    assert exited(outcome, 1)
    assert b"SyntaxError" in outcome.stderr
    assert b"main.js:1" in outcome.stderr


async def test_big_integers_and_maps(js: Programs) -> None:
    source = "console.log((2n ** 100n).toString(), new Map([[1, { a: [1] }]]), [3, 1].sort(), 0.1 + 0.2);"
    expected = "1267650600228229401496703205376 Map(1) { 1 => { a: [ 1 ] } } [ 1, 3 ] 0.30000000000000004\n"
    assert await js.output(source) == expected
