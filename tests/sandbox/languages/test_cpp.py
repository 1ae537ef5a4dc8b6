"""C++20, C++17 and C programs from end to end."""

from __future__ import annotations

import signal
import time

import pytest

from sandbox.client import EmbeddedSandbox
from sandbox.languages.cpp import with_its_header_first
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
#include <bits/stdc++.h>
using namespace std;
int main() {
    ios::sync_with_stdio(false);
    cin.tie(nullptr);
    int n;
    cin >> n;
    long long sum = 0;
    for (long long x; n-- && cin >> x;) sum += x;
    cout << sum << '\\n';
}
"""
ECHO = """
#include <iostream>
#include <string>
int main() { std::string line; while (std::getline(std::cin, line)) std::cout << line << "é\\n"; }
"""
RECURSION = """
#include <bits/stdc++.h>
int deep(int n, volatile char *up) {
    volatile char frame[64];
    frame[0] = n;
    int below = n ? deep(n - 1, frame) + 1 : 0;
    return below + up[0] * 0;  // after the call: no loop can replace it
}
int main() { char top = 0; std::cout << deep(1000000, &top); }
"""
THREADS = """
#include <bits/stdc++.h>
using namespace std;
int main() {
    atomic<int> sum{0};
    vector<thread> threads;
    for (int i = 1; i <= 8; i++) threads.emplace_back([&sum, i] { sum += i; });
    for (auto &t : threads) t.join();
    auto later = async(launch::async, [] { return 6; });
    mutex m; condition_variable c; bool ready = false;
    thread other([&] { lock_guard<mutex> l(m); ready = true; c.notify_one(); });
    { unique_lock<mutex> l(m); c.wait(l, [&] { return ready; }); }
    other.join();
    cout << sum + later.get();
}
"""
OUTPUT = """
#include <bits/stdc++.h>
int main() { for (int i = 0; i < 1000000; i++) std::cout << 1000000 + i << '\\n'; }
"""
EXCEPTION = """
#include <stdexcept>
#include <iostream>
int main() {
    try { throw std::runtime_error("caught"); } catch (const std::exception &e) { std::cout << e.what() << std::endl; }
    throw std::runtime_error("not caught");
}
"""
PRAGMAS = """
#pragma GCC optimize("O3,unroll-loops")
#pragma GCC target("avx2,popcnt")
#include <bits/stdc++.h>
int main() { std::cout << __builtin_popcountll(255) << std::vector<int>{1, 2}.size(); }
"""
# A macro that changes the header: a precompiled one must not be used.
DEBUG = """
#define _GLIBCXX_DEBUG
#include <bits/stdc++.h>
int main(int n, char **) { std::vector<int> v(3); return v[n + 4]; }
"""
POLICY_TREE = """
#include <bits/stdc++.h>
#include <ext/pb_ds/assoc_container.hpp>
using namespace std;
using namespace __gnu_pbds;
int main() {
    tree<int, null_type, less<int>, rb_tree_tag, tree_order_statistics_node_update> t;
    for (int x : {5, 1, 3}) t.insert(x);
    cout << t.order_of_key(4) << *t.find_by_order(2);
}
"""
RANGES = """
#include <bits/stdc++.h>
template <typename T> concept Number = std::is_arithmetic_v<T>;
Number auto twice(Number auto x) { return x * 2; }
struct P { int x, y; auto operator<=>(const P &) const = default; };
int main() {
    for (int x : std::views::iota(1, 6) | std::views::filter([](int i) { return i % 2; })) std::cout << twice(x) << ' ';
    std::cout << (P{1, 2} < P{1, 3});
}
"""
BINDINGS = """
#include <bits/stdc++.h>
int main() {
    std::map<std::string, int> m{{"a", 1}};
    for (auto &[k, v] : m) std::cout << k << v;
    if (std::optional<int> o = 5; o) std::cout << *o << ' ' << __cplusplus;
}
"""


@pytest.fixture(params=["cpp", "cpp17"])
def cpp(sandbox: EmbeddedSandbox, request: pytest.FixtureRequest) -> Programs:
    return Programs(sandbox, request.param)


@pytest.fixture
def cpp20(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "cpp")


@pytest.fixture
def c(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "c")


async def test_sum_and_large_input(cpp: Programs) -> None:
    result = await cpp.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert not result.compile_failed, result.diagnostics
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("g++ ")


async def test_compiled_programs_are_cached(cpp20: Programs) -> None:
    source = SUM + "// cached\n"
    first = await cpp20.result(source, b"1\n5\n")
    second = await cpp20.result(source, b"1\n6\n")
    assert not first.compile_cached
    assert first.compile_cpu_us > 0
    assert second.compile_cached
    assert second.outcomes[0].stdout == b"6\n"


async def test_unicode(cpp20: Programs) -> None:
    assert await cpp20.output(ECHO, f"{UNICODE}\n".encode()) == f"{UNICODE}é\n"


async def test_deep_recursion(cpp20: Programs) -> None:
    assert await cpp20.output(RECURSION) == "1000000"


async def test_endless_recursion(cpp20: Programs) -> None:
    source = RECURSION.replace("n ? deep(n - 1", "up ? deep(n")
    outcome = await cpp20.one(source)
    assert outcome.ending == Outcome.SIGNALLED
    assert outcome.signal == signal.SIGSEGV


async def test_threads(cpp20: Programs) -> None:
    assert await cpp20.output(THREADS) == "42"


async def test_large_output(cpp20: Programs) -> None:
    assert len(await cpp20.output(OUTPUT)) == 8_000_000


async def test_exit_code(cpp20: Programs) -> None:
    assert exited(await cpp20.one("int main() { return 7; }"), 7)


async def test_uncaught_exception(cpp20: Programs) -> None:
    outcome = await cpp20.one(EXCEPTION)
    assert outcome.ending == Outcome.SIGNALLED
    assert outcome.signal == signal.SIGABRT
    assert outcome.stdout == b"caught\n"
    assert b"not caught" in outcome.stderr


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("volatile int *p = nullptr; *p = 1;", signal.SIGSEGV),
        ("volatile int n = 7, z = 0; std::cout << n / z;", signal.SIGFPE),
        ("std::abort();", signal.SIGABRT),
        ("__builtin_trap();", signal.SIGILL),
    ],
)
async def test_signals(cpp20: Programs, body: str, number: signal.Signals) -> None:
    outcome = await cpp20.one("#include <bits/stdc++.h>\nint main() { " + body + " }")
    assert outcome.ending == Outcome.SIGNALLED
    assert outcome.signal == number


async def test_compile_error_names_the_file_and_the_line(cpp: Programs) -> None:
    diagnostics = await cpp.refused("#include <bits/stdc++.h>\nint main() { return missing; }")
    assert diagnostics.startswith("main.cpp: In function")
    assert "main.cpp:2:21: error:" in diagnostics
    assert "missing" in diagnostics
    assert "\x1b" not in diagnostics


async def test_link_error(cpp20: Programs) -> None:
    assert "undefined reference" in await cpp20.refused("int f(); int main() { return f(); }")


async def test_warnings_do_not_fail(cpp20: Programs) -> None:
    result = await cpp20.result('#include <cstdio>\n#warning look here\nint main() { puts("x"); }')
    assert result.outcomes[0].stdout == b"x\n"


async def test_pragmas_before_the_header(cpp20: Programs) -> None:
    assert await cpp20.output(PRAGMAS) == "82"


async def test_macros_before_the_header(cpp20: Programs) -> None:
    outcome = await cpp20.one(DEBUG)
    assert outcome.ending == Outcome.SIGNALLED
    assert b"out-of-bounds" in outcome.stderr


async def test_policy_based_tree(cpp: Programs) -> None:
    assert await cpp.output(POLICY_TREE) == "25"


async def test_concepts_and_ranges_are_of_20(sandbox: EmbeddedSandbox) -> None:
    assert await Programs(sandbox, "cpp").output(RANGES) == "2 6 10 1"
    assert "error" in await Programs(sandbox, "cpp17").refused(RANGES)


async def test_each_standard(sandbox: EmbeddedSandbox) -> None:
    assert await Programs(sandbox, "cpp17").output(BINDINGS) == "a15 201703"
    assert await Programs(sandbox, "cpp").output(BINDINGS) == "a15 202002"


async def test_contest_macro(cpp: Programs) -> None:
    source = """
    #include <cstdio>
    int main() {
    #ifndef ONLINE_JUDGE
        freopen("input.txt", "r", stdin);
    #endif
        int x; puts(scanf("%d", &x) == 1 ? "read" : "nothing");
    }
    """
    assert await cpp.output(source, b"4\n") == "read\n"


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/shadow", "/proc/1/environ"])
async def test_nothing_of_the_host_is_included(cpp20: Programs, path: str) -> None:
    diagnostics = await cpp20.refused(f'#include "{path}"\nint main() {{}}')
    assert "root:" not in diagnostics
    assert "PATH=" not in diagnostics


async def test_c(c: Programs) -> None:
    source = """
    #include <stdio.h>
    #include <math.h>
    int main(void) {
        int n; long long s = 0, x;
        if (scanf("%d", &n) != 1) return 3;
        while (n-- && scanf("%lld", &x) == 1) s += x;
        printf("%lld %.3f\\n", s, sqrt((double) s));
        return 0;
    }
    """
    result = await c.result(source, b"2\n7 9\n", b"", NUMBERS)
    assert [(o.exit_code, o.stdout) for o in result.outcomes] == [
        (0, b"16 4.000\n"),
        (3, b""),
        (0, b"%d %.3f\n" % (TOTAL, TOTAL**0.5)),
    ]


async def test_c_compile_error(c: Programs) -> None:
    assert "main.c:1:26: error:" in await c.refused("int main(void) { return  missing; }")


@pytest.mark.parametrize(
    ("before", "moved"),
    [
        ("#include <assert.h>\n", True),
        ("// a comment\n\n#include <cstdio>\n  /* more\n */ # include <a/b.h>\n", True),
        ("", False),
        ("// only a comment\n", False),
        ("#define NDEBUG\n#include <cassert>\n", False),
        ("#include <cstdio> // why\n", False),
        ('#include "own.h"\n', False),
        ("#pragma GCC optimize(3)\n#include <cstdio>\n", False),
        ("#ifdef X\n#include <cstdio>\n", False),
    ],
)
async def test_its_header_comes_first_where_that_changes_nothing(before: str, moved: bool) -> None:
    source = f"{before}#include <bits/stdc++.h>\nint main() {{}}\n"
    seen = with_its_header_first(source)
    assert (seen != source) is moved
    if moved:
        assert seen.startswith('#include <bits/stdc++.h>\n#line 1 "main.cpp"\n')
        after = seen.split("\n", 2)[2]
        assert after.count("\n") == source.count("\n")
        assert before in after


@pytest.mark.parametrize("piece", ["/*", "//\n", "#include <a>\n", " ", "#include <", "/"])
async def test_hostile_beginnings_take_linear_time(piece: str) -> None:
    began = time.process_time()
    with_its_header_first(piece * 200_000)
    assert time.process_time() - began < 5


async def test_lines_of_errors_stay(sandbox: EmbeddedSandbox) -> None:
    source = "#include <assert.h>\n#include <bits/stdc++.h>\nint main() { undefined(); }\n"
    result = await sandbox.run(
        pb.RunRequest(language="cpp", source=source, inputs=pb.Inputs(stdin=[b""]))
    )
    assert result.compile_failed
    assert "main.cpp:3:" in result.diagnostics
