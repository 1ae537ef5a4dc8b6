"""Java programs from end to end."""

from __future__ import annotations

import asyncio

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
import java.io.*;
import java.util.*;

public class Main {
    public static void main(String[] args) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new BufferedInputStream(System.in));
        in.nextToken();
        int n = (int) in.nval;
        long sum = 0;
        for (int i = 0; i < n; i++) { in.nextToken(); sum += (long) in.nval; }
        System.out.println(sum);
    }
}
"""
SCANNER = """
import java.util.*;
public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        Map<String, Integer> seen = new TreeMap<>();
        while (n-- > 0) seen.merge(in.next(), 1, Integer::sum);
        seen.forEach((word, count) -> System.out.printf("%s=%d%n", word, count));
    }
}
"""
RECURSION = """
class Deep {
    static int deep(int n) { return n == 0 ? 0 : 1 + deep(n - 1); }
    public static void main(String[] args) throws Exception {
        System.out.println(deep(300_000));
        Thread big = new Thread(null, () -> System.out.println(deep(1_000_000)), "big", 1 << 28);
        big.start();
        big.join();
    }
}
"""
OVERFLOW = """
class Main {
    static int deep(int n) { return 1 + deep(n + 1); }
    public static void main(String[] args) {
        try { deep(0); } catch (StackOverflowError e) { System.out.println("overflow"); }
    }
}
"""
THREADS = """
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
public class Main {
    static int total = 0;
    static synchronized void add(int x) { total += x; }
    public static void main(String[] args) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 1; i <= 8; i++) { int x = i; Thread t = new Thread(() -> add(x)); t.start(); threads.add(t); }
        for (Thread t : threads) t.join();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        int more = pool.submit(() -> 6).get();
        pool.shutdown();
        int all = IntStream.range(0, 1000).parallel().map(i -> i % 2).sum();
        System.out.println(total + more + " " + all + " " + CompletableFuture.supplyAsync(() -> 1).get());
    }
}
"""
PACKAGES = """
package org.example.contest;

import java.util.function.*;

interface Shape { double area(); }
record Square(double side) implements Shape { public double area() { return side * side; } }
enum Kind { SMALL { int size() { return 1; } }, LARGE { int size() { return 9; } }; abstract int size(); }
sealed interface Tree permits Leaf, Fork {}
final class Leaf implements Tree {}
record Fork(Tree left, Tree right) implements Tree {}
class Helper<T extends Comparable<T>> {
    T best(T a, T b) { return a.compareTo(b) > 0 ? a : b; }
    static class Inner { String name = getClass().getName(); }
}
public class Solution {
    static int size(Tree t) { return t instanceof Fork f ? size(f.left()) + size(f.right()) : 1; }
    public static void main(String[] args) {
        Shape s = new Square(3);
        Supplier<String> text = () -> \"\"\"
            block\"\"\";
        var kind = switch (args.length) { case 0 -> Kind.LARGE; default -> Kind.SMALL; };
        System.out.println(s.area() + " " + kind.size() + " " + new Helper<String>().best("a", "b") + " "
            + new Helper.Inner().name + " " + text.get() + " " + size(new Fork(new Leaf(), new Leaf())));
    }
}
"""


@pytest.fixture
def java(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "java")


async def test_sum_and_large_input(java: Programs) -> None:
    result = await java.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert not result.compile_failed, result.diagnostics
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("openjdk ")


async def test_scanner(java: Programs) -> None:
    assert await java.output(SCANNER, b"3\nb a b\n") == "a=1\nb=2\n"


async def test_unicode(java: Programs) -> None:
    source = """
    import java.util.*;
    class Main { public static void main(String[] a) {
        String größe = new Scanner(System.in).nextLine(); System.out.println(größe + "é" + größe.codePointCount(0, größe.length()));
    } }
    """
    expected = f"{UNICODE}é{len(UNICODE)}\n"
    assert await java.output(source, f"{UNICODE}\n".encode()) == expected


async def test_deep_recursion(java: Programs) -> None:
    assert await java.output(RECURSION) == "300000\n1000000\n"


async def test_stack_overflow_can_be_caught(java: Programs) -> None:
    assert await java.output(OVERFLOW) == "overflow\n"


async def test_threads(java: Programs) -> None:
    assert await java.output(THREADS) == "42 500 1\n"


async def test_large_output(java: Programs) -> None:
    source = """
    import java.io.*;
    class Main { public static void main(String[] a) {
        PrintWriter out = new PrintWriter(new BufferedOutputStream(System.out));
        for (int i = 0; i < 1000000; i++) out.println(1000000 + i);
        out.flush();
    } }
    """
    assert len(await java.output(source)) == 8_000_000


async def test_exit_code(java: Programs) -> None:
    source = "class A { public static void main(String[] a) { System.exit(7); } }"
    assert exited(await java.one(source), 7)


async def test_uncaught_exception(java: Programs) -> None:
    source = 'class A { public static void main(String[] a) { System.out.println("x"); int[] b = new int[1]; b[a.length + 1] = 1; } }'
    outcome = await java.one(source)
    assert exited(outcome, 1)
    assert outcome.stdout == b"x\n"
    assert b"ArrayIndexOutOfBoundsException" in outcome.stderr
    assert b"Main.java:1" in outcome.stderr


async def test_too_much_memory(java: Programs) -> None:
    source = "import java.util.*; class A { public static void main(String[] a) { List<long[]> l = new ArrayList<>(); while (true) l.add(new long[100000]); } }"
    outcome = await java.one(source, limits=pb.Limits(memory_bytes=128 << 20))
    stopped = outcome.ending == Outcome.MEMORY_LIMIT
    assert stopped or (exited(outcome, 1) and b"OutOfMemoryError" in outcome.stderr), outcome


async def test_garbage_is_collected_within_the_limit(java: Programs) -> None:
    source = """
    import java.util.*;
    class A { public static void main(String[] a) {
        long[][] kept = new long[60000][];
        Random random = new Random(1);
        for (int i = 0; i < 600000; i++) kept[random.nextInt(kept.length)] = new long[100];
        System.out.println("done");
    } }
    """
    small = pb.Limits(memory_bytes=128 << 20)
    assert await java.output(source, limits=small) == "done\n"


async def test_package_records_enums_and_several_classes(java: Programs) -> None:
    expected = "9.0 9 b org.example.contest.Helper$Inner block 2\n"
    assert await java.output(PACKAGES) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("public class Foo { public static void main(String[] a) { System.out.print(1); } }", "1"),
        (
            "class Helper { public static void main(String[] a) { System.out.print(0); } }"
            " public class Other { public static void main(String... a) { System.out.print(1); } }",
            "1",
        ),
        (
            "class First { public static void main(String[] a) { System.out.print(0); } }"
            " class Main { public static void main(String[] a) { System.out.print(1); } }",
            "1",
        ),
        (
            "class Helper {} class Runner { public static void main(String args[]) { System.out.print(1); } }",
            "1",
        ),
        (
            "class Base { public static void main(String[] a) { System.out.print(1); } }"
            " public class Main extends Base {}",
            "1",
        ),
        (
            "public class A {} class B {} public class C { public static void main(String[] a) { System.out.print(1); } }",
            "1",
        ),
        ("interface I { static void main(String[] a) { System.out.print(1); } }", "1"),
        ("enum E { A; public static void main(String[] a) { System.out.print(1); } }", "1"),
        (
            "class Outer { static class In { public static void main(String[] a) { System.out.print(1); } } }",
            "1",
        ),
    ],
)
async def test_the_class_to_start(java: Programs, source: str, expected: str) -> None:
    assert await java.output(source) == expected


async def test_compile_errors_name_the_file_and_the_line(java: Programs) -> None:
    diagnostics = await java.refused("public class Foo {\n  int x = missing;\n  String s = 1;\n}")
    assert "Main.java:2: error: cannot find symbol" in diagnostics
    assert "Main.java:3: error: incompatible types" in diagnostics


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class A { void f() {} }", "no method public static void main"),
        ("class A { public static void main(String[] a) { ", "reached end of file"),
        ("// nothing", "no method public static void main"),
        ("class A { public void main(String[] a) {} }", "no method public static void main"),
        ("int x = 1;", "error"),
        ("module m {}", "error"),
    ],
)
async def test_other_programs_that_do_not_compile(
    java: Programs, source: str, message: str
) -> None:
    assert message in await java.refused(source)


async def test_the_compiler_goes_on_after_a_program_too_deep_for_it(java: Programs) -> None:
    deep = "class A { boolean x = " + "!" * 400_000 + "true; }"
    assert "nested too deeply" in await java.refused(deep)
    good = 'class A { public static void main(String[] a) { System.out.print("on"); } }'
    assert await java.output(good) == "on"


async def test_no_program_sees_another_one(java: Programs) -> None:
    first = "public class Shared { public static int x = 1; public static void main(String[] a) { System.out.print(x); } }"
    assert await java.output(first) == "1"
    second = (
        "public class User { public static void main(String[] a) { System.out.print(Shared.x); } }"
    )
    assert "cannot find symbol" in await java.refused(second)
    again = "package p; public class Shared { public static void main(String[] a) { System.out.print(2); } }"
    assert await java.output(again) == "2"


async def test_nothing_of_the_compile_server_is_on_the_class_path(java: Programs) -> None:
    source = "class A { CompileServer s; public static void main(String[] a) {} }"
    assert "cannot find symbol" in await java.refused(source)


async def test_annotation_processors_do_not_run(java: Programs) -> None:
    source = """
    import java.util.*;
    import javax.annotation.processing.*;
    import javax.lang.model.element.*;
    @SupportedAnnotationTypes("*")
    public class Evil extends AbstractProcessor {
        static { System.out.println("loaded"); }
        public boolean process(Set<? extends TypeElement> s, RoundEnvironment r) { throw new Error("ran"); }
        @Deprecated public static void main(String[] a) { System.out.println("run"); }
    }
    """
    assert await java.output(source) == "loaded\nrun\n"


async def test_programs_at_once_get_their_own_answers(java: Programs) -> None:
    source = "class A{n} {{ public static void main(String[] a) {{ System.out.print({n}); }} }}"
    outputs = await asyncio.gather(*(java.output(source.format(n=n)) for n in range(6)))
    assert outputs == [str(n) for n in range(6)]


async def test_contest_property(java: Programs) -> None:
    source = 'class A { public static void main(String[] a) { System.out.print(System.getProperty("ONLINE_JUDGE")); } }'
    assert await java.output(source) == "true"
