r"""Real model outputs with known verdicts, from a data folder, as items.

The folder is not part of the repository and nothing of it is copied here. Each
converter is a pure function of a set's rows and states its selection:

- `rho`: all rho-1 responses to MATH-500 and GSM8K. The label is the stored one,
  replaced where the errata give the true verdict; rows that the errata call
  undecidable are left out. Free text is allowed, since half of these models
  end with "The answer is 31." or less.
- `livecodebench`: o1-mini's programs whose stored verdict the included tests
  can show ("decidable"), on problems without errata. Tests are the published
  samples and the revealed private tests; tests that nobody verified are not used.
- `humanevalpack`: the good and the buggy program of every Python task, with the
  task's own asserts as a test program.

Not covered: the other languages of HumanEvalPack, and the other sets.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from known import Expectation, Known, KnownSet

from verifier.v1 import verifier_pb2 as pb

Row = Mapping[str, Any]

RHO = "verdicts/rho1_math_gsm8k.jsonl.gz"
RHO_ERRATA = "verdicts/rho1_label_errata.json"
LIVECODEBENCH = "verdicts/livecodebench_o1mini.jsonl.gz"
LIVECODEBENCH_PROBLEMS = "livecodebench/problems_release_v5_880.jsonl.gz"
HUMANEVALPACK = "verdicts/humanevalpack_good_bad.jsonl.gz"

CONTEST_CPU_SECONDS = 6.0
"""LiveCodeBench's own limit for one test."""

UNIT_CPU_SECONDS = 3.0
"""HumanEval's asserts take milliseconds; three buggy programs never end."""


def rho(rows: Iterable[Row], errata: Mapping[str, bool | None]) -> KnownSet:
    """rho-1 on MATH-500 and GSM8K; `errata` maps a row's id to its true verdict."""
    items = []
    left_out: Counter[str] = Counter()
    for row in rows:
        right = errata.get(row["id"], row["expected"])
        if right is None:
            left_out["undecidable by the errata"] += 1
            continue
        task = pb.MathTask(gold=[row["gold"]], policy=pb.MathPolicy(free_text=True))
        items.append(_known(pb.Item(id=row["id"], response=row["response"], math=task), right))
    return KnownSet("rho-1 answers", items, dict(left_out))


def read_errata(document: Mapping[str, Any]) -> dict[str, bool | None]:
    """The rho errata file's rows ([id, true verdict, why]) as a mapping."""
    return {name: verdict for name, verdict, _why in document["rows"]}


def livecodebench(rows: Iterable[Row], problems: Iterable[Row]) -> KnownSet:
    """o1-mini's programs with the tests of their problems."""
    by_id = {problem["question_id"]: problem for problem in problems}
    items = []
    left_out: Counter[str] = Counter()
    for row in rows:
        problem = by_id.get(row["question_id"])
        if not row["decidable"]:
            left_out["the tests at hand cannot show the stored verdict"] += 1
        elif row["errata"] or problem is None or problem["errata"]:
            left_out["the problem has errata"] += 1
        else:
            items.append(_known(_contest_item(row, problem), row["expected"]))
    return KnownSet("o1-mini programs", items, dict(left_out))


def _contest_item(row: Row, problem: Row) -> pb.Item:
    functional = problem["testtype"] == "functional"
    pairs = [*problem["public_tests"], *problem["revealed_tests"]]
    task = pb.CodeTask(
        language="python",
        tests=[
            pb.CodeTest(args_json=given.split("\n"), expected_json=wanted)
            if functional
            else pb.CodeTest(stdin=given, stdout=wanted)
            for given, wanted in pairs
        ],
        entry_point=problem["func_name"] if functional else "",
        limits=pb.CodeLimits(cpu_seconds=CONTEST_CPU_SECONDS),
    )
    prompt = problem["question_content"]
    return pb.Item(id=row["id"], prompt=prompt, response=row["response"], code=task)


def humanevalpack(rows: Iterable[Row]) -> KnownSet:
    """Good and buggy Python programs with their asserts."""
    items = []
    left_out: Counter[str] = Counter()
    for row in rows:
        if row["language"] != "python":
            left_out["another language than Python"] += 1
            continue
        program = row["declaration"] + row["response"]
        task = pb.CodeTask(
            language="python",
            tests=[pb.CodeTest(source=row["test_setup"] + "\n" + row["gold"] + "\n")],
            limits=pb.CodeLimits(cpu_seconds=UNIT_CPU_SECONDS),
        )
        response = f"```python\n{program.rstrip()}\n```"
        item = pb.Item(id=row["id"], prompt=row["prompt"], response=response, code=task)
        items.append(_known(item, row["expected"]))
    return KnownSet("HumanEvalPack", items, dict(left_out))


def _known(item: pb.Item, right: bool) -> Known:
    return Known(item, Expectation("OK", accuracy=float(right)))


def load(folder: Path) -> Iterator[KnownSet | str]:
    """Each set of the folder, or the sentence that says which file it lacks."""
    for files, build in (
        ((RHO, RHO_ERRATA), _load_rho),
        ((LIVECODEBENCH, LIVECODEBENCH_PROBLEMS), _load_livecodebench),
        ((HUMANEVALPACK,), _load_humanevalpack),
    ):
        absent = [name for name in files if not (folder / name).is_file()]
        yield (
            f"{absent[0]} is not in the data folder: its set is left out"
            if absent
            else build(folder)
        )


def _load_rho(folder: Path) -> KnownSet:
    errata = json.loads((folder / RHO_ERRATA).read_text(encoding="utf-8"))
    return rho(_rows(folder / RHO), read_errata(errata))


def _load_livecodebench(folder: Path) -> KnownSet:
    return livecodebench(_rows(folder / LIVECODEBENCH), _rows(folder / LIVECODEBENCH_PROBLEMS))


def _load_humanevalpack(folder: Path) -> KnownSet:
    return humanevalpack(_rows(folder / HUMANEVALPACK))


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
