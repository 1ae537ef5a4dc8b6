"""Benchmarks with a judge: a scripted judge over HTTP, and published figures."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from math import cos, log, sin
from pathlib import Path
from statistics import fmean

import pytest
from rich.console import Console

from evals import endpoint, judged
from evals.benchmark import Benchmark, Graded, Message, Question, Sample, Tools
from evals.benchmarks import named
from evals.benchmarks.alpaca_eval import Comparison, choice, discrete, length_controlled, messages
from evals.benchmarks.arena_hard import EDITIONS, controlled, difference, results, style, verdict
from evals.benchmarks.frames import decision
from evals.benchmarks.simpleqa import letter
from evals.data import Data, DataMissing
from evals.endpoint import EndpointModel, EndpointSettings
from evals.judged import Unreadable
from evals.records import Score, read
from evals.run import Plan, run
from tests.evals.support import NAME, stream
from tests.verifier.judge.server import ChatServer, Play, Request, error
from verifier.embedded import EmbeddedServer

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data in {SHARED}")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(endpoint, "MOST_PAUSE_S", 0.01)


def graded(
    benchmark: Benchmark,
    question: Question,
    responses: Sequence[str],
    script: Callable[[Request], Play],
) -> tuple[list[Graded], list[Request]]:
    """Responses to one question, graded one after another by a judge that plays the script."""
    assert benchmark.grade is not None
    grade = benchmark.grade

    async def whole(url: str) -> list[Graded]:
        judge = EndpointModel(EndpointSettings(url, NAME, stall_seconds=30, tries=2), NAME)
        try:
            return [await grade(question, response, Tools(judge)) for response in responses]
        finally:
            await judge.close()

    with ChatServer(script) as server:
        return asyncio.run(whole(server.url)), server.requests


def saying(*texts: str) -> Callable[[Request], Play]:
    left = list(texts)
    return lambda request: stream(left[min(request.number, len(left) - 1)])


def asked(request: Request) -> str:
    return str(request.body["messages"][-1]["content"])


QUESTION = Question("q", (Message("user", "Who?"),), gold="Ada", data={"problem": "Who?"})


# ------------------------------------------------------------------------------ reading


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *(("A", "A"), (" B.\n", "B"), ("**C**", "C"), ('"A"', "A")),
        *(("CORRECT", "A"), ("INCORRECT", "B"), ("NOT_ATTEMPTED", "C"), ("not attempted", "C")),
        *(("A: CORRECT", "A"), ("B:【错误】", "B"), ("【未尝试】", "C"), ("C：未尝试", "C")),
    ],
)
def test_a_letter_is_read(text, wanted):
    assert letter(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "AB", "A or B", "A: INCORRECT", "The answer is A", "Certainly!", "Correct answer"]
)
def test_what_is_no_letter_alone_is_unreadable(text):
    with pytest.raises(Unreadable):
        letter(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"Explanation:" same. "Decision:" "TRUE"', True),
        ("**Explanation:** no.\n**Decision:** FALSE", False),
        ("Decision: TRUE. To repeat, decision: true", True),
        ('{"Explanation": "x", "Decision": "FALSE"}', False),
    ],
)
def test_a_decision_is_read(text, wanted):
    assert decision(text) is wanted


@pytest.mark.parametrize("text", ["", "TRUE", "Decision: maybe", "Decision: TRUE Decision: FALSE"])
def test_what_is_no_one_decision_is_unreadable(text):
    with pytest.raises(Unreadable):
        decision(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[[A>B]] at first, but [[B>>A]]", "B>>A"),
        ("my final verdict is tie: [[a=b]]", "A=B"),
        ("so [B>A].", "B>A"),
        ("[[A>>B]] as [B>A] said", "A>>B"),
    ],
)
def test_a_verdict_is_read(text, wanted):
    assert verdict(text) == wanted


@pytest.mark.parametrize("text", ["", "A is better", "[[A]]", "[[A<>B]]", "[[A>B]] or [[A>>>B]]"])
def test_what_is_no_verdict_is_unreadable(text):
    with pytest.raises(Unreadable):
        verdict(text)


def test_two_games_of_swapped_order_are_the_models_results():
    # In the first game the model is B, in the second A.
    assert results("B>>A", "A>B") == [1, 1, 1, 1]
    assert results("A>>B", "B>A") == [0, 0, 0, 0]
    assert results("A=B", "A>>B") == [1, 1, 1, 0.5]
    assert results("A>B", "A=B") == [0.5, 0]


@pytest.mark.parametrize("text", ["", "Mm", "the model m", "n", "m or M"])
def test_what_is_no_choice_is_unreadable(text):
    assert choice(" m\n") == 0
    assert choice("`M`") == 1
    with pytest.raises(Unreadable):
        choice(text)


# ------------------------------------------------------------------------- asking a judge


def test_the_judge_gets_the_prompt_and_its_letter_counts():
    (right, wrong, none), requests = graded(
        named("simpleqa"), QUESTION, ["Ada {target}", "Bob", "No idea"], saying("A", "B", "C")
    )
    assert (right.score, wrong.score, none.score) == (1.0, 0.0, 0.0)
    assert [one.evidence["grade"] for one in (right, wrong, none)] == [
        "correct",
        "incorrect",
        "not_attempted",
    ]
    assert [one.status for one in (right, wrong, none)] == ["ok"] * 3
    prompt = asked(requests[0])
    assert "Question: Who?\nGold target: Ada\nPredicted answer: Ada {target}\n" in prompt
    assert prompt.startswith("Your job is to look at a question, a gold target, and a predicted")
    assert prompt.endswith('Just return the letters "A", "B", or "C", with no text around it.')
    assert requests[0].body["temperature"] == 0.5


def test_an_unreadable_answer_is_asked_for_again_with_another_seed():
    (found,), requests = graded(
        named("simpleqa"), QUESTION, ["Ada"], saying("Certainly! It is A or B.", "A")
    )
    assert (found.score, found.evidence["tries"]) == (1.0, 2)
    assert len({request.body["seed"] for request in requests}) == 2


def test_a_judge_that_is_never_readable_leaves_no_score():
    (found,), requests = graded(named("simpleqa"), QUESTION, ["Ada"], saying("Hm."))
    assert (found.status, found.score) == ("grader_error", None)
    assert len(requests) == judged.TRIES
    assert found.evidence["judge"] == ["Hm."] * judged.TRIES
    assert "could not be read" in found.evidence["error"]


def test_a_judge_that_fails_leaves_no_score():
    for name in ("simpleqa", "c_simpleqa", "frames"):
        (found,), _ = graded(named(name), QUESTION, ["Ada"], lambda request: error(500, "down"))
        assert (found.status, found.score) == ("grader_error", None)
        assert "down" in found.evidence["error"]


def test_an_answer_of_the_judge_that_was_cut_off_is_not_read():
    (found,), _ = graded(
        named("simpleqa"), QUESTION, ["Ada"], lambda request: stream("A", finish="length")
    )
    assert (found.status, found.score) == ("grader_error", None)
    assert "cut off" in found.evidence["error"]


def test_a_judge_may_think():
    (found,), _ = graded(named("simpleqa"), QUESTION, ["Ada"], saying("<think>C? B?</think>\n\nA"))
    assert found.score == 1.0


@pytest.mark.parametrize("response", ["", "  \n", "<think>Ada, I think, but let me"])
def test_no_final_answer_is_no_answer_and_asks_nobody(response):
    for name in ("simpleqa", "c_simpleqa", "frames"):
        (found,), requests = graded(named(name), QUESTION, [response], saying("A"))
        assert (found.status, found.score, requests) == ("no_answer", 0.0, [])


def test_figures_of_simpleqa():
    benchmark = named("simpleqa")
    grades = ["correct"] * 3 + ["incorrect"] * 1 + ["not_attempted"] * 4
    samples = [
        Sample(
            Question(str(n), ()), 0, "", Graded("ok", float(said == "correct"), "", {"grade": said})
        )
        for n, said in enumerate(grades)
    ]
    lost = Sample(Question("lost", ()), 0, "", Graded("grader_error", None))
    assert benchmark.aggregate is not None
    figures = benchmark.aggregate([*samples, lost])
    assert figures["correct"] == pytest.approx(3 / 8)
    assert figures["accuracy_given_attempted"] == pytest.approx(3 / 4)
    assert figures["f1"] == pytest.approx(2 * 0.75 * 0.375 / 1.125)
    assert benchmark.aggregate([lost]) == {}
    nothing = [sample for sample in samples if sample.graded.evidence["grade"] == "not_attempted"]
    assert benchmark.aggregate(nothing)["f1"] == 0.0


def test_chinese_simpleqa_and_frames_have_their_own_prompts():
    (found,), requests = graded(named("c_simpleqa"), QUESTION, ["Ada"], saying("A"))
    assert found.score == 1.0
    assert "问题: Who?\n正确答案: Ada\n预测答案: Ada\n" in asked(requests[0])
    (found,), requests = graded(named("frames"), QUESTION, ["Ada"], saying('"Decision:" "FALSE"'))
    assert found.score == 0.0
    assert "- Predicted Answer: Ada\n- Ground Truth Answer: Ada\n" in asked(requests[0])


# ------------------------------------------------------------------------------ ArenaHard


def arena_question(baseline: str = "the baseline's answer") -> Question:
    return Question(
        "u",
        (Message("user", "Write {a} poem"),),
        data={"baseline": baseline, "style": style(baseline)},
    )


def test_both_orders_are_judged():
    def script(request: Request) -> Play:
        ours_first = "Assistant A's Answer|>\nours" in asked(request)
        return stream("I like it: " + ("[[A>>B]]" if ours_first else "[[A=B]]"))

    (found,), requests = graded(named("arena_hard"), arena_question(), ["ours"], script)
    assert len(requests) == 2
    assert found.evidence["verdicts"] == ["A=B", "A>>B"]
    assert found.score == pytest.approx((3 + 0.5) / 4)
    assert all(request.body["temperature"] == 0 for request in requests)
    first = next(r for r in requests if "Assistant A's Answer|>\nthe baseline" in asked(r))
    assert asked(first) == (
        "<|User Prompt|>\nWrite {a} poem\n\n"
        "<|The Start of Assistant A's Answer|>\nthe baseline's answer\n"
        "<|The End of Assistant A's Answer|>\n\n"
        "<|The Start of Assistant B's Answer|>\nours\n<|The End of Assistant B's Answer|>"
    )
    system = first.body["messages"][0]
    assert system["role"] == "system"
    assert "generating your own answer" in system["content"]


def test_one_game_without_a_verdict_leaves_no_score():
    def script(request: Request) -> Play:
        ours_first = "Assistant A's Answer|>\nours" in asked(request)
        return stream("[[A>B]]" if ours_first else "both are fine")

    (found,), requests = graded(named("arena_hard"), arena_question(), ["ours"], script)
    assert (found.status, found.score) == ("grader_error", None)
    assert len(requests) == 1 + judged.TRIES


def arena_sample(id: str, verdicts: tuple[str, str], response: str = "x") -> Sample:
    won = results(*verdicts)
    evidence = {"results": won, "style": style(response).tolist()}
    question = arena_question("a baseline")
    return Sample(
        Question(id, question.messages, data=question.data),
        0,
        response,
        Graded("ok", fmean(won), evidence=evidence),
    )


def test_the_win_rate_is_over_games_and_its_interval_is_drawn():
    benchmark = named("arena_hard")
    samples = [arena_sample(f"w{n}", ("B>>A", "A>>B")) for n in range(60)]
    samples += [arena_sample(f"l{n}", ("A>B", "B>A")) for n in range(40)]
    assert benchmark.aggregate is not None
    figures = benchmark.aggregate(
        [*samples, Sample(arena_question(), 0, "", Graded("grader_error", None))]
    )
    assert figures["win_rate"] == pytest.approx(360 / 440)
    assert figures["win_rate_q025"] < figures["win_rate"] < figures["win_rate_q975"]
    # Of 440 games by themselves, as there.
    width = figures["win_rate_q975"] - figures["win_rate_q025"]
    assert width == pytest.approx(2 * 1.96 * (0.818 * 0.182 / 440) ** 0.5, rel=0.25)
    assert benchmark.aggregate(samples) == figures
    assert benchmark.aggregate([]) == {}


def test_style_is_counted_outside_of_code():
    text = "# Head\n\n- one\n- two\n1. three\n**bold** and __more__\n```\n# no\n- no\n```\n"
    assert style(text).tolist() == [len(text), 1, 3, 2]
    same = difference(style(text), style(text))
    assert same.tolist() == [0, 0, 0, 0]


def test_style_control_takes_out_what_length_explains():
    import numpy as np

    draws = np.random.default_rng(3)
    apart = np.zeros((4000, 4))
    apart[:, 0] = draws.uniform(0.2, 0.8, 4000)  # always longer than the baseline
    won = (draws.random(4000) < 1 / (1 + np.exp(-4 * apart[:, 0]))).astype(float)
    assert won.mean() > 0.85
    assert controlled(won, apart) == pytest.approx(0.5, abs=0.05)
    assert controlled(np.ones(50), np.zeros((50, 4))) > 0.95  # separable data end


@needs_data
def test_arena_hard_loads_and_its_judge_compares_with_the_published_baseline():
    questions = list(named("arena_hard").load(Data(SHARED, hub=False)))
    assert len(questions) == 500
    assert len({question.id for question in questions}) == 500
    with gzip.open(SHARED / "arena_hard" / "v0.1_baseline_gpt-4-0314.jsonl.gz", "rt") as file:
        rows = {row["uid"]: row for row in map(json.loads, file)}
    for question in questions:
        messages = rows[question.id]["messages"]
        assert messages[0]["content"] == question.messages[-1].content
        assert messages[1]["content"]["answer"] == question.data["baseline"]
    with pytest.raises(DataMissing, match=r"v2\.0_baseline_o3-mini.*model_answer/o3-mini"):
        named("arena_hard_v2").load(Data(SHARED, hub=False))


def test_arena_hard_editions_take_their_category(tmp_path):
    folder = tmp_path / "arena_hard"
    folder.mkdir()
    rows = [
        {"uid": "1", "category": "hard_prompt", "subcategory": "coding", "prompt": "code"},
        {
            "uid": "2",
            "category": "creative_writing",
            "subcategory": "creative_writing",
            "prompt": "write",
        },
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "v2.0_question.jsonl.gz").write_bytes(gzip.compress(lines))
    answers = [
        {
            "uid": id,
            "messages": [
                {"role": "user", "content": "?"},
                {"role": "assistant", "content": {"answer": f"a{id}"}},
            ],
        }
        for id in "12"
    ]
    lines = "".join(json.dumps(row) + "\n" for row in answers).encode()
    for edition in EDITIONS[1:]:
        (tmp_path / edition.file).write_bytes(gzip.compress(lines))
    (hard,) = named("arena_hard_v2").load(Data(tmp_path))
    (creative,) = named("arena_hard_v2:creative_writing").load(Data(tmp_path))
    assert (hard.id, hard.slices, hard.data["baseline"]) == ("1", {"subcategory": "coding"}, "a1")
    assert (creative.id, creative.slices) == ("2", {})


# ----------------------------------------------------------------------------- AlpacaEval

PROMPT = (
    "<|im_start|>system\nJudge.\n<|im_end|>\n<|im_start|>user\n"
    '{instruction}\n{\n    {\n        "model": "m",\n        "output": """{output_1}"""\n    },\n'
    '    {\n        "model": "M",\n        "output": """{output_2}"""\n    }\n}\n'
    "## Best Model Identifier\n<|im_end|>"
)


def alpaca_folder(folder: Path, count: int = 8) -> Path:
    place = folder / "alpaca_eval2"
    place.mkdir(parents=True)
    (place / "alpaca_eval_clf.txt").write_text(PROMPT)
    rows = [
        {"instruction": f"Say {n}", "output": f"The baseline says {n}", "dataset": "own"}
        for n in range(count)
    ]
    (place / "alpaca_eval_gpt4_baseline.json").write_text(json.dumps(rows))
    return folder


def prefers_ours(request: Request) -> Play:
    text = asked(request)
    return stream("m" if text.index("ours") < text.index("The baseline") else "M")


def refuses_logprobs(request: Request) -> Play:
    if "logprobs" in request.body:
        return error(400, "logprobs is not supported by this model")
    return prefers_ours(request)


@pytest.mark.parametrize("script", [prefers_ours, refuses_logprobs])
def test_alpaca_eval_asks_in_an_order_drawn_from_the_instruction(tmp_path, script):
    benchmark = named("alpaca_eval")
    questions = list(benchmark.load(Data(alpaca_folder(tmp_path))))
    assert len(questions) == 8
    orders = set()
    for question in questions:
        (found,), requests = graded(benchmark, question, ["ours"], script)
        assert (found.score, found.evidence["weighed"]) == (1.0, False)
        first = asked(requests[0]).index("ours") < asked(requests[0]).index("The baseline")
        assert first is found.evidence["model_first"]
        orders.add(first)
    assert orders == {True, False}


def test_alpaca_eval_weighs_where_the_judge_tells_probabilities(tmp_path):
    from tests.verifier.judge.server import says

    benchmark = named("alpaca_eval")
    for question in benchmark.load(Data(alpaca_folder(tmp_path))):

        def script(request: Request) -> Play:
            ours = asked(request).index("ours") < asked(request).index("The baseline")
            tokens = ("m", "M") if ours else ("M", "m")
            top = [(tokens[0], log(0.6)), (tokens[1], log(0.2)), ("The", log(0.1))]
            return says(tokens[0], top=top)

        (found,), _ = graded(benchmark, question, ["ours"], script)
        assert found.score == pytest.approx(0.75)
        assert found.evidence["weighed"]
        neither = [("The", -0.1), ("I", -3.0)]
        (lost,), _ = graded(
            benchmark,
            question,
            ["ours"],
            lambda request, top=neither: says("The", top=top),
        )
        assert (lost.status, lost.score) == ("grader_error", None)


def test_alpaca_eval_says_what_is_missing(tmp_path):
    with pytest.raises(DataMissing, match=r"alpaca_eval_clf\.txt.*tatsu-lab/alpaca_eval"):
        named("alpaca_eval").load(Data(tmp_path))
    folder = alpaca_folder(tmp_path)
    (folder / "alpaca_eval2" / "alpaca_eval_clf.txt").write_text("{instruction} {output_1}")
    with pytest.raises(DataMissing, match="not the template"):
        named("alpaca_eval").load(Data(folder))


def test_what_a_text_says_in_braces_is_no_place():
    system, user = messages(PROMPT, "{output_2}", "{instruction}", "{{x}}")
    assert system == Message("system", "Judge.")
    assert user.content.startswith("{output_2}\n{")
    assert '"""{instruction}"""' in user.content
    assert '"""{{x}}"""' in user.content


OFFICIAL_MINIMAL = {
    "claude-2.1": 32.405221386350036,
    "vicuna-7b-v1.5": 11.227433456200679,
    "gemma-7b-it": 13.002420970519585,
    "openbuddy-llama2-70b-v10.1": 20.065693604596728,
    "gpt4_gamed": 39.233700093203,
    "NullModel": 84.70951670200647,
}
"""What glm_winrate.py (cd543a1) makes of the same annotations by `length_controlled_minimal`."""


@needs_data
def test_published_win_rates_of_alpaca_eval():
    folder = SHARED / "alpaca_eval2"
    with gzip.open(folder / "slim_annotations.json.gz", "rt") as file:
        models = json.load(file)
    with (folder / "leaderboard.csv").open() as file:
        published = {row[""]: row for row in csv.DictReader(file)}
    assert len(models) == 6
    for model in models:
        compared = [
            Comparison(row["preference"] - 1, row["len_1"], row["len_2"]) for row in model["rows"]
        ]
        assert len(compared) == 805
        row = published[model["model"]]
        raw = fmean(one.preference for one in compared)
        assert 100 * raw == pytest.approx(float(row["win_rate"]), abs=1e-6)
        whole = 100 * discrete(one.preference for one in compared)
        assert whole == pytest.approx(float(row["discrete_win_rate"]), abs=1e-6)
        found = 100 * length_controlled(compared, minimal=True)
        assert found == pytest.approx(OFFICIAL_MINIMAL[model["model"]], abs=1e-3)


def test_the_official_length_control_uses_what_the_users_copy_has(tmp_path):
    folder = alpaca_folder(tmp_path, 40)
    with (folder / "alpaca_eval2" / "df_gamed.csv").open("w") as file:
        print(
            "model,index,preference,std_delta_len,instruction_difficulty,not_gamed_baseline",
            file=file,
        )
        for name, sign in (("verbose", 1), ("concise", -1)):
            for n in range(40):
                preference = 0.5 + sign * 0.3 * cos(n)
                print(f"{name},{n},{preference},{-sign * 1.5},{n % 5 - 2},False", file=file)
    benchmark = named("alpaca_eval")
    preferences = [
        min(0.99, 0.7 + 0.02 * (7 * n % 31 - 15) + 0.12 * (n % 5 - 2) + 0.05 * sin(n))
        for n in range(40)
    ]
    samples = [
        Sample(
            question,
            0,
            "",
            Graded("ok", preferences[n], evidence={"model_chars": 10 + 7 * n % 31}),
        )
        for n, question in enumerate(benchmark.load(Data(folder)))
    ]
    assert benchmark.aggregate is not None
    figures = benchmark.aggregate(samples)
    # What glm_winrate.py (cd543a1) makes of the same data by `length_controlled_v1`.
    assert 100 * figures["length_controlled"] == pytest.approx(63.432490406820406, abs=1e-3)
    assert 100 * figures["length_controlled_minimal"] == pytest.approx(60.83090292160323, abs=1e-3)
    plain = [
        Sample(
            Question(
                "q",
                sample.question.messages,
                data=dict(sample.question.data) | {"difficulty": None},
            ),
            0,
            "",
            sample.graded,
        )
        for sample in samples
    ]
    assert "length_controlled" not in benchmark.aggregate(plain)
    assert benchmark.aggregate(plain)["length_controlled_minimal"] == pytest.approx(
        figures["length_controlled_minimal"]
    )


# ----------------------------------------------------------------------------------- data


def test_simpleqa_of_a_folder(tmp_path):
    folder = tmp_path / "simpleqa"
    folder.mkdir()
    (folder / "simple_qa_test_set.csv").write_text(
        "metadata,problem,answer\n"
        "\"{'topic': 'Art', 'answer_type': 'Person', 'urls': []}\",Who painted it?,\"Ada, L.\"\n"
        "no dict,When?,1843\n"
    )
    first, second = named("simpleqa").load(Data(tmp_path))
    assert first.slices == {"topic": "Art", "answer_type": "Person"}
    assert (first.gold, first.messages) == ("Ada, L.", (Message("user", "Who painted it?"),))
    assert (second.id, second.slices) == ("1", {})
    (folder / "simple_qa_test_set.csv").write_text("metadata,problem,answer\nx,Who?,\n")
    with pytest.raises(DataMissing, match="row 0: answer must be a text"):
        named("simpleqa").load(Data(tmp_path))
    with pytest.raises(DataMissing, match="chinese_simpleqa"):
        named("c_simpleqa").load(Data(tmp_path, hub=False))


def test_frames_with_its_pages(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    row = {
        "Prompt": "Who?",
        "Answer": "Ada",
        "wiki_links": "['https://one', 'https://two']",
        "reasoning_types": "Temporal reasoning | Tabular",
    }
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    (plain,) = named("frames").load(Data(tmp_path))
    assert plain.messages == (Message("user", "Who?"),)
    assert plain.slices == {"reasoning": "Temporal reasoning"}
    with pytest.raises(DataMissing, match=r"articles\.jsonl\.gz.*url and text"):
        named("frames:oracle").load(Data(tmp_path))
    pages = [{"url": "https://one", "text": "ONE"}, {"url": "https://two", "text": "TWO"}]
    path = folder / "articles.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(page) + "\n" for page in pages).encode()))
    (question,) = named("frames:oracle").load(Data(tmp_path))
    assert question.messages[0].content == (
        "Here are the relevant Wikipedia articles:\nONE\n\nTWO\n\n"
        "Based on all the information, answer the query. \n\nQuery: Who?\n\n"
    )
    path.write_bytes(gzip.compress(json.dumps(pages[0]).encode()))
    with pytest.raises(DataMissing, match="no text of https://two"):
        named("frames:oracle").load(Data(tmp_path))


def test_every_judged_benchmark_needs_a_judge_and_sees_the_final_part_alone():
    for name in ("simpleqa", "c_simpleqa", "frames", "arena_hard", "arena_hard_v2", "alpaca_eval"):
        benchmark = named(name)
        assert benchmark.needs_judge
        assert benchmark.final_only
        assert benchmark.grade is not None


# ------------------------------------------------------------------------------ whole runs


def test_a_run_with_a_judge_that_fails_at_times_invents_no_wrong_answer(tmp_path):
    folder = tmp_path / "data" / "simpleqa"
    folder.mkdir(parents=True)
    lines = "".join(f"x,Who is number {n}?,Person {n}\n" for n in range(8))
    (folder / "simple_qa_test_set.csv").write_text("metadata,problem,answer\n" + lines)

    def answers(request: Request) -> Play:
        number = int(asked(request).split()[-1].rstrip("?"))
        return stream(f"<think>Person 99? No.</think>Person {number if number % 2 else 50}")

    def judges(request: Request) -> Play:
        text = asked(request).split("Question: ")[-1]
        assert "think" not in text
        gold, answer = (
            text.split(f"{name}: Person ")[1].split()[0]
            for name in ("Gold target", "Predicted answer")
        )
        if gold in ("6", "7"):
            return error(400, "no")
        return stream("A" if gold == answer else "B")

    async def whole(model_url: str, judge_url: str, verifier: str):
        models = [
            EndpointModel(EndpointSettings(url, NAME, tries=2), NAME)
            for url in (model_url, judge_url)
        ]
        plan = Plan(
            tmp_path / "out",
            Data(tmp_path / "data", hub=False),
            (named("simpleqa"),),
            models[0],
            Tools(models[1]),
            overrides={"k": 2},
        )
        try:
            return await run(plan, verifier, Console(file=io.StringIO()))
        finally:
            for model in models:
                await model.close()

    with (
        EmbeddedServer("--log-level", "warning", "--sandbox", "none") as service,
        ChatServer(answers) as model,
        ChatServer(judges) as judge,
    ):
        (summary,) = asyncio.run(whole(model.url, judge.url, service.address))
    assert summary.shares.grader_error == pytest.approx(4 / 16)
    assert summary.headline.value == pytest.approx(3 / 6)
    assert summary.bounds == (pytest.approx(6 / 16), pytest.approx(10 / 16))
    scores = list(read(tmp_path / "out" / "simpleqa" / "scores.jsonl", Score))
    assert {one.question for one in scores if one.score is None} == {"6", "7"}
    assert {one.question for one in scores if one.score == 0} == {"0", "2", "4"}
