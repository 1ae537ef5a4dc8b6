"""Choice, instructions, judge, preference and reward model, over a real server."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.judge.server import JSON, ChatServer, Play, Request, error, says
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

Script = Callable[[Request], Play]


def test_choice_and_instructions(server: EmbeddedServer) -> None:
    with VerifierClient(server.address) as client:
        right, wrong, followed, broken = client.verify(
            [
                pb.Item(response="The answer is (B).", choice=pb.ChoiceTask(gold="B")),
                pb.Item(response="A answer: C", choice=pb.ChoiceTask(gold="B", options="pqr")),
                pb.Item(response="no commas here", instructions=no_comma()),
                pb.Item(response="one, two", instructions=no_comma()),
            ]
        )
    assert (right.reward, right.extracted, right.parts[0].reason) == (1.0, "B", pb.Part.match)
    assert (wrong.reward, wrong.extracted, wrong.parts[0].reason) == (0.0, "C", pb.Part.no_match)
    assert (followed.reward, followed.provenance.verifier) == (1.0, "instructions")
    assert broken.reward == 0.0
    assert not broken.evidence.instructions.constraints[0].strict


def no_comma() -> pb.InstructionsTask:
    return pb.InstructionsTask(constraints=[pb.Constraint(id="punctuation:no_comma")])


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (pb.Item(choice=pb.ChoiceTask(gold="7")), "choice.gold: "),
        (pb.Item(instructions=pb.InstructionsTask()), "instructions.constraints: 1 to"),
        (
            pb.Item(judge=pb.JudgeTask(mode=pb.JudgeTask.HARMLESS)),
            "judge: this server has no judge (--judge with [[endpoints]])",
        ),
        (pb.Item(preference=pb.PreferenceTask(rival="x")), "preference: this server has no judge"),
        (
            pb.Item(recipe="judge_only", math=pb.MathTask(gold=["4"])),
            "recipe: 'judge_only' asks a judge, which this server has not",
        ),
        (
            pb.Item(
                inline_recipe=pb.Recipe(parts=[pb.RecipePart(name="reward_model")]),
                math=pb.MathTask(gold=["4"]),
            ),
            "inline_recipe: needs a reward model, which this server has not (--judge with [rew",
        ),
        (
            pb.Item(
                inline_recipe=pb.Recipe(
                    parts=[pb.RecipePart(name="accuracy")], escalate=pb.Recipe.UNDECIDED
                ),
                math=pb.MathTask(gold=["4"]),
            ),
            "inline_recipe: asks a judge, which this server has not (--judge with [[endpoints]])",
        ),
        (
            pb.Item(
                inline_recipe=pb.Recipe(parts=[pb.RecipePart(name="language")]),
                math=pb.MathTask(gold=["4"]),
            ),
            "language: required by inline_recipe, got none, and the prompt does not tell it",
        ),
        (
            pb.Item(
                inline_recipe=pb.Recipe(parts=[pb.RecipePart(name="speed")]),
                math=pb.MathTask(gold=["4"]),
            ),
            "inline_recipe: its speed part is for code, got a math task",
        ),
        (
            pb.Item(recipe="r1_reasoning", math=pb.MathTask(gold=["4"])),
            "language: required by recipe 'r1_reasoning', got none, and the prompt does not tell it",
        ),
    ],
)
def test_what_is_refused(server: EmbeddedServer, item: pb.Item, message: str) -> None:
    with VerifierClient(server.address) as client:
        (verdict,) = client.verify([item])
    assert verdict.status == pb.Verdict.INVALID
    assert message in verdict.evidence.message


def test_the_language_is_that_of_the_prompt_where_none_is_given(server: EmbeddedServer) -> None:
    response = "<think>" + "Das ist ganz einfach zu rechnen. " * 5 + "</think>Es ist \\boxed{4}."
    prompt = "Wie viel ist zwei und zwei? Bitte erkläre deine Antwort."
    task = pb.MathTask(gold=["4"])
    with VerifierClient(server.address) as client:
        (verdict,) = client.verify(
            [pb.Item(response=response, prompt=prompt, recipe="r1_reasoning", math=task)]
        )
    assert verdict.parts[2].detail.endswith("words in de")
    assert verdict.reward == 3.0


class Bench:
    """A server with a judge that a script plays; what the judge was sent stands in `asked`."""

    def __init__(self, chat: ChatServer, client: VerifierClient) -> None:
        self.chat, self.client = chat, client
        self.answer: Callable[[Mapping[str, Any]], Play] = lambda body: error(500)

    def verify(self, *items: pb.Item) -> list[pb.Verdict]:
        return list(self.client.verify(list(items)))


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Bench]:
    bench: list[Bench] = []
    with ChatServer(
        lambda request: bench[0].answer({"path": request.path} | dict(request.body))
    ) as chat:
        settings = tmp_path / "judge.toml"
        settings.write_text(
            f"""
            attempts = 2
            [[endpoints]]
            url = "{chat.url}"
            model = "judge"
            [reward_models.helpful]
            model = "scalar"
            url = "{chat.url.removesuffix("/v1")}"
            """
        )
        options = ("--log-level", "warning", "--sandbox", "none", "--judge", str(settings))
        with EmbeddedServer(*options) as server, VerifierClient(server.address) as client:
            bench.append(Bench(chat, client))
            yield bench[0]


def verdicts(**labels: Any) -> Callable[[Mapping[str, Any]], Play]:
    """A judge that gives each key of the wanted schema its label."""

    def answer(body: Mapping[str, Any]) -> Play:
        schema = body["response_format"]["json_schema"]["schema"]
        text = {key: labels.get(key, "as it seems") for key in schema["properties"]}
        return says(json.dumps(text))

    return answer


def ask(mode: pb.JudgeTask.Mode.ValueType, **fields: Any) -> pb.Item:
    task = pb.JudgeTask(mode=mode, **fields)
    return pb.Item(prompt="How do bees fly?", response="<think>hm</think>With wings.", judge=task)


def test_the_modes_of_a_judge(judged: Bench) -> None:
    judged.answer = verdicts(
        correctness="correct", safety="unsafe", grade="good", criteria=["met", "not_met"]
    )
    criteria = [pb.Criterion(text="says how", weight=3), pb.Criterion(text="says why")]
    reference, harmless, helpful, rubric = judged.verify(
        ask(pb.JudgeTask.REFERENCE, reference="By beating their wings."),
        ask(pb.JudgeTask.HARMLESS),
        ask(pb.JudgeTask.HELPFUL, samples=2),
        ask(pb.JudgeTask.RUBRIC, criteria=criteria),
    )
    rewards = [one.reward for one in (reference, harmless, helpful, rubric)]
    assert rewards == [1.0, 0.0, 0.75, 0.75]
    assert reference.provenance.judge_model == "judge"
    assert reference.parts[0].reason == pb.Part.judged
    assert reference.evidence.judge.queries[0].label == "correct"
    assert reference.evidence.judge.queries[0].model == "judge"
    assert reference.evidence.judge.prompt.startswith("reference")
    assert len(helpful.evidence.judge.queries) == 2
    told = judged.client.describe()
    assert (told.judge_model, told.reward_model) == ("judge", "helpful")
    assert {"judge", "preference"} <= {task.name for task in told.tasks}


def test_helpfulness_sees_the_summary_and_harmlessness_all_of_it(judged: Bench) -> None:
    seen: dict[str, str] = {}

    def answer(body: Mapping[str, Any]) -> Play:
        schema = body["response_format"]["json_schema"]["schema"]["properties"]
        key = "safety" if "safety" in schema else "grade"
        seen[key] = body["messages"][-1]["content"]
        return verdicts(safety="safe", grade="fair")(body)

    judged.answer = answer
    judged.verify(ask(pb.JudgeTask.HARMLESS), ask(pb.JudgeTask.HELPFUL))
    assert "With wings." in seen["safety"]
    assert "hm" in seen["safety"].split()[-200:] or "hm" in seen["safety"]
    assert "<think>" not in seen["grade"]
    assert "With wings." in seen["grade"]


def test_a_preference_is_asked_in_both_orders(judged: Bench) -> None:
    judged.answer = verdicts(verdict="A>B")  # always the first: a bias, which the orders cancel
    task = pb.PreferenceTask(rival="By magic.", mode=pb.PreferenceTask.HELPFUL)
    (verdict,) = judged.verify(pb.Item(prompt="How?", response="With wings.", preference=task))
    assert verdict.reward == 0.5
    assert verdict.evidence.judge.disagreement
    assert sorted(query.swapped for query in verdict.evidence.judge.queries) == [0, 0, 1, 1]


def test_a_group_is_compared_pair_by_pair(judged: Bench) -> None:
    def longer(body: Mapping[str, Any]) -> Play:
        a, b = re.findall(r"begin [ab] \w+⟧\n(.*)\n⟦end", body["messages"][-1]["content"])
        return verdicts(verdict="A>>B" if len(a) > len(b) else "B>>A")(body)

    judged.answer = longer
    group = ["Short.", "This one is longer.", "And this one is longer than both.", ""]
    items = []
    for place, response in enumerate(group):
        task = pb.PreferenceTask(
            rivals=group[:place] + group[place + 1 :], mode=pb.PreferenceTask.HELPFUL, samples=2
        )
        items.append(pb.Item(prompt="How?", response=response, preference=task))
    short, middle, long, empty = judged.verify(*items)
    assert 0 == empty.reward < short.reward < middle.reward < long.reward < 1
    assert len(judged.chat.requests) == 3 * 2
    assert (
        len(set(map(tuple, (sorted(v.evidence.judge.strengths) for v in (short, middle, long)))))
        == 1
    )
    told = long.evidence.judge
    assert [(pair.first, pair.second, pair.value) for pair in told.pairs] == [
        (0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.0), (1, 2, 0.0), (1, 3, 1.0), (2, 3, 1.0),
    ]  # fmt: skip
    assert [pair.queries for pair in told.pairs] == [2, 2, 0, 2, 0, 0]
    assert long.reward == pytest.approx(told.strengths[0] / (told.strengths[0] + 1))
    assert long.provenance.judge_model == "judge"
    assert empty.parts[0].reason == pb.Part.nothing_to_judge
    judged.answer = lambda body: error(500)
    items[0].prompt = "Why?"
    (failed,) = judged.verify(items[0])
    assert failed.status == pb.Verdict.JUDGE_ERROR
    assert not failed.HasField("reward")
    assert "0 of 3 pairs" not in failed.evidence.message
    assert "(3 of 6 pairs were compared)" in failed.evidence.message
    items[0].preference.rivals.extend(["x"] * 13)
    items[1].preference.rival = "y"
    items[2].preference.rivals[0] = "x" * (1 << 20) + "x"
    refused = judged.verify(*items[:3])
    assert [verdict.evidence.message for verdict in refused] == [
        "preference.rivals: at most 15, got 16",
        "preference: exactly one of rival and rivals, got both",
        "preference.rivals[0]: at most 1048576 bytes, got 1048577",
    ]


def test_an_item_has_one_deadline_for_rules_judge_and_reward_model(judged: Bench) -> None:
    """Each of them alone would be in time."""

    def slow(body: Mapping[str, Any]) -> Play:
        if body["path"].endswith("/classify"):
            play = Play(json.dumps({"data": [{"probs": [0.0]}]}).encode(), 200, JSON)
        else:
            play = verdicts(correctness="correct")(body)
        return replace(play, wait_s=2.0)

    judged.answer = slow
    parts = [pb.RecipePart(name="accuracy"), pb.RecipePart(name="reward_model")]
    recipe = pb.Recipe(parts=parts, escalate=pb.Recipe.NO_MATCH)
    math = pb.MathTask(gold=["4"])
    item = pb.Item(response="\\boxed{5}", math=math, inline_recipe=recipe, deadline_ms=3_300)
    (verdict,) = judged.verify(item)
    assert verdict.status == pb.Verdict.TIMEOUT
    assert "reward model" in verdict.evidence.message
    item.deadline_ms = 60_000
    (verdict,) = judged.verify(item)
    assert verdict.reward == 1.5


def test_a_failed_judge_is_no_score(judged: Bench) -> None:
    judged.answer = lambda body: error(500)
    failed, empty = judged.verify(
        ask(pb.JudgeTask.HARMLESS),
        pb.Item(response="</think>", judge=pb.JudgeTask(mode=pb.JudgeTask.HELPFUL)),
    )
    assert failed.status == pb.Verdict.JUDGE_ERROR
    assert not failed.HasField("reward")
    assert "500" in failed.evidence.message
    assert (empty.reward, empty.parts[0].reason) == (0.0, pb.Part.nothing_to_judge)
    assert failed.provenance.judge_model == "judge"
    assert empty.provenance.judge_model == ""  # nobody was asked


def test_escalation_says_what_each_side_said(judged: Bench) -> None:
    judged.answer = verdicts(correctness="correct")
    recipe = pb.Recipe(parts=[pb.RecipePart(name="accuracy")], escalate=pb.Recipe.NO_MATCH)
    math = pb.MathTask(gold=["4"])
    choice = pb.ChoiceTask(gold="B", options=["one", "two"])
    escalated, plain, option = judged.verify(
        pb.Item(response="\\boxed{5}", math=math, inline_recipe=recipe),
        pb.Item(response="\\boxed{4}", math=math, inline_recipe=recipe),
        pb.Item(response="The answer is A.", choice=choice, inline_recipe=recipe),
    )
    assert escalated.reward == 1.0
    assert escalated.evidence.judge.rules == "no_match"
    assert escalated.evidence.math.canonical_answer == "5"
    assert escalated.extracted == "5"
    assert (escalated.provenance.judge_model, plain.provenance.judge_model) == ("judge", "")
    assert plain.reward == 1.0
    assert not plain.evidence.HasField("judge")
    assert option.evidence.judge.rules == "no_match"


def test_a_reward_model_rates(judged: Bench) -> None:
    texts: Sequence[Any] = []

    def answer(body: Mapping[str, Any]) -> Play:
        assert body["path"].endswith("/classify")
        texts.append(body["messages"][-1]["content"])  # type: ignore[attr-defined]
        return Play(json.dumps({"data": [{"probs": [0.0], "num_classes": 1}]}).encode(), 200, JSON)

    judged.answer = answer
    parts = [
        pb.RecipePart(name="reward_model", weight=2),
        pb.RecipePart(name="format", options={"style": "r1"}),
    ]
    item = ask(pb.JudgeTask.HELPFUL)
    item.inline_recipe.parts.extend(parts)
    (verdict,) = judged.verify(item)
    assert verdict.reward == 2.0  # logistic(0) = 0.5, twice; and well-formed
    assert [part.reason for part in verdict.parts] == [pb.Part.rated, pb.Part.well_formed]
    assert texts == ["With wings."]  # and the judge was not asked
    assert (verdict.provenance.judge_model, verdict.provenance.reward_model) == ("", "scalar")
    judged.answer = lambda body: error(404)
    (failed,) = judged.verify(item)
    assert failed.status == pb.Verdict.JUDGE_ERROR
    assert "scalar" in failed.evidence.message
    assert failed.provenance.reward_model == "scalar"


def rating(**options: str) -> pb.Recipe:
    """A reward model beside the form of DeepSeek-R1's answers."""
    parts = [pb.RecipePart(name="reward_model", options=options)]
    return pb.Recipe(parts=[*parts, pb.RecipePart(name="format", options={"style": "r1"})])


@pytest.fixture(scope="module")
def rated() -> Iterator[Bench]:
    """A server with two reward models and no judge."""
    bench: list[Bench] = []
    with (
        ChatServer(
            lambda request: bench[0].answer({"path": request.path} | dict(request.body))
        ) as chat,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = Path(folder) / "judge.toml"
        settings.write_text(
            "".join(
                f"""
                [reward_models.{name}]
                model = "{name}-rm"
                url = "{chat.url.removesuffix("/v1")}"
                """
                for name in ("helpful", "safe")
            )
        )
        options = ("--log-level", "warning", "--sandbox", "none", "--judge", str(settings))
        with EmbeddedServer(*options) as server, VerifierClient(server.address) as client:
            bench.append(Bench(chat, client))
            yield bench[0]


def test_a_recipe_says_which_reward_model(rated: Bench) -> None:
    texts: dict[str, str] = {}

    def answer(body: Mapping[str, Any]) -> Play:
        texts[body["model"]] = body["messages"][-1]["content"]
        number = {"helpful-rm": 0.0, "safe-rm": math.log(3)}[body["model"]]
        return Play(json.dumps({"data": [{"probs": [number]}]}).encode(), 200, JSON)

    rated.answer = answer
    helpful, safe = ask(pb.JudgeTask.HELPFUL), ask(pb.JudgeTask.HARMLESS)
    helpful.inline_recipe.CopyFrom(rating(model="helpful"))
    safe.inline_recipe.CopyFrom(rating(model="safe", view="whole"))
    verdicts = rated.verify(helpful, safe)
    assert [one.reward for one in verdicts] == [1.5, pytest.approx(1.75)]
    assert [one.provenance.reward_model for one in verdicts] == ["helpful-rm", "safe-rm"]
    assert texts == {"helpful-rm": "With wings.", "safe-rm": "<think>hm</think>With wings."}
    assert rated.client.describe().reward_model == "helpful, safe"


def test_a_name_that_is_none_of_its_reward_models(rated: Bench) -> None:
    none, other = ask(pb.JudgeTask.HELPFUL), ask(pb.JudgeTask.HELPFUL)
    none.inline_recipe.CopyFrom(rating())
    other.inline_recipe.CopyFrom(rating(model="helpfull"))
    verdicts = rated.verify(none, other)
    assert [one.status for one in verdicts] == [pb.Verdict.INVALID] * 2
    assert [one.evidence.message for one in verdicts] == [
        "inline_recipe: part 'reward_model': options[model]: required where there are several, "
        "helpful, safe, got none",
        "inline_recipe: part 'reward_model': options[model]: one of helpful, safe, got 'helpfull'",
    ]


@pytest.mark.parametrize("task", ["judge", "preference"])
def test_a_judge_is_needed_only_where_a_part_rests_on_it(rated: Bench, task: str) -> None:
    rated.answer = lambda body: Play(b'{"data": [{"probs": [0.0]}]}', 200, JSON)
    item = ask(pb.JudgeTask.HELPFUL)
    if task == "preference":
        item.preference.CopyFrom(pb.PreferenceTask(rival="r", mode=pb.PreferenceTask.HELPFUL))
    item.inline_recipe.CopyFrom(rating(model="helpful"))
    form, alone, both = pb.Item(), pb.Item(), pb.Item()
    for other in (form, alone, both):
        other.CopyFrom(item)
    del form.inline_recipe.parts[0]
    alone.ClearField("inline_recipe")
    both.inline_recipe.parts.append(pb.RecipePart(name="accuracy"))
    verdicts = rated.verify(item, form, alone, both)
    assert [one.status for one in verdicts] == [pb.Verdict.OK] * 2 + [pb.Verdict.INVALID] * 2
    assert [one.reward for one in verdicts[:2]] == [1.5, 1.0]
    for refused in verdicts[2:]:
        said = f"{task}: this server has no judge (--judge with [[endpoints]])"
        assert refused.evidence.message == said


def test_settings_that_no_judge_can_run_with(tmp_path: Path) -> None:
    settings = tmp_path / "judge.toml"
    settings.write_text("concurency = 3\n")
    with pytest.raises(Exception, match="ended with status 2"):
        EmbeddedServer("--sandbox", "none", "--judge", str(settings)).__enter__()
