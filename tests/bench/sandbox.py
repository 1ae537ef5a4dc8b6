"""What a run in the sandbox costs beside the bare floor, on one core, in one run.

Everything is pinned to one core; as root it is scheduled first in, first out, so that other work
on the machine does not disturb it. Floors: a bare start of the same interpreter, of `import
numpy`, of a native program, and the bare compilers. Medians of ROUNDS rounds; latencies are of
single runs.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb

ROUNDS = 5
ADD = "a, b = map(int, input().split())\nprint(a + b)\n"
WITH_NUMPY = "import numpy as np\nprint(np.array(input().split(), dtype=int).sum())\n"
FUNCTION = "def add(a, b):\n    return a + b\n"
CPP = """#include <bits/stdc++.h>
using namespace std;
int main() {
    map<string, int> seen; vector<long long> v; int a, b; cin >> a >> b;
    v.push_back(a); v.push_back(b); sort(v.begin(), v.end());
    cout << accumulate(v.begin(), v.end(), 0LL) << endl;
}
"""
JAVA = """import java.util.*;
public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        Map<String, Integer> seen = new HashMap<>();
        seen.put("sum", in.nextInt() + in.nextInt());
        System.out.println(seen.get("sum"));
    }
}
"""
TYPESCRIPT = """interface Pair { a: number; b: number }
const [a, b]: number[] = require("fs").readFileSync(0, "utf8").trim().split(" ").map(Number);
const pair: Pair = { a, b };
console.log(pair.a + pair.b);
"""
TESTS = 20
_salt = itertools.count()


@contextmanager
def one_core() -> Iterator[str]:
    """Pins this process and its children to the last core; yields how they are scheduled."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    how = "shared with other work"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        how = "first in, first out"
    except PermissionError:
        pass
    try:
        yield how
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, cores)


def bare_ms(argv: list[str], count: int = 20, stdin: bytes = b"1 2\n") -> float:
    """Median milliseconds of a process from start to end, by posix_spawn and wait."""
    times = []
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        for _ in range(count):
            given.seek(0)
            began = time.perf_counter()
            actions = [
                (os.POSIX_SPAWN_DUP2, given.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            ]
            pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
            os.waitpid(pid, 0)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def bare_cpu_ms(argv: list[str], count: int = 3) -> float:
    """Median CPU milliseconds of a process and its children."""
    times = []
    for _ in range(count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return statistics.median(times)


class Bench:
    def __init__(self, sandbox: EmbeddedSandbox) -> None:
        self.sandbox = sandbox
        self.figures: dict[str, float] = {}

    async def run(self, language: str, source: str, runs: int = 1) -> pb.RunResult:
        work = pb.Inputs(stdin=[b"1 2\n"] * runs)
        result = await self.sandbox.run(
            pb.RunRequest(language=language, source=source, inputs=work)
        )
        outputs = {o.stdout for o in result.outcomes}
        if result.status != pb.RunResult.OK or outputs != {b"3\n"}:
            raise RuntimeError(f"{language}: {result}")
        return result

    async def rate(self, name: str, language: str, source: str, runs: int, count: int) -> None:
        """Runs per second, median of the rounds, and the latency of single submissions."""
        for _ in range(3):
            await self.run(language, source, runs)
        rates, latencies = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(count):
                started = time.perf_counter()
                await self.run(language, source, runs)
                latencies.append((time.perf_counter() - started) * 1000)
            rates.append(runs * count / (time.perf_counter() - began))
        self.figures[f"{name}_per_s"] = statistics.median(rates)
        if runs == 1:
            self.figures[f"{name}_p50_ms"] = statistics.median(latencies)
            self.figures[f"{name}_p99_ms"] = statistics.quantiles(latencies, n=100)[98]

    async def call_rate(self, count: int) -> None:
        rates = []
        arguments = [pb.Arguments(args_json=[str(n), "1"]) for n in range(TESTS)]
        request = pb.RunRequest(
            language="python",
            source=FUNCTION,
            calls=pb.Calls(entry_point="add", arguments=arguments),
        )
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(count):
                result = await self.sandbox.run(request)
                if [o.value_json for o in result.outcomes] != [str(n + 1) for n in range(TESTS)]:
                    raise RuntimeError(str(result))
            rates.append(TESTS * count / (time.perf_counter() - began))
        self.figures["call_tests_per_s"] = statistics.median(rates)

    async def compile_ms(self, language: str, source: str, comment: str, count: int) -> None:
        """CPU milliseconds of compiling programs never seen before, and of the whole request
        when it is seen again less the run."""
        times, again = [], []
        for _ in range(count + 2):
            fresh = source + f"{comment} {next(_salt)} {os.getpid()}\n"
            times.append((await self.run(language, fresh)).compile_cpu_us / 1000)
            began = time.perf_counter()
            result = await self.run(language, fresh)
            ran = result.outcomes[0].wall_us / 1000
            again.append((time.perf_counter() - began) * 1000 - ran)
            if not result.compile_cached:
                raise RuntimeError(f"{language}: not cached")
        self.figures[f"{language}_compile_cpu_ms"] = statistics.median(times[2:])
        self.figures[f"{language}_cached_ms"] = statistics.median(again[2:])

    async def run_cpu_ms(self, language: str, source: str, count: int = 10) -> None:
        times = [(await self.run(language, source)).outcomes[0].cpu_us / 1000 for _ in range(count)]
        self.figures[f"{language}_run_cpu_ms"] = statistics.median(times)


async def measure(figures: dict[str, float]) -> None:
    sandbox = await EmbeddedSandbox.start(slots=1)
    try:
        described = await sandbox.describe()
        have = {one.name for one in described.languages if not one.missing}
        bench = Bench(sandbox)
        bench.figures = figures
        await bench.rate("python", "python", ADD, 1, 100)
        await bench.rate("python_20_tests", "python", ADD, TESTS, 10)
        try:
            await bench.rate("numpy", "python", WITH_NUMPY, 1, 40)
        except RuntimeError as error:
            if "No module named 'numpy'" not in str(error):
                raise
        await bench.call_rate(40)
        if "cpp" in have:
            await bench.rate("native", "cpp", CPP, 1, 100)
            await bench.rate("native_20_tests", "cpp", CPP, TESTS, 10)
            await bench.compile_ms("cpp", CPP, "//", 6)
        if "java" in have:
            await bench.compile_ms("java", JAVA, "//", 30)
            await bench.run_cpu_ms("java", JAVA)
        if "typescript" in have:
            await bench.compile_ms("typescript", TYPESCRIPT, "//", 30)
    finally:
        await sandbox.close()


def floors(figures: dict[str, float], folder: Path) -> None:
    python = os.path.realpath(sys.executable)
    figures["bare_python_ms"] = bare_ms([python, "-I", "-S", "-c", ADD])
    with_path = f"import sys; sys.path[:] = {sys.path!r}\n{WITH_NUMPY}"
    figures["bare_numpy_ms"] = bare_ms([python, "-I", "-S", "-c", with_path], 8)
    if compiler := shutil.which("g++"):
        (folder / "a.cpp").write_text(CPP)
        program = str(folder / "a")
        compile_ = [compiler, "-std=gnu++20", "-O2", str(folder / "a.cpp"), "-o", program]
        figures["bare_cpp_compile_cpu_ms"] = bare_cpu_ms(compile_)
        figures["bare_native_ms"] = bare_ms([program], 100)
    if javac := shutil.which("javac"):
        (folder / "Main.java").write_text(JAVA)
        figures["bare_java_compile_cpu_ms"] = bare_cpu_ms([javac, str(folder / "Main.java")])
    if tsc := shutil.which("tsc"):
        (folder / "a.ts").write_text("const a: number = 1;\nconsole.log(a);\n")
        figures["bare_typescript_compile_cpu_ms"] = bare_cpu_ms([tsc, str(folder / "a.ts")])


# Figure, unit, floor it stands beside, and whether the floor is a time per run.
ROWS: tuple[tuple[str, str, str, Callable[[float], float]], ...] = (
    ("python_per_s", "runs/s", "bare_python_ms", lambda ms: 1000 / ms),
    ("python_20_tests_per_s", "runs/s", "bare_python_ms", lambda ms: 1000 / ms),
    ("python_p50_ms", "ms", "bare_python_ms", float),
    ("python_p99_ms", "ms", "bare_python_ms", float),
    ("numpy_per_s", "runs/s", "bare_numpy_ms", lambda ms: 1000 / ms),
    ("call_tests_per_s", "tests/s", "bare_python_ms", lambda ms: 1000 / ms),
    ("native_per_s", "runs/s", "bare_native_ms", lambda ms: 1000 / ms),
    ("native_20_tests_per_s", "runs/s", "bare_native_ms", lambda ms: 1000 / ms),
    ("cpp_compile_cpu_ms", "ms CPU", "bare_cpp_compile_cpu_ms", float),
    ("cpp_cached_ms", "ms", "bare_cpp_compile_cpu_ms", float),
    ("java_compile_cpu_ms", "ms CPU", "bare_java_compile_cpu_ms", float),
    ("java_run_cpu_ms", "ms CPU", "bare_java_compile_cpu_ms", float),
    ("typescript_compile_cpu_ms", "ms CPU", "bare_typescript_compile_cpu_ms", float),
)


def main(console: Console) -> dict[str, float]:
    figures: dict[str, float] = {}
    with one_core() as how, tempfile.TemporaryDirectory() as folder:
        floors(figures, Path(folder))
        asyncio.run(measure(figures))
    title = f"sandbox, one core, {how}; medians of {ROUNDS} rounds"
    table = Table("", "measured", "", "bare floor", "floor", title=title, title_justify="left")
    for name, unit, floor, shown in ROWS:
        if name in figures and floor in figures:
            label = name.rsplit("_per_s")[0].replace("_", " ")
            beside = floor.removeprefix("bare_").rsplit("_ms")[0].replace("_", " ")
            table.add_row(
                label, f"{figures[name]:,.1f}", unit, f"{shown(figures[floor]):,.1f}", beside
            )
    console.print(table)
    return {name: round(value, 3) for name, value in figures.items()}
