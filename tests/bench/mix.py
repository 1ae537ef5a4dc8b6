"""Mixed items made from the real sets, as many as asked for, one at a time.

Questions and references of MATH-500, GSM8K, MMLU-Pro, HumanEvalPack and MBPP with right, wrong and
malformed answers, under the recipes that rules alone decide. An item follows from its number: any
process makes the same one. Needs the data folder (`TOUCHSTONE_DATA`).
"""

from __future__ import annotations

import gzip
import json
import os
import random
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from verifier.v1 import verifier_pb2 as pb

DATA = Path(os.environ.get("TOUCHSTONE_DATA", Path(__file__).parents[3] / "shared" / "data"))

RECIPES = ("", "", "r1_zero", "dapo", "points", "r1_reasoning")
"""No recipe for a third of the items; the language part of the last one is the slowest."""

PROGRAM_CPU_SECONDS = 3.0
"""Some of the wrong programs never end."""

THOUGHTS = (
    "Let me think about this step by step. ",
    "We start from what is given and look for what is asked. ",
    "Wait, that cannot be right, so I check it once more. ",
    "Both sides are positive, so we may square them. ",
    "The remaining cases follow in the same way. ",
)


@dataclass(frozen=True)
class Mix:
    """`item(n)` for any n. Items n and n + distinct are equal but for their ids."""

    distinct: int
    code_share: float = 0.005
    symbolic_share: float = 0.002
    """Of items whose answer only the symbolic workers can compare, at about 10 ms each."""
    seed: int = 1
    prefix: str = field(default="", kw_only=True)
    """Of ids, so that clients can be told apart."""

    def name(self, number: int) -> str:
        """The id of an item."""
        return f"{self.prefix}{number}"

    def item(self, number: int) -> pb.Item:
        """Deterministic, and distinct within `distinct` numbers."""
        base = number % self.distinct
        rng = random.Random(self.seed * 1_000_003 + base)
        if _falls(base, self.code_share):
            item = _code(rng, base)
        elif _falls(base + 77, self.symbolic_share):
            item = _symbolic(rng, base)
        elif rng.random() < 0.3:
            item = _choice(rng, base)
        else:
            item = _math(rng, base)
        item.id = self.name(number)
        return item


def _falls(number: int, share: float) -> bool:
    """True for this share of the numbers, evenly spread."""
    return int((number + 1) * share) > int(number * share)


def rows_of(name: str) -> list[dict[str, Any]]:
    """A set's rows as they are."""
    path = DATA / name
    with gzip.open(path, "rt") if name.endswith(".gz") else path.open() as lines:
        return [json.loads(line) for line in lines]


@lru_cache(1)
def _problems() -> list[tuple[str, str]]:
    """(question, reference) of MATH-500 and GSM8K."""
    found = [(row["problem"], row["answer"]) for row in rows_of("math500/test.jsonl")]
    for row in rows_of("gsm8k/test.jsonl"):
        found.append((row["question"], row["answer"].rpartition("#### ")[2].replace(",", "")))
    return found


@lru_cache(1)
def _questions() -> list[tuple[str, list[str], str]]:
    """(question, options, right letter) of MMLU-Pro."""
    rows = rows_of("mmlu_pro/test.jsonl.gz")
    return [(row["question"], row["options"], row["answer"]) for row in rows]


@lru_cache(1)
def _programs() -> list[tuple[str, str, str]]:
    """(prompt, program, asserts): good and buggy ones, some that do not compile."""
    found = []
    for row in rows_of("verdicts/humanevalpack_good_bad.jsonl.gz"):
        if row["language"] == "python":
            tests = f"{row['test_setup']}\n{row['gold']}\n"
            found.append((row["prompt"], row["declaration"] + row["response"], tests))
    for row in rows_of("mbpp/mbpp.jsonl"):
        program, tests = row["code"].replace("\r", ""), "\n".join(row["test_list"])
        setup = row["test_setup_code"]
        found.append((row["text"], program, f"{setup}\n{tests}\n"))
        found.append((row["text"], program.replace("return ", "return not ", 1), f"{tests}\n"))
        found.append((row["text"], program.replace(":", "", 1), f"{tests}\n"))
    return found


def _dressed(rng: random.Random, base: int, answer: str, item: pb.Item) -> pb.Item:
    """The answer at the end of some thinking, well formed or not, and a recipe."""
    thought = f"Attempt {base}. " + "".join(rng.choices(THOUGHTS, k=rng.randrange(2, 12)))
    recipe = rng.choice(RECIPES)
    if recipe == "r1_zero" or recipe == "points":
        whole = f"<think>{thought}</think> <answer>{answer}</answer>"
    else:
        whole = f"<think>\n{thought}\n</think>\n\n{answer}"
    if rng.random() < 0.1:  # malformed: a tag that is missing, or an end that is cut off
        whole = rng.choice(
            (whole.replace("<think>", "", 1), whole.replace("</think>", "", 1), whole[: -len(whole) // 3])
        )  # fmt: skip
    if recipe:
        item.recipe = recipe
    if recipe == "r1_reasoning":
        item.language = "en"
    item.response = whole
    return item


def _math(rng: random.Random, base: int) -> pb.Item:
    problems = _problems()
    question, gold = rng.choice(problems)
    given = gold if rng.random() < 0.5 else rng.choice(problems)[1]
    answer = rng.choice(
        (rf"The answer is \boxed{{{given}}}.", rf"$\boxed{{{given}}}$", f"Answer: {given}", given)
    )
    task = pb.MathTask(gold=[gold])
    return _dressed(rng, base, answer, pb.Item(prompt=question, math=task))


def _symbolic(rng: random.Random, base: int) -> pb.Item:
    """Limits and infinite sums, which no rule and no random point settles."""
    k = base + 2
    gold, right = rng.choice(
        (
            (rf"\lim_{{x\to 0}} \frac{{\sin({k}x)}}{{x}}", str(k)),
            (rf"\sum_{{k=1}}^{{\infty}} \frac{{{k}}}{{k^2}}", rf"\frac{{{k}\pi^2}}{{6}}"),
            (rf"\sum_{{k=0}}^{{\infty}} \frac{{1}}{{{k}^k}}", rf"\frac{{{k}}}{{{k - 1}}}"),
        )
    )
    answer = right if rng.random() < 0.6 else f"{right} + 1"
    return pb.Item(response=rf"So it is \boxed{{{answer}}}.", math=pb.MathTask(gold=[gold]))


def _choice(rng: random.Random, base: int) -> pb.Item:
    question, options, gold = rng.choice(_questions())
    letter = gold if rng.random() < 0.5 else rng.choice("ABCDEFGHIJ")
    answer = rng.choice((f"The answer is ({letter}).", rf"\boxed{{{letter}}}", f"Answer: {letter}"))
    task = pb.ChoiceTask(gold=gold, options=options)
    return _dressed(rng, base, answer, pb.Item(prompt=question, choice=task))


def _code(rng: random.Random, base: int) -> pb.Item:
    prompt, program, tests = rng.choice(_programs())
    task = pb.CodeTask(
        language="python",
        tests=[pb.CodeTest(source=tests)],
        limits=pb.CodeLimits(cpu_seconds=PROGRAM_CPU_SECONDS),
    )
    response = f"```python\n{program.rstrip()}\n# attempt {base}\n```"
    return pb.Item(prompt=prompt, response=response, code=task)


def at_hand() -> bool:
    """Whether the data folder is there."""
    return (DATA / "math500").is_dir()
