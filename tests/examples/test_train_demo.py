"""The training demo's corpus says what it claims to, and its problems stay apart."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import corpus
import run
import tokenizer
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from verifier.v1 import verifier_pb2 as pb

PROBLEMS = corpus.problems()
FAULTLESS = corpus.Mix(direct_wrong=0.0, slip=0.0, check_slip=0.0)
SEEDS = st.integers(0, 2**32).map(Random)


def only(way: str, mix: corpus.Mix) -> corpus.Mix:
    """The mix with this way alone."""
    none = dict.fromkeys(("direct", "guess", "search", "checked"), 0.0)
    return replace(mix, **none | {way: 1.0})


def is_right(problem: corpus.Problem, response: str) -> bool:
    """By the value and the numbers of its answer, and by nothing of the corpus."""
    (answer,) = re.findall(r"<answer> ([-+0-9]+) </answer>", response)
    terms = [int(term) for term in re.findall(r"[-+]?\d+", answer)]
    return sum(terms) == problem.target and sorted(map(abs, terms)) == sorted(problem.numbers)


def share_right(mix: corpus.Mix, count: int = 2000) -> float:
    random = Random(3)
    chosen = [random.choice(PROBLEMS["corpus"]) for _ in range(count)]
    return sum(is_right(one, corpus.response(one, mix, random)) for one in chosen) / count


def test_no_problem_is_in_two_splits_whatever_the_order_of_its_numbers() -> None:
    keys = {
        name: {(one.target, *sorted(one.numbers)) for one in found}
        for name, found in PROBLEMS.items()
    }
    assert all(len(keys[name]) == len(PROBLEMS[name]) for name in corpus.SPLITS)
    assert not keys["corpus"] & keys["rl"] | keys["corpus"] & keys["held_out"]
    assert not keys["rl"] & keys["held_out"]
    random = Random(0)
    for name, found in PROBLEMS.items():
        assert all(corpus.split(one.shuffled(random)) == name for one in found)
        assert len(found) > 100


@given(random=SEEDS, way=st.sampled_from(["direct", "search", "checked"]))
def test_without_slips_every_way_but_guessing_is_right(random: Random, way: str) -> None:
    problem = random.choice(PROBLEMS["corpus"]).shuffled(random)
    assert is_right(problem, corpus.response(problem, only(way, FAULTLESS), random))


def test_the_ways_differ_as_the_demo_needs() -> None:
    shares = {
        way: share_right(only(way, corpus.Mix()))
        for way in ("direct", "guess", "search", "checked")
    }
    assert shares["direct"] < 0.6
    assert shares["guess"] < 0.4
    assert 0.6 < shares["search"] < shares["checked"] < 1
    assert share_right(corpus.Mix()) < 0.5


@given(random=SEEDS)
def test_drills_are_right_and_ask_nothing(random: Random) -> None:
    page = corpus.drill(random)
    assert "Make" not in page
    for chain in page.split("; "):
        first, *more = chain.split(", ")
        start, value = first.split("=")
        assert sum(int(term) for term in re.findall(r"[-+]?\d+", start)) == int(value)
        for step in more:
            last, after = step.split("=")
            assert int(value) + int(last) == int(after)


@given(random=SEEDS)
def test_the_tokenizer_gives_back_what_the_corpus_says(random: Random) -> None:
    text = corpus.response(random.choice(PROBLEMS["rl"]), corpus.Mix(), random)
    ids = tokenizer.build().encode(text).ids
    assert tokenizer.build().decode(ids, skip_special_tokens=False) == text
    assert len(ids) < len(text)


@given(random=SEEDS)
def test_the_control_rewards_every_valid_answer_alike(random: Random) -> None:
    problem = random.choice(PROBLEMS["rl"])
    tasks = [json_format.ParseDict(task, pb.MathTask()) for task in run.dealt(problem, random)]
    assert [list(task.policy.numbers) for task in tasks] == [[str(n) for n in problem.numbers]] * 3
    golds = [set(map(int, task.gold)) for task in tasks]
    for _, value in corpus.signs(*problem.numbers):
        assert sum(value in gold for gold in golds) == 1
    assert {len(gold) for gold in golds} <= {16, 17}


def test_the_demo_runs_and_says_what_it_missed(tmp_path: Path) -> None:
    """With a corpus too small to learn from: every part runs, and the marks are not met."""
    line = [sys.executable, run.__file__, tmp_path / "demo", "--steps", 2, "--rows", 960]
    line += ["--held-out", 12]
    done = subprocess.run([str(one) for one in line], capture_output=True, text=True, timeout=600)
    assert done.returncode == 1, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["passed"] is False
    assert figures["trained"]["pass@1"] < 0.95
    assert (tmp_path / "demo" / "report.html").stat().st_size > 1e6
