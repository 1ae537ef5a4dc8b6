"""TypeScript programs from end to end, with types stripped and with types checked."""

from __future__ import annotations

import pytest

from sandbox.client import EmbeddedSandbox
from tests.sandbox.languages.conftest import NUMBERS, TOTAL, UNICODE, Programs, exited

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUM = """
import * as fs from 'fs';
const [n, ...numbers]: number[] = fs.readFileSync(0, 'utf8').split(/\\s+/).filter(Boolean).map(Number);
let sum: number = 0;
for (const x of numbers.slice(0, n)) sum += x;
console.log(sum);
"""
FEATURES = """
import { readFileSync } from 'fs';
import * as readline from 'readline';
import { EventEmitter } from 'events';
import assert from 'assert';

enum Colour { Red = 1, Green }
const enum Size { Small = 'S', Large = 'L' }
namespace Shapes {
  export interface Shape { area(): number }
  export class Square implements Shape {
    constructor(private readonly side: number, public name?: string) {}
    area(): number { return this.side ** 2; }
  }
}
abstract class Base<T extends { id: number }> {
  protected items: Map<number, T> = new Map<number, T>();
  declare hidden: string;
  abstract describe(): string;
  add(item: T): this { this.items.set(item.id, item); return this; }
}
function logged(target: any, key: string, descriptor: PropertyDescriptor): void {
  const inner = descriptor.value;
  descriptor.value = function (...args: unknown[]) { return `<${inner.apply(this, args)}>`; };
}
class Store extends Base<{ id: number; text: string }> {
  #secret = 5;
  static count = 0;
  @logged
  describe(): string { return [...this.items.values()].map(({ text }) => text).join() + this.#secret; }
}
type Pair<A, B = string> = [first: A, second?: B];
type Keys = keyof { a: 1; b: 2 };
function pick<T, K extends keyof T>(value: T, key: K): T[K] { return value[key]; }
function isText(x: unknown): x is string { return typeof x === 'string'; }
function over(x: number): number;
function over(x: string): string;
function over(x: any): any { return x; }
const pair: Pair<number> = [1];
const key: Keys = 'a';
const tuple = [1, 'a'] as const;
const sure = (<any>'text') as string;
const emitter: EventEmitter = new EventEmitter();
let later!: number;
later = 3;
emitter.on('x', (n: number) => console.log('event', n));
emitter.emit('x', 4);
assert(isText(sure));
console.log(Colour[2], Size.Large, new Shapes.Square(3).area(), new Store().add({ id: 1, text: 't' }).describe());
console.log(pair, key, tuple.length, pick({ z: 9 }, 'z'), over(1) + over('b'), later, sure!.length, typeof readline.createInterface);
console.log(readFileSync(0, { encoding: 'utf8' }).trim().length ?? 0, process.argv.length);
"""
EXPECTED = "event 4\nGreen L 9 <t5>\n[ 1 ] a 2 9 1b 3 4 function\n2 2\n"
LINES = """
import * as readline from 'readline';
const rl = readline.createInterface({ input: process.stdin });
const lines: string[] = [];
rl.on('line', (line: string) => { lines.push(line); });
rl.on('close', () => { console.log(lines.length); process.exit(lines.length); });
"""


@pytest.fixture
def ts(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "typescript")


@pytest.fixture(params=[False, True], ids=["stripped", "checked"])
def checked(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_sum_and_large_input(ts: Programs, checked: bool) -> None:
    result = await ts.result(SUM, b"3\n1 2 3\n", NUMBERS, type_check=checked)
    assert not result.compile_failed, result.diagnostics
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("esbuild ")


async def test_features(ts: Programs, checked: bool) -> None:
    assert await ts.output(FEATURES, b"ab\n", type_check=checked) == EXPECTED


async def test_lines(ts: Programs, checked: bool) -> None:
    assert exited(await ts.one(LINES, b"a\nb\n", type_check=checked), 2)


@pytest.mark.parametrize(
    "source",
    [
        "const fs = require('fs'); console.log(fs.readFileSync(0).toString().length);",
        "import fs from 'fs'; console.log(fs.readFileSync('/dev/stdin', 'utf-8').length);",
        "import { readFileSync as r } from 'node:fs'; console.log(r(0, 'utf8').length);",
        "import fs = require('fs'); const t: string = fs.readFileSync(0, 'utf8'); console.log(t.length);",
        "process.stdin.setEncoding('utf8'); let s = ''; process.stdin.on('data', (c: string) => { s += c; }); process.stdin.on('end', () => console.log(s.length));",
        "(async () => { let s = ''; for await (const c of process.stdin) s += c; console.log(s.length); })();",
        "declare const require: any; declare var process: any; console.log(require('fs').readFileSync(0, 'utf8').length);",
        "export {}; const { readFileSync } = require('fs'); console.log(readFileSync(0, 'utf8').length);",
    ],
)
async def test_ways_to_read(ts: Programs, source: str, checked: bool) -> None:
    if checked and "declare const require" in source:
        pytest.skip("it declares what is declared already")
    assert await ts.output(source, b"12345", type_check=checked) == "5\n"


async def test_top_level_await(ts: Programs, checked: bool) -> None:
    source = "export {}; const x: number = await Promise.resolve(3); console.log(x);"
    assert await ts.output(source, type_check=checked) == "3\n"


async def test_unicode(ts: Programs) -> None:
    source = (
        "const größe: string = require('fs').readFileSync(0, 'utf8'); console.log(größe + 'é');"
    )
    assert await ts.output(source, UNICODE.encode()) == f"{UNICODE}é\n"


async def test_deep_recursion(ts: Programs) -> None:
    source = "const deep = (n: number): number => (n === 0 ? 0 : 1 + deep(n - 1)); console.log(deep(300000));"
    assert await ts.output(source) == "300000\n"


async def test_uncaught_exception(ts: Programs) -> None:
    outcome = await ts.one("const f = (): never => { throw new Error('not caught'); }; f();")
    assert exited(outcome, 1)
    assert b"Error: not caught" in outcome.stderr


async def test_syntax_errors_name_the_file_and_the_line(ts: Programs, checked: bool) -> None:
    diagnostics = await ts.refused("const x = 1;\nlet y: = 3;", type_check=checked)
    assert "main.ts:2:8: error:" in diagnostics


TYPE_ERRORS = [
    ("const x: number = 'a';", "main.ts:1:7: error: TS2322"),
    ("const x = 1;\nmissing(x);", "main.ts:2:1: error: TS2304: Cannot find name 'missing'"),
    ("console.log('a'.foo);", "TS2339"),
    ("function f(x: number): void {} f('a');", "TS2345"),
    ("import { nothing } from 'fs'; nothing();", "TS2305"),
    ("const x: string = require('fs').readFileSync(0, 'utf8').length;", "TS2322"),
    ("class A { private x = 1 } console.log(new A().x);", "TS2341"),
]


@pytest.mark.parametrize(("source", "message"), TYPE_ERRORS)
async def test_type_errors(ts: Programs, source: str, message: str) -> None:
    result = await ts.result(source)
    assert not result.compile_failed
    assert message in await ts.refused(source, type_check=True)


async def test_no_program_sees_another_one(ts: Programs) -> None:
    first = "declare global { var shared: number; interface Array<T> { extra: T } } globalThis.shared = 1; console.log(shared); export {};"
    assert await ts.output(first, type_check=True) == "1\n"
    assert "TS2304" in await ts.refused("console.log(shared);", type_check=True)
    assert "TS2339" in await ts.refused("console.log([1].extra);", type_check=True)
    assert (
        await ts.output("const shared: string = 'b'; console.log(shared);", type_check=True)
        == "b\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        '/// <reference path="/etc/passwd" />\nconsole.log(1);',
        "import x from '/etc/passwd'; console.log(x);",
        "import x from './tools/node'; console.log(x);",
    ],
)
async def test_nothing_of_the_host_is_read(ts: Programs, source: str) -> None:
    result = await ts.result(source, type_check=True)
    assert "root:" not in result.diagnostics
    if not result.compile_failed:
        assert b"root:" not in result.outcomes[0].stdout + result.outcomes[0].stderr
