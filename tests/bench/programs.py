"""Verdicts on Python programs through gRPC beside LiveCodeBench's official harness, in one run.

The same submissions for both: SUBMISSIONS programs of eight small problems, no two of them equal
(equal ones would be run once), TESTS tests each, all of them right. The official harness runs all
tests of a program in one process without isolation; here each standard-input test has a process of
its own and everything runs at the strongest isolation tier. Both have all cores of the machine.

The harness is taken from a checkout or a git directory that LIVECODEBENCH names, else cloned from
GitHub; where neither can be had its column says so.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

SUBMISSIONS, TESTS, RUNS = 512, 20, 3
REPOSITORY = "https://github.com/LiveCodeBench/LiveCodeBench"
COMMIT = "28fef95ea8c9f7a547c8329f2cd3d32b92c1fa24"

OFFICIAL = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
from lcb_runner.evaluation.compute_code_generation_metrics import evaluate_generations
samples, programs = json.load(open(sys.argv[2]))
began = time.perf_counter()
results, _ = evaluate_generations(
    [{"input_output": json.dumps(sample)} for sample in samples],
    [[program] for program in programs],
    num_process_evaluate=os.cpu_count(),
)
seconds = time.perf_counter() - began
right = sum(all(one is True for one in results[n][0]) for n in range(len(programs)))
print(json.dumps({"seconds": seconds, "right": right}))
"""

PROBLEMS: tuple[tuple[str, str], ...] = (
    ("n, k = a[0], a[1] % 7 + 1", "sum(i * k for i in range(n % 50))"),
    ("n, k = a[0], a[1]", "len([x for x in a if x % 2 == 0]) * n + k"),
    ("b = sorted(a)", "' '.join(map(str, b[:5]))"),
    ("n, k = a[0] % 20, a[1] % 10", "pow(n + 2, k, 1000007)"),
    ("s = str(a[0] * a[1])", "s[::-1].lstrip('0') or '0'"),
    ("best = max(x - y for x in a for y in a)", "best"),
    ("d = dict((x % 5, x) for x in a)", "sum(d.values())"),
    ("p = [x for x in a if x % 3]", "p[a[0] % len(p)] if p else 0"),
)
"""A line of work on the list `a`, and what is printed or returned."""


def submissions(as_calls: bool, turn: int) -> tuple[list[dict[str, object]], list[str]]:
    """Each submission's tests in the harness's own form, and its program; another `turn` gives
    other texts of the same programs."""
    samples, programs = [], []
    for number in range(SUBMISSIONS):
        work, result = PROBLEMS[number % len(PROBLEMS)]
        label = f"# submission {number} of turn {turn}\n"
        lists = [[(7 * n + number) % 97 + i for i in range(8)] for n in range(TESTS)]
        expected = [answer(work, result, values) for values in lists]
        if as_calls:
            program = f"{label}class Solution:\n    def solve(self, a):\n        {work}\n"
            program += f"        return {result}\n"
            sample = {
                "inputs": [json.dumps(values) for values in lists],
                "outputs": [json.dumps(value) for value in expected],
                "fn_name": "solve",
            }
        else:
            program = f"{label}a = list(map(int, input().split()))\n{work}\nprint({result})\n"
            sample = {
                "inputs": [" ".join(map(str, values)) + "\n" for values in lists],
                "outputs": [f"{value}\n" for value in expected],
            }
        samples.append(sample)
        programs.append(program)
    return samples, programs


def answer(work: str, result: str, values: list[int]) -> object:
    """What the program of a problem gives; its two lines are ours, above."""
    names: dict[str, object] = {"a": list(values)}
    exec(f"{work}\nvalue = {result}", names)  # noqa: S102
    return names["value"]


def items(samples: list[dict[str, object]], programs: list[str]) -> list[pb.Item]:
    """The same as items of the service."""
    made = []
    for number, (sample, program) in enumerate(zip(samples, programs, strict=True)):
        task = pb.CodeTask(language="python", entry_point=str(sample.get("fn_name", "")))
        for given, wanted in zip(sample["inputs"], sample["outputs"], strict=True):  # type: ignore[call-overload]
            if task.entry_point:
                task.tests.add(args_json=[given], expected_json=wanted)
            else:
                task.tests.add(stdin=given, stdout=wanted)
        response = f"```python\n{program}```\n"
        made.append(pb.Item(id=str(number), response=response, code=task))
    return made


def ours(client: VerifierClient, as_calls: bool, turn: int) -> float:
    """Seconds for all submissions; fails when one is not accepted."""
    batch = items(*submissions(as_calls, turn))
    began = time.perf_counter()
    verdicts = client.verify(batch)
    seconds = time.perf_counter() - began
    wrong = [
        verdict for verdict in verdicts if verdict.reward != 1.0 or verdict.provenance.cache_hit
    ]
    if wrong:
        raise RuntimeError(f"{len(wrong)} submissions not accepted, the first: {wrong[0]}")
    return seconds


def official(checkout: Path, as_calls: bool, turn: int) -> float:
    """Seconds that the harness took within its own process, its imports aside."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(submissions(as_calls, turn), file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-c", OFFICIAL, str(checkout), file.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a progress bar
            check=True,
        )
    told = json.loads(done.stdout.splitlines()[-1])
    if told["right"] != SUBMISSIONS:
        raise RuntimeError(f"the official harness accepted {told['right']} of {SUBMISSIONS}")
    return float(told["seconds"])


def harness(into: Path) -> Path | None:
    """A checkout of the harness's evaluation, or None."""
    named = os.environ.get("LIVECODEBENCH")
    if named and (Path(named) / "lcb_runner").is_dir():
        return Path(named)
    source = named or REPOSITORY
    clone = into / "repository"
    fetched = subprocess.run(
        ["git", "clone", "--quiet", "--no-checkout", "--filter=blob:none", source, str(clone)],
        check=False,
        env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
        timeout=120,
    )
    if fetched.returncode != 0:
        return None
    subprocess.run(["git", "-C", str(clone), "checkout", "--quiet", COMMIT], check=True)
    return clone


def median(runs: int, run: Callable[[int], float]) -> float:
    """Of several runs after one to warm up, each on texts of its own."""
    run(0)
    return statistics.median(run(turn) for turn in range(1, runs + 1))


def main(console: Console) -> dict[str, float]:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        checkout = harness(Path(folder))
        table = Table("tests per second", "Touchstone", "official harness", "ratio")
        for name, as_calls in (("stdin", False), ("call", True)):
            with (
                EmbeddedServer("--log-level", "warning") as server,
                VerifierClient(server.address) as client,
            ):
                seconds = median(RUNS, lambda turn: ours(client, as_calls, turn))  # noqa: B023
            rate = SUBMISSIONS * TESTS / seconds
            figures[f"{name}_tests_per_s"] = rate
            row = [f"{name}, {SUBMISSIONS} submissions x {TESTS} tests", f"{rate:,.0f}"]
            if checkout is None:
                row += ["not at hand", ""]
            else:
                seconds = median(RUNS, lambda turn: official(checkout, as_calls, turn))  # noqa: B023
                peer = SUBMISSIONS * TESTS / seconds
                figures[f"{name}_official_per_s"] = peer
                figures[f"{name}_ratio"] = rate / peer
                row += [f"{peer:,.0f}", f"{rate / peer:.2f}"]
            table.add_row(*row)
    figures["cpu_seconds"] = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    console.print(table)
    return {name: round(value, 2) for name, value in figures.items()}
