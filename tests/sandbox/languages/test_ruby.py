"""Ruby programs from end to end."""

from __future__ import annotations

import pytest

from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.languages.conftest import (
    NUMBERS,
    TOTAL,
    UNICODE,
    Outcome,
    Programs,
    exited,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUM = """
n, *rest = $stdin.read.split.map(&:to_i)
puts rest.first(n).sum
"""
FEATURES = """
require 'bigdecimal'
require 'json'
require 'matrix'
require 'prime'
require 'set'
Point = Struct.new(:x, :y) { def +(other) = Point.new(x + other.x, y + other.y) }
words = $stdin.read.split
puts JSON.generate(words.tally.sort.to_h), Set[1, 2, 2].size, Prime.first(4).inspect
puts Matrix[[1, 2], [3, 4]].det, (BigDecimal('0.1') + BigDecimal('0.2')).to_s, 2**100
case { name: 'x', at: [1, 2] }
in { name: String => name, at: [a, *] } then puts "#{name} #{a}"
end
puts (Point.new(1, 2) + Point.new(3, 4)).to_a.inspect, [3, 1, 2].sort_by { -_1 }.inspect
squares = Enumerator.new { |y| n = 0; loop { y << n * n; n += 1 } }
puts squares.lazy.select(&:even?).first(3).inspect, format('%05.2f', 3.14159), Integer.sqrt(99)
begin
  nil.missing
rescue NoMethodError => e
  puts e.class
end
"""


@pytest.fixture
def ruby(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "ruby")


async def test_sum_and_large_input(ruby: Programs) -> None:
    result = await ruby.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("ruby ")


async def test_features(ruby: Programs) -> None:
    assert (await ruby.output(FEATURES, b"b a b")).splitlines() == [
        '{"a":1,"b":2}', "2", "[2, 3, 5, 7]", "-2", "0.3e0", str(2**100), "x 1", "[4, 6]",
        "[3, 2, 1]", "[0, 4, 16]", "03.14", "9", "NoMethodError",
    ]  # fmt: skip


async def test_unicode(ruby: Programs) -> None:
    source = "größe = $stdin.read\nprint größe, 'é', größe.size"
    assert await ruby.output(source, UNICODE.encode()) == f"{UNICODE}é{len(UNICODE)}"


async def test_deep_recursion(ruby: Programs) -> None:
    source = "def deep(n) = n == 0 ? 0 : 1 + deep(n - 1)\nputs deep(300_000)"
    assert await ruby.output(source) == "300000\n"


async def test_threads_and_fibers(ruby: Programs) -> None:
    source = """
    sums = 20.times.map { |i| Thread.new { i } }.sum(&:value)
    fibers = 1000.times.map { |i| Fiber.new { Fiber.yield i } }
    queue = Queue.new
    consumer = Thread.new { 3.times.map { queue.pop }.sum }
    3.times { queue << _1 }
    puts sums, fibers.sum(&:resume), consumer.value
    """
    assert await ruby.output(source) == "190\n499500\n3\n"


async def test_large_output(ruby: Programs) -> None:
    assert len(await ruby.output("1_000_000.times { puts 1_000_000 + _1 }")) == 8_000_000


async def test_memory_limit(ruby: Programs) -> None:
    source = "kept = []\nloop { kept << 'x' * (1 << 20) }"
    outcome = await ruby.one(source, limits=pb.Limits(memory_bytes=64 << 20))
    assert outcome.ending == Outcome.MEMORY_LIMIT, outcome


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("exit 7", 7, b""),
        ("abort 'no'", 1, b"no"),
        ("raise 'an end'", 1, b"main.rb:1:in `<main>': an end (RuntimeError)"),
        ("puts (", 1, b"syntax error"),
        ("require 'nothing'", 1, b"cannot load such file -- nothing"),
        ("def f = f()\nf", 1, b"stack level too deep (SystemStackError)"),
    ],
)
async def test_endings(ruby: Programs, source: str, code: int, message: bytes) -> None:
    outcome = await ruby.one(source)
    assert exited(outcome, code), outcome
    assert message in outcome.stderr
