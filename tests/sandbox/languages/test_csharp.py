"""C# programs from end to end."""

from __future__ import annotations

import signal
import time

import pytest

from sandbox.client import EmbeddedSandbox
from sandbox.languages.csharp import without_digit_separators
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
using System;
using System.IO;
class Program {
    static void Main() {
        var input = new StreamReader(Console.OpenStandardInput(), System.Text.Encoding.ASCII, false, 1 << 16);
        int n = int.Parse(input.ReadLine());
        long sum = 0;
        string line;
        while (n > 0 && (line = input.ReadLine()) != null)
            foreach (var word in line.Split(' ')) { sum += long.Parse(word); n--; }
        Console.WriteLine(sum);
    }
}
"""
FEATURES = """
using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using System.Text;
namespace Contest {
    interface IShape { double Area { get; } }
    struct Square : IShape { public double Side; public double Area => Side * Side; }
    enum Kind { Small, Large }
    static class Extensions { public static string Twice(this string s) => s + s; }
    class Box<T> where T : IComparable<T> { public T Best(T a, T b) => a.CompareTo(b) > 0 ? a : b; }
    public class Program {
        static (int sum, int count) Tally(IEnumerable<int> xs) => (xs.Sum(), xs.Count());
        public static void Main(string[] args) {
            var words = Console.In.ReadToEnd().Split(new[] {' ', '\\n'}, StringSplitOptions.RemoveEmptyEntries);
            var groups = words.GroupBy(w => w).OrderByDescending(g => g.Count()).Select(g => $"{g.Key}={g.Count()}");
            Console.WriteLine(string.Join(",", groups));
            var (sum, count) = Tally(new List<int> {1, 2, 3});
            object o = 5;
            if (o is int i) Console.WriteLine($"{sum} {count} {i:D3} {new Square { Side = 3 }.Area} {Kind.Large}");
            Console.WriteLine(BigInteger.Pow(2, 100) + " " + "ab".Twice() + " " + new Box<string>().Best("a", "b"));
            var sorted = new SortedDictionary<string, int> {{"b", 1}, {"a", 2}};
            int? nothing = null;
            Console.WriteLine(sorted.First().Key + (nothing ?? -1) + Math.Round(2.567, 2) + args.Length);
        }
    }
}
"""
THREADS = """
using System;
using System.Threading;
using System.Threading.Tasks;
using System.Linq;
class Program {
    static int Deep(int n) => n == 0 ? 0 : 1 + Deep(n - 1);
    static void Main() {
        int sum = 0;
        var threads = Enumerable.Range(1, 8).Select(i => new Thread(() => Interlocked.Add(ref sum, i))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        int more = Task.Run(async () => { await Task.Delay(1); return 6; }).Result;
        Console.WriteLine(sum + more);
        var deep = new Thread(() => Console.WriteLine(Deep(500000)), 1 << 27);
        deep.Start();
        deep.Join();
    }
}
"""


@pytest.fixture
def cs(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "csharp")


async def test_sum_and_large_input(cs: Programs) -> None:
    result = await cs.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert not result.compile_failed, result.diagnostics
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("mono ")


async def test_features(cs: Programs) -> None:
    expected = "b=2,a=1\n6 3 005 9 Large\n1267650600228229401496703205376 abab b\na-12.570\n"
    assert await cs.output(FEATURES, b"b a b\n") == expected


async def test_unicode(cs: Programs) -> None:
    source = 'using System; class A { static void Main() { Console.WriteLine(Console.ReadLine() + "é"); } }'
    assert await cs.output(source, f"{UNICODE}\n".encode()) == f"{UNICODE}é\n"


async def test_threads_and_deep_recursion_in_one(cs: Programs) -> None:
    assert await cs.output(THREADS) == "42\n500000\n"


async def test_deep_recursion(cs: Programs) -> None:
    source = "using System; class A { static int D(int n) { return n == 0 ? 0 : 1 + D(n - 1); } static void Main() { Console.WriteLine(D(500000)); } }"
    assert await cs.output(source) == "500000\n"


async def test_large_output(cs: Programs) -> None:
    source = """
    using System; using System.Text;
    class A { static void Main() { var b = new StringBuilder(); for (int i = 0; i < 1000000; i++) b.Append(1000000 + i).Append('\\n'); Console.Write(b); } }
    """
    assert len(await cs.output(source)) == 8_000_000


@pytest.mark.parametrize(
    "source",
    [
        "class A { static int Main() { return 7; } }",
        "class A { static void Main() { System.Environment.Exit(7); } }",
    ],
)
async def test_exit_code(cs: Programs, source: str) -> None:
    assert exited(await cs.one(source), 7)


async def test_uncaught_exception(cs: Programs) -> None:
    source = 'using System; class A { static void Main() { Console.WriteLine("x"); throw new InvalidOperationException("not caught"); } }'
    outcome = await cs.one(source)
    assert outcome.ending in (Outcome.EXITED, Outcome.SIGNALLED)
    assert outcome.exit_code != 0 or outcome.signal == signal.SIGABRT
    assert outcome.stdout == b"x\n"
    assert b"InvalidOperationException: not caught" in outcome.stderr


async def test_compile_errors_name_the_file_and_the_line(cs: Programs) -> None:
    diagnostics = await cs.refused("class A {\n  static void Main() { missing(); }\n}")
    assert "main.cs(2," in diagnostics
    assert "error CS0103" in diagnostics


async def test_warnings_do_not_fail(cs: Programs) -> None:
    source = 'class A { static void Main() { int unused; System.Console.Write("x"); } }'
    assert await cs.output(source) == "x"


async def test_nothing_of_the_host_is_compiled(cs: Programs) -> None:
    source = 'class A { static void Main() { } }\n#line 1 "/etc/passwd"\nerror'
    assert "root:" not in await cs.refused(source)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (
            "int a = 1_000; long b = 0xFF_FFL; double c = 1_0.5_0;",
            "int a = 1000; long b = 0xFFFFL; double c = 10.50;",
        ),
        ("int a_1_0 = x_1_2;", "int a_1_0 = x_1_2;"),
        ('"1_000" + @"a ""1_0"" 2_0" + $"{x}1_0"', '"1_000" + @"a ""1_0"" 2_0" + $"{x}1_0"'),
        ("char c = '_'; // 1_0\nint d = 1_0;", "char c = '_'; // 1_0\nint d = 10;"),
        ("/* 1_0\n 2_0 */ 3_0", "/* 1_0\n 2_0 */ 30"),
        ('"\\"1_0" 2_0', '"\\"1_0" 20'),
        ("/* never closed 1_0", "/* never closed 1_0"),
    ],
)
async def test_digit_separators_are_taken_out(source: str, seen: str) -> None:
    assert without_digit_separators(source) == seen


@pytest.mark.parametrize("piece", ["/*", '@"', '"\\', "1_", "'", "/"])
async def test_hostile_texts_take_linear_time(piece: str) -> None:
    began = time.process_time()
    without_digit_separators("_" + piece * 300_000)
    assert time.process_time() - began < 5
