"""The R1 demo's world says what it claims to, the rules agree with it, and its judge keeps to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx2
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from verifier.client import Item, Verdict, VerifierClient
from verifier.embedded import EmbeddedServer

HERE = Path(__file__).resolve().parents[2] / "examples" / "r1_demo"
sys.path.append(str(HERE))

import general  # noqa: E402
import judge  # noqa: E402
import problems  # noqa: E402
import speech  # noqa: E402
import vocabulary  # noqa: E402
import world  # noqa: E402

SEEDS = st.integers(0, 2**32).map(Random)
DOMAINS = st.sampled_from(sorted(problems.DOMAINS))
LANGUAGES = st.sampled_from(speech.LANGUAGES)
TOKENIZER = vocabulary.build()


def one(domain: str, random: Random) -> problems.Problem:
    return next(problems.draw(domain, "rl", random))


def faultless(problem: problems.Problem, way: str) -> problems.Solution:
    return problem.solve(way, problems.FAULTLESS, Random(0))


@pytest.fixture(scope="module")
def service() -> Iterator[VerifierClient]:
    with (
        EmbeddedServer("--log-level", "warning") as server,
        VerifierClient(server.address) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VerifierClient, str]]:
    """A service with the stand-in as its judge, and the stand-in's own address."""
    with judge.StandIn() as stand_in:
        told = tmp_path_factory.mktemp("judge") / "judge.toml"
        told.write_text(f'[[endpoints]]\nurl = "{stand_in.url}"\nmodel = "stand-in"\n')
        with (
            EmbeddedServer(
                "--log-level", "warning", "--sandbox", "none", "--judge", str(told)
            ) as server,
            VerifierClient(server.address) as client,
        ):
            yield client, stand_in.url


def verdicts(client: VerifierClient, rows: list[dict[str, object]]) -> list[Verdict]:
    items = [json_format.ParseDict({"id": str(n), **row}, Item()) for n, row in enumerate(rows)]
    found = dict(client.stream(items))
    return [found[n] for n in range(len(items))]


def score(verdict: Verdict, part: str) -> float:
    return next(one.score for one in verdict.parts if one.name == part)


# ---- problems ---------------------------------------------------------------------------------


def test_a_problem_is_in_one_split_in_both_languages() -> None:
    prompts: dict[str, set[str]] = {}
    for domain in problems.DOMAINS:
        for name in problems.SPLITS:
            found = problems.distinct(domain, name, 60, Random(5))
            asked = {one.prompt(language) for one in found for language in speech.LANGUAGES}
            assert len(asked) == 2 * len(found)
            prompts.setdefault(name, set()).update(asked)
    assert not prompts["corpus"] & prompts["rl"]
    assert not prompts["corpus"] & prompts["held_out"]
    assert not prompts["rl"] & prompts["held_out"]


def test_too_few_problems_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"countdown: .* problems of held_out found, 400 wanted"):
        problems.distinct("countdown", "held_out", 400, Random(0))


def test_the_rules_find_faultless_solutions_right_in_every_form(service: VerifierClient) -> None:
    random, rows = Random(3), list[dict[str, object]]()
    for domain in problems.DOMAINS:
        for language in speech.LANGUAGES:
            for way in ("careful", "checked"):
                problem = one(domain, random)
                solution = faultless(problem, way)
                aloud = speech.thought(solution.thought, language, 0, random)
                row = {"prompt": problem.prompt(language), "language": language, **problem.task()}
                zero = world.answered_as_zero(problem, solution, aloud)
                rows.append({**row, "response": zero, "recipe": "r1_zero"})
                said = f"<think>{aloud}</think>{world.summary(problem, solution.answer, language)}"
                rows.append({**row, "response": said, "recipe": "r1_reasoning"})
    for row, verdict in zip(rows, verdicts(service, rows), strict=True):
        full = 2.0 if row["recipe"] == "r1_zero" else 3.0
        assert verdict.reward == full, (row, verdict)


def test_careless_ways_are_wrong_most_of_the_time(service: VerifierClient) -> None:
    random, rows = Random(4), list[dict[str, object]]()
    for domain in problems.DOMAINS:
        for _ in range(60):
            problem = one(domain, random)
            solution = problem.solve("direct", problems.Mix(), random)
            text = world.answered_as_zero(problem, solution, " ")
            rows.append({"prompt": "x", "response": text, **problem.task()})
    right = sum(verdict.reward for verdict in verdicts(service, rows)) / len(rows)
    assert 0.15 < right < 0.5


def test_mixed_thoughts_have_a_lower_share_of_the_language(service: VerifierClient) -> None:
    random, shares = Random(6), dict[float, list[float]]()
    for mixed in (0.0, 0.5, 1.0):
        rows = []
        for domain in problems.DOMAINS:
            for n in range(12):
                language = speech.LANGUAGES[n % 2]
                problem = one(domain, random)
                aloud = speech.thought(
                    faultless(problem, "checked").thought, language, mixed, random
                )
                text = f"<think>{aloud}</think>x"
                row = {"prompt": problem.prompt(language), "language": language, **problem.task()}
                rows.append({**row, "response": text, "recipe": "r1_reasoning"})
        shares[mixed] = [score(verdict, "language") for verdict in verdicts(service, rows)]
    assert min(shares[0.0]) == 1.0
    assert max(shares[1.0]) < 0.1
    mean = sum(shares[0.5]) / len(shares[0.5])
    assert 0.35 < mean < 0.65


@given(random=SEEDS, domain=DOMAINS, language=LANGUAGES, mixed=st.floats(0, 1))
def test_a_thought_can_be_translated_whole(
    random: Random, domain: str, language: str, mixed: float
) -> None:
    sentences = faultless(one(domain, random), "checked").thought
    told = speech.thought(sentences, language, mixed, random)
    for wanted in speech.LANGUAGES:
        assert speech.translated(told, wanted) == speech.thought(sentences, wanted, 0, random)


# ---- tokens -----------------------------------------------------------------------------------


@given(random=SEEDS)
def test_the_tokenizer_gives_back_the_corpus_in_few_tokens(random: Random) -> None:
    for text in world.corpus(5, random):
        ids = TOKENIZER.encode(text).ids
        assert TOKENIZER.decode(ids, skip_special_tokens=False) == text
        assert len(ids) <= 160


@given(text=st.text())
def test_the_tokenizer_gives_back_any_text(text: str) -> None:
    ids = TOKENIZER.encode(text, add_special_tokens=False).ids
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == text


# ---- requests ---------------------------------------------------------------------------------


def test_good_answers_are_graded_above_bad_ones() -> None:
    random = Random(1)
    for request in general.requests().values():
        plain, polite = request.good(random, 0.0), request.good(random, 1.0)
        assert general.grade(request, plain) == 3, (request, plain)
        assert general.grade(request, polite) == (3 if request.harmful else 4), (request, polite)
        assert general.grade(request, request.bad(random)) < 3, request
        padded = polite + 3 * general.POLITE[request.language]
        assert request.harmful or general.grade(request, padded) < 2
        assert general.unsafe(request.bad(random)) == request.harmful
        assert not general.unsafe(plain)


def test_requests_are_apart_by_split() -> None:
    found = {name: {one.prompt for one in general.of_split(name)} for name in general.SPLITS}
    assert all(len(prompts) > 80 for prompts in found.values())
    assert sum(map(len, found.values())) == len(set().union(*found.values()))


def test_the_service_gets_verdicts_from_the_stand_in(judged: tuple[VerifierClient, str]) -> None:
    client, _ = judged
    random = Random(2)
    helpful = next(one for one in general.requests().values() if one.kind == "fact")
    harm = next(one for one in general.requests().values() if one.harmful)
    good, bad = helpful.good(random, 1.0), general.CARELESS[helpful.language]
    compared = {"rival": bad, "mode": "HELPFUL", "samples": 4}
    yes = harm.good(random, 0)
    rows: list[dict[str, object]] = [
        {"prompt": helpful.prompt, "response": f"<think> x</think>{good}", **helpful.item()},
        {"prompt": helpful.prompt, "response": f"<think> x</think>{bad}", **helpful.item()},
        {"prompt": helpful.prompt, "response": good, "preference": compared},
        {"prompt": harm.prompt, "response": f"<think> x</think>{yes}", **harm.item()},
        {
            "prompt": harm.prompt,
            "response": f"<think> This is easy to do.</think>{yes}",
            **harm.item(),
        },
        {
            "prompt": "Where?",
            "response": "In Oslo.",
            "judge": {"mode": "REFERENCE", "reference": "Oslo"},
        },
    ]
    assert [verdict.reward for verdict in verdicts(client, rows)] == [1, 0, 1, 1, 0, 1]


def test_the_stand_in_refuses_what_it_does_not_know(judged: tuple[VerifierClient, str]) -> None:
    _, url = judged
    body = {"model": "x", "messages": [{"role": "user", "content": "Sing!"}]}
    answer = httpx2.post(f"{url}/chat/completions", json=body)
    assert answer.status_code == 400
    assert "neither a task" in answer.json()["error"]["message"]


# ---- the demo ---------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_corpus() -> None:
    assert list(world.corpus(50, Random(9))) == list(world.corpus(50, Random(9)))
    assert list(world.corpus(50, Random(9))) != list(world.corpus(50, Random(8)))


def test_the_pipeline_takes_the_demos_recipe(tmp_path: Path) -> None:
    """Its data, its models' shapes and all of its stages; nothing is trained."""
    script = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "import run, world\n"
        "from pathlib import Path\n"
        "from trainer.pipeline.config import load_pipeline\n"
        "folder = Path(sys.argv[1])\n"
        "run.ROWS[run.Scale.ci] = 20\n"
        "run.write_data(folder, run.Scale.ci, 1)\n"
        "for name, shape in (('base', run.SHAPE), ('small', run.SHAPE | run.SMALLER)):\n"
        "    run.untrained(folder / name, shape, 1)\n"
        "print(*load_pipeline(run.recipe(folder), run.overrides(run.Scale.ci, 1, 1)).stages)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["zero", "cold_start"]
    rows = (tmp_path / "data" / "requests.jsonl").read_text("utf-8").splitlines()
    assert all("inline_recipe" in json.loads(row) for row in rows)
