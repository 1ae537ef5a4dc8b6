"""Mathematics beside Math-Verify in the same run: accuracy, speed, hostile answers.

Times of pure work are CPU time; latencies are wall clock. Both graders see the same
pairs, one after the other, in the main thread of one process.
"""

from __future__ import annotations

import gzip
import json
import logging
import multiprocessing
import os
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from verifier.math import MathPolicy, Outcome, check
from verifier.math.check import judge
from verifier.math.decide import kept_decision
from verifier.math.reading import forget

Row = dict[str, Any]
Grader = Callable[[str, str], bool]

RUNS = 7
PEER_SAMPLE = 200
"""Rows of the mix that the peer is timed on: it needs some four seconds for them."""

PEER_HOSTILE_S = 60.0
"""Wall seconds for one hostile answer, after which the peer counts as hung."""

DATA = Path(os.environ.get("TOUCHSTONE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def ours(gold: str, response: str) -> bool:
    return check([gold], response).outcome is Outcome.MATCH


def ours_in_free_text(gold: str, response: str) -> bool:
    policy = MathPolicy(free_text=True)
    return check([gold], response, policy).outcome is Outcome.MATCH


def peer(gold: str, response: str) -> bool:
    from tests.bench.peers import math_verify

    return math_verify(gold, response)


def rows(name: str) -> list[Row]:
    path = DATA / name
    opener = gzip.open if name.endswith(".gz") else open
    with opener(path, "rt") as lines:
        found = [json.loads(line) for line in lines]
    for row in found:
        row["text"] = row.get("response") or row["pred"]
    return found


def real_answers() -> list[Row]:
    """The rho-1 set with its errata: the answers as its own pipeline extracted them."""
    document = json.loads((DATA / "verdicts/rho1_label_errata.json").read_text())
    errata = {name: verdict for name, verdict, _why in document["rows"]}
    found = []
    for row in rows("verdicts/rho1_math_gsm8k.jsonl.gz"):
        right = errata.get(row["id"], row["expected"])
        if right is not None:
            found.append(row | {"expected": right, "text": rf"\boxed{{{row['pred']}}}"})
    return found


# ---------------------------------------------------------------- accuracy


def accuracy(name: str, cases: list[Row], grader: Grader, figures: Row) -> list[str]:
    """One grader's cells: agreement, right answers refused, wrong answers accepted."""
    refused = accepted = 0
    differing = []
    for case in cases:
        told = grader(case["gold"], case["text"])
        refused += case["expected"] and not told
        accepted += told and not case["expected"]
        if told != case["expected"]:
            differing.append(case["id"])
    right = sum(bool(case["expected"]) for case in cases)
    agreed = 1 - (refused + accepted) / len(cases)
    figures[name] = {
        "agreement": round(agreed, 4),
        "false_refusals": refused,
        "false_accepts": accepted,
        "false_accept_rate": round(accepted / max(1, len(cases) - right), 4),
        "disagreements": differing if len(differing) <= 50 else len(differing),
    }
    return [f"{agreed:.4f}", f"{refused} of {right}", f"{accepted} of {len(cases) - right}"]


def accuracies(console: Console) -> Row:
    peer_cases = rows("math/peer_cases.jsonl")
    sets = {
        "cases (policy rows aside)": [r for r in rows("math/cases.jsonl") if not r["policy"]],
        "peers' tests, core": [r for r in peer_cases if r["scope"] == "core"],
        "MATH-500 mix": rows("math/math500_mix.jsonl"),
        "rho-1 answers, errata applied": real_answers(),
    }
    table = Table("set", "n", "grader", "agreement", "right refused", "wrong accepted")
    figures: Row = {}
    for name, cases in sets.items():
        for label, grader in (("touchstone", ours), ("math-verify", peer)):
            cells = accuracy(f"{label}: {name}", cases, grader, figures)
            table.add_row(name, str(len(cases)), label, *cells)
    free = [r for r in peer_cases if r["scope"] == "free_extract"]
    for label, grader in (("touchstone", ours_in_free_text), ("math-verify", peer)):
        name = "peers' tests, free text"
        cells = accuracy(f"{label}: {name}", free, grader, figures)
        table.add_row(name, str(len(free)), label, *cells)
    console.print(table)
    return figures


# ---------------------------------------------------------------- speed


def cpu_rate(cases: list[Row], grader: Grader, runs: int, before: Callable[[], None]) -> float:
    """Verdicts for each CPU second: the median of some runs."""
    rates = []
    for _ in range(runs):
        before()
        started = time.process_time()
        for case in cases:
            grader(case["gold"], case["text"])
        rates.append(len(cases) / (time.process_time() - started))
    return statistics.median(rates)


def latencies(cases: Iterable[Row], grader: Grader) -> tuple[float, float, float]:
    """(p50, p99, longest) in milliseconds of wall time."""
    taken = []
    for case in cases:
        started = time.perf_counter()
        grader(case["gold"], case["text"])
        taken.append(1000 * (time.perf_counter() - started))
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49], cuts[98], max(taken)


def speeds(console: Console) -> Row:
    mix, hard = rows("math/math500_mix.jsonl"), rows("math/peer_cases.jsonl")
    hard += rows("math/cases.jsonl")
    nothing = lambda: None  # noqa: E731
    figures: Row = {
        "verdicts_per_cpu_s_first_time": cpu_rate(mix, ours, RUNS, forget_all),
        "verdicts_per_cpu_s_again": cpu_rate(mix, ours, RUNS, nothing),
    }
    peer("1", r"\boxed{1}")  # its imports are no part of its speed
    figures["peer_verdicts_per_cpu_s"] = cpu_rate(mix[:PEER_SAMPLE], peer, 1, nothing)
    table = Table("speed", "touchstone", "math-verify")
    table.add_row(
        "verdicts per CPU second on the mix, each pair seen for the first time",
        f"{figures['verdicts_per_cpu_s_first_time']:,.0f}",
        f"{figures['peer_verdicts_per_cpu_s']:,.0f}",
    )
    table.add_row("... seen again", f"{figures['verdicts_per_cpu_s_again']:,.0f}", "")
    for name, cases in (("mix", mix), ("hard", hard)):
        found = [latencies(cases, ours), latencies(cases[:PEER_SAMPLE], peer)]
        forget_all()
        found[0] = latencies(cases, ours)
        cells = [f"{p50:.3f} / {p99:.2f} / {most:.0f} ms" for p50, p99, most in found]
        table.add_row(f"p50 / p99 / longest, {name}", *cells)
        figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"], _ = (round(x, 4) for x in found[0])
        figures[f"peer_{name}_p50_ms"], figures[f"peer_{name}_p99_ms"], _ = (
            round(x, 2) for x in found[1]
        )
    console.print(table)
    figures["tiers"] = tiers(mix, console)
    return figures


def forget_all() -> None:
    """As if no text had been read before."""
    forget()
    kept_decision.cache_clear()


def tiers(cases: list[Row], console: Console) -> Row:
    """What share of the mix each tier decides, and at what cost."""
    spent: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    forget_all()
    for case in cases:
        started = time.perf_counter()
        verdict, _ = judge([case["gold"]], case["text"], MathPolicy())
        tier = verdict.tier.value if verdict.tier else "none"
        spent[tier] += time.perf_counter() - started  # type: ignore[assignment]
        decided[tier] += 1
    table = Table("tier", "share of the mix", "mean time")
    figures = {}
    for tier, count in decided.most_common():
        mean = 1e6 * spent[tier] / count
        table.add_row(tier, f"{100 * count / len(cases):.1f} %", f"{mean:.0f} µs")
        figures[tier] = {"share": count / len(cases), "mean_us": round(mean, 1)}
    console.print(table)
    return figures


# ---------------------------------------------------------------- hostile


def hostile(console: Console) -> Row:
    """Each grader in a process of its own, so that its memory is its own."""
    cases = rows("math/hostile.jsonl")
    figures: Row = {}
    table = Table("hostile answers", "accepted", "over 1.2 s", "hung", "longest", "peak memory")
    for name, grader in (("touchstone", ours), ("math-verify", peer)):
        found = run_hostile(cases, grader)
        figures[name] = found
        table.add_row(
            f"{name}, {len(cases)}",
            str(found["accepted"]),
            str(found["slow"]),
            str(found["hung"]),
            f"{found['longest_s']:.2f} s",
            f"{found['peak_mb']:.0f} MB",
        )
    before = []
    for case in cases:
        forget_all()
        started = time.process_time()
        judge([case["gold"]], case["text"], MathPolicy())
        before.append(1000 * (time.process_time() - started))
    figures["longest_before_symbolic_ms"] = round(max(before), 2)
    console.print(table)
    console.print(f"touchstone, longest before the symbolic step: {max(before):.1f} ms of CPU")
    return figures


def run_hostile(cases: list[Row], grader: Grader) -> Row:
    context = multiprocessing.get_context("spawn")
    found: Row = {"accepted": 0, "slow": 0, "hung": 0, "longest_s": 0.0, "peak_mb": 0.0}
    left = list(cases)
    while left:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_hostile_worker, args=(left, grader.__name__, sender))
        process.start()
        sender.close()
        while left and receiver.poll(PEER_HOSTILE_S):
            try:
                accepted, seconds, peak = receiver.recv()
            except EOFError:
                break
            left.pop(0)
            found["accepted"] += accepted
            found["slow"] += seconds > 1.2
            found["longest_s"] = max(found["longest_s"], seconds)
            found["peak_mb"] = max(found["peak_mb"], peak)
        process.kill()
        process.join()
        if left:
            found["hung"] += 1
            left.pop(0)
    return found


def _hostile_worker(cases: list[Row], name: str, sender: Any) -> None:
    logging.disable(logging.ERROR)
    grader = {"ours": ours, "peer": peer}[name]
    grader("1", r"\boxed{1}")
    for case in cases:
        started = time.perf_counter()
        accepted = grader(case["gold"], case["text"])
        seconds = time.perf_counter() - started
        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        peak = sum(resource.getrusage(one).ru_maxrss for one in who) / 1024
        sender.send((accepted, seconds, peak))


def main(console: Console) -> Row:
    """All figures; an empty dict, said visibly, where the data folder is absent."""
    if not (DATA / "math").is_dir():
        console.print(f"mathematics: SKIPPED, no data at {DATA} (set TOUCHSTONE_DATA)")
        return {}
    logging.disable(logging.ERROR)  # the peer logs every answer it cannot read
    # Speed first: the peer's many objects would slow down every collection of garbage.
    found = {"speed": speeds(console), "accuracy": accuracies(console), "hostile": hostile(console)}
    logging.disable(logging.NOTSET)
    return found
