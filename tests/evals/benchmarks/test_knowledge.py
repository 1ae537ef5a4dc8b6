"""MMLU, MMLU-Redux, GPQA, C-Eval, CMMLU and CLUEWSC on hand-written rows; none is at hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import BenchmarkError, Question
from evals.benchmarks import chinese, gpqa, named
from evals.benchmarks.mmlu import SUBJECTS, choice_question, redux_answer
from evals.data import Data, DataMissing
from tests.evals.benchmarks.support import folder, scores, text
from verifier.embedded import EmbeddedServer

CITIES = ["Rome", "Paris", "Oslo", "Bern"]
ROW = {"question": "Capital of France?", "subject": "geography", "choices": CITIES, "answer": 1}


def load(name: str, root: Path, path: str, *rows: Mapping[str, Any]) -> list[Question]:
    return list(named(name).load(folder(root, {path: rows})))


def test_mmlu(tmp_path: Path, server: EmbeddedServer) -> None:
    other = ROW | {"subject": "history"}
    questions = load("mmlu", tmp_path, "mmlu/test.jsonl", ROW, other, ROW)
    assert [one.id for one in questions] == ["geography-0", "history-0", "geography-1"]
    assert questions[0].slices == {"subject": "geography"}
    assert text(questions[0]) == (
        "Answer the following multiple choice question. The last line of your response should be "
        "of the following format: 'Answer: $LETTER' (without quotes) where LETTER is one of ABCD. "
        "Think step by step before answering.\n\nCapital of France?\n\n"
        "A) Rome\nB) Paris\nC) Oslo\nD) Bern"
    )
    answers = ["Answer: B", "Answer: $B$", "Answer: A", "<think>Answer: B", "I do not know."]
    assert scores(server, [(questions[0], answer) for answer in answers]) == [1, 1, 0, 0, 0]


def test_braces_in_a_question_are_text(tmp_path: Path) -> None:
    (question,) = load("mmlu", tmp_path, "mmlu/test.jsonl", ROW | {"question": "{options} of {x}?"})
    assert "\n\n{options} of {x}?\n\nA) Rome" in text(question)


def test_mmlu_redux(tmp_path: Path, server: EmbeddedServer) -> None:
    base = ROW | {"config": "geography", "error_type": "ok", "correct_answer": None}
    rows = [
        base | {"question": "Is {choices} text?"},
        base | {"error_type": "bad_question_clarity"},
        base | {"error_type": "wrong_groundtruth", "correct_answer": "2"},
    ]
    questions = load("mmlu_redux", tmp_path, "mmlu_redux/test.jsonl", *rows)
    assert [(one.id, one.gold) for one in questions] == [("geography-0", "B"), ("geography-2", "C")]
    assert text(questions[1]) == (
        "\n## Question: \n\nCapital of France?\n\n## Choices:\n\n"
        "- (A) Rome\n- (B) Paris\n- (C) Oslo\n- (D) Bern\n\n\n## Instruction \n\n"
        "Please answer this question by first reasoning and then selecting the correct choice. \n"
        "Present your reasoning and solution in the following json format. \n"
        "Please show your choice in the `answer` field with only the choice letter, e.g.,"
        '`"answer": "C"`.\n\n```json\n{\n    "reasoning": "___",\n    "answer": "___"\n}\n```\n'
    )
    answer = '```json\n{\n    "reasoning": "Not A, so I say C.",\n    "answer": "B"\n}\n```'
    assert scores(server, [(one, answer) for one in questions]) == [1, 0]


@pytest.mark.parametrize(
    ("kind", "corrected", "right"),
    [
        ("ok", None, 1),
        ("ok", "D", 1),
        ("wrong_groundtruth", "D", 3),
        ("wrong_groundtruth", "d", 3),
        ("wrong_groundtruth", "0", 0),
        ("wrong_groundtruth", "E", None),
        ("wrong_groundtruth", "AB", None),
        ("wrong_groundtruth", "", None),
        ("wrong_groundtruth", None, None),
        ("no_correct_answer", None, None),
        ("multiple_correct_answers", "A", None),
    ],
)
def test_redux_answer(kind: str, corrected: str | None, right: int | None) -> None:
    assert redux_answer(ROW | {"error_type": kind, "correct_answer": corrected}) == right


def test_subjects() -> None:
    assert len(set(SUBJECTS)) == 57
    assert len(chinese.CEVAL_SUBJECTS) == 52
    assert len(chinese.CMMLU_SUBJECTS) == 67


def test_an_answer_that_is_no_option() -> None:
    with pytest.raises(BenchmarkError, match=r"q: the answer is one of 4 options, .*got -1"):
        choice_question("q", (), CITIES, -1)


# ---------------------------------------------------------------- GPQA

HEADER = "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,High-level domain\n"


def test_gpqa(tmp_path: Path, server: EmbeddedServer) -> None:
    csv = (
        f'\ufeff{HEADER}rec1,"Which city, of these,\nis in France?",Paris,Rome,Oslo,Bern,Physics\n'
    )
    (question,) = named("gpqa_diamond").load(folder(tmp_path, {"gpqa/gpqa_diamond.csv": csv}))
    assert question.id == "rec1"
    assert question.slices == {"subject": "Physics"}
    assert f"\n{question.gold}) Paris" in text(question)
    assert "Which city, of these,\nis in France?" in text(question)
    right, wrong = f"Answer: {question.gold}", "Answer: " + "BCDA"["ABCD".index(question.gold)]
    assert scores(server, [(question, right), (question, wrong)]) == [1, 0]


def test_gpqa_order_of_options_is_the_questions_own() -> None:
    draw = random.Random(1)
    golds = []
    for n in range(400):
        options = [f"{n} {city}" for city in CITIES]
        shown = [options[place] for place in gpqa.permuted(f"q{n}", options)]
        golds.append(shown.index(options[0]))
        # Whichever option is right, and in whatever order they come, they are shown alike.
        draw.shuffle(options)
        assert [options[place] for place in gpqa.permuted(f"q{n}", options)] == shown
    assert all(70 < golds.count(place) < 130 for place in range(4))
    # The order that runs of the past have been in.
    assert gpqa.permuted("q", CITIES) == [0, 1, 3, 2]


def test_gpqa_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"Idavidrein/gpqa@633f5ee8.*gpqa_diamond.csv"):
        named("gpqa_diamond").load(Data(tmp_path, hub=False))


# ---------------------------------------------------------------- Chinese


def test_ceval(tmp_path: Path, server: EmbeddedServer) -> None:
    row = {"id": 4, "question": "首都是____", "answer": "C", "config": "logic"}
    row |= dict(zip("ABCD", ["上海", "广州", "北京", "天津"], strict=True))
    (question,) = load("ceval", tmp_path, "ceval/val.jsonl", row)
    assert (question.id, question.slices) == ("logic-4", {"subject": "logic"})
    assert text(question) == (
        "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n\n"
        "首都是____\nA. 上海\nB. 广州\nC. 北京\nD. 天津\n答案："
    )
    answers = ["C", "答案是C。", "因此，正确答案是北京。", "A", "答案：B"]
    assert scores(server, [(question, answer) for answer in answers]) == [1, 1, 1, 0, 0]


def test_cmmlu(tmp_path: Path, server: EmbeddedServer) -> None:
    header = ",Question,A,B,C,D,Answer\n"
    files = {f"cmmlu/test/{subject}.csv": header for subject in chinese.CMMLU_SUBJECTS}
    files["cmmlu/test/astronomy.csv"] = f'{header}0,"太阳是,一颗",行星,恒星,卫星,彗星,B\n'
    (question,) = named("cmmlu").load(folder(tmp_path, files))
    assert question.id == "astronomy-0"
    assert text(question) == (
        "以下是关于天文学的单项选择题，请分析并选出正确答案。\n\n"
        "题目：太阳是,一颗\nA. 行星\nB. 恒星\nC. 卫星\nD. 彗星\n逐步分析并给出答案选项。"
    )
    answers = ["分析：……\n因此选B。", "答案选项：B", "答案是D"]
    assert scores(server, [(question, answer) for answer in answers]) == [1, 1, 0]


def test_cluewsc(tmp_path: Path, server: EmbeddedServer) -> None:
    target = {"span1_text": "床", "span1_index": 0, "span2_text": "它", "span2_index": 9}
    row = {"target": target, "idx": 1, "text": "床很旧了，它吱吱响。"}
    rows = [row | {"label": "true"}, row | {"label": "false"}]
    questions = load("cluewsc", tmp_path, "cluewsc/dev.json", *rows)
    assert [one.gold for one in questions] == ["A", "B"]
    assert text(questions[0]) == (
        "床很旧了，它吱吱响。\n此处，“它”是否指代“床“？\nA. 是\nB. 否\n"
        "请从”A“，”B“中进行选择。\n答："
    )
    pairs = [(one, answer) for one in questions for answer in ("A", "A. 是", "所以选择B。")]
    assert scores(server, pairs) == [1, 1, 0, 0, 0, 1]
