"""Agreement with the shared cases. Skipped, with the reason shown, where they are absent."""

import time
from collections.abc import Callable
from typing import Any

from tests.verifier.math.pace import slack
from verifier.math import MathPolicy, MathVerdict, Outcome, check
from verifier.math.check import judge

Load = Callable[[str], Any]
FREE_TEXT = MathPolicy(free_text=True)

# Rows whose label is not the verdict a reader of the whole response would give, by what
# is wrong with the label. (Prefix "rho-rho-math-" left out.)
ADJUDICATED = {
    "label accepts an answer 100 times too large or small": (
        "1b-interpreter-v0.1-gsm8k-199 1b-interpreter-v0.1-gsm8k-594 7b-interpreter-v0.1-gsm8k-413 "
        "7b-interpreter-v0.1-gsm8k-1067 7b-v0.1-gsm8k-466 7b-v0.1-gsm8k-586 7b-v0.1-gsm8k-1182 "
        "1b-v0.1-gsm8k-328 1b-v0.1-gsm8k-413 1b-v0.1-gsm8k-951"
    ),
    "label's extraction kept 'I hope it is correct' or cut the answer": (
        "1b-interpreter-v0.1-minerva_math-456 7b-interpreter-v0.1-minerva_math-456 7b-v0.1-minerva_math-120 "
        "7b-v0.1-minerva_math-255 7b-v0.1-minerva_math-451 1b-v0.1-minerva_math-37 1b-v0.1-minerva_math-107 "
        "1b-v0.1-minerva_math-174 1b-v0.1-minerva_math-182 1b-v0.1-minerva_math-243 1b-v0.1-minerva_math-329 "
        "1b-v0.1-minerva_math-337 1b-v0.1-minerva_math-374"
    ),
    "label refuses 'The answer is 35 + 70 = 105' or '... 50 dollars'": (
        "7b-v0.1-gsm8k-53 7b-v0.1-gsm8k-138 7b-v0.1-gsm8k-405 7b-v0.1-gsm8k-509 7b-v0.1-gsm8k-607 "
        "7b-v0.1-gsm8k-669 7b-v0.1-gsm8k-692 7b-v0.1-gsm8k-844 1b-v0.1-gsm8k-16 1b-v0.1-gsm8k-908"
    ),
    "label refuses an equal expression": "7b-interpreter-v0.1-minerva_math-164",
    "label refuses 3 hours and 45 minutes for 225 minutes": "7b-v0.1-gsm8k-1218",
    "label accepts an unequal rational within 1e-4": "7b-interpreter-v0.1-minerva_math-399",
    "label accepts a decimal that is wrong in its last three digits": (
        "7b-interpreter-v0.1-minerva_math-11"
    ),
    "no answer is stated; the last number of a text cut off happens to be right": (
        "1b-v0.1-minerva_math-150 1b-v0.1-minerva_math-211 1b-v0.1-minerva_math-489"
    ),
    "the reference itself is damaged": "7b-v0.1-minerva_math-102",
}


def agreement(
    rows: list[dict[str, Any]], policy: MathPolicy | None = None
) -> tuple[float, list[str], list[str]]:
    """(share agreed, ids wrongly accepted, ids wrongly refused)."""
    accepted, refused = [], []
    for row in rows:
        matched = verdict(row, policy).outcome is Outcome.MATCH
        if matched and not row["expected"]:
            accepted.append(row["id"])
        if not matched and row["expected"]:
            refused.append(row["id"])
    return 1 - (len(accepted) + len(refused)) / len(rows), accepted, refused


def verdict(row: dict[str, Any], policy: MathPolicy | None = None) -> MathVerdict:
    return check([row["gold"]], row.get("response", row.get("pred")), policy)


def test_math500_mix(load: Load) -> None:
    share, accepted, refused = agreement(load("math/math500_mix.jsonl"))
    assert share >= 0.998, (accepted, refused)
    assert not accepted


def test_cases(load: Load) -> None:
    rows = [row for row in load("math/cases.jsonl") if not row["policy"]]
    share, accepted, refused = agreement(rows)
    assert share >= 0.98, (accepted, refused)
    assert not accepted


def test_peer_cases(load: Load) -> None:
    rows = load("math/peer_cases.jsonl")
    share, accepted, refused = agreement([row for row in rows if row["scope"] == "core"])
    assert share >= 0.96, (accepted, refused)
    # b0177 wants `-2 <= x <= 7` refused for `x in [-2,7]`; our default policy accepts it.
    assert set(accepted) <= {"b0177"}
    free = [row for row in rows if row["scope"] == "free_extract"]
    assert agreement(free, FREE_TEXT)[0] >= 0.85


def test_real_outputs(load: Load) -> None:
    errata = {row[0]: row[1] for row in load("verdicts/rho1_label_errata.json")["rows"]}
    rows = load("verdicts/rho1_math_gsm8k.jsonl.gz")
    rows = [row | {"expected": errata.get(row["id"], row["expected"])} for row in rows]
    rows = [row for row in rows if row["expected"] is not None]
    share, accepted, refused = agreement(rows, FREE_TEXT)
    adjudicated = {
        "rho-rho-math-" + name for names in ADJUDICATED.values() for name in names.split()
    }
    unexplained = [name for name in (*accepted, *refused) if name not in adjudicated]
    assert share >= 0.994
    assert not unexplained


def test_hostile(load: Load) -> None:
    for row in load("math/hostile.jsonl"):
        started = time.process_time()
        found, _ = judge([row["gold"]], row["pred"], MathPolicy())
        assert time.process_time() - started < 0.05 * slack(), row["id"]
        assert found.outcome is not Outcome.MATCH, row["id"]
        started = time.monotonic()
        assert verdict(row).outcome is not Outcome.MATCH, row["id"]
        assert time.monotonic() - started < 6, row["id"]
