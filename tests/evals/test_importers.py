"""Stored responses of other harnesses become generations of the right questions, or a clear error."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from evals.benchmark import Question, math_question, user
from evals.benchmarks import named
from evals.data import Data
from evals.importers import ImportFailed, imported
from evals.records import Generation, prompt_hash
from tests.evals.support import sums
from verifier.client import Item

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data in {SHARED}")


def questions(count: int = 3) -> list[Question]:
    return list(sums(count).load(None))  # type: ignore[arg-type]


def jsonl(path: Path, *rows: object) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def whole(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def found(format: str, path: Path, asked: list[Question], **how: object) -> list[Generation]:
    return imported(format, path, "sums", asked, **how)  # type: ignore[arg-type]


def placed(generations: list[Generation]) -> list[tuple[str, int, str]]:
    return [(one.question, one.sample, one.response) for one in generations]


# ----------------------------------------------------------------------------- our own rows


def test_plain_rows(tmp_path):
    rows = [
        {"id": "sum-1", "response": ["b", "c"]},
        {"id": "sum-0", "response": "a", "sample": 1, "finish": "length", "reasoning": "hm"},
        {"id": "sum-0", "response": "z", "sample": 0},
    ]
    for name in ("rows.jsonl", "rows.jsonl.gz"):
        made = found("jsonl", jsonl(tmp_path / name, *rows), questions(2), params_hash="p")
        assert placed(made) == [
            ("sum-0", 0, "z"),
            ("sum-0", 1, "a"),
            ("sum-1", 0, "b"),
            ("sum-1", 1, "c"),
        ]
        cut = made[1]
        assert (cut.finish, cut.reasoning, cut.benchmark, cut.params_hash) == (
            "length",
            "hm",
            "sums",
            "p",
        )
        assert cut.prompt_hash == prompt_hash(questions(1)[0].messages)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "sum-9", "response": "a"}], "line 1: no one question of the benchmark has its id 'sum-9'"),
        ([{"id": "sum-0", "response": "a"}], r"1 of 2 questions have fewer than 1 samples: sum-1 \(0\)"),
        ([{"id": "sum-0", "response": ["a", "b"]}, {"id": "sum-1", "response": "a"}], r"fewer than 2 samples: sum-1 \(1\)"),
        ([{"id": "sum-0", "response": "a", "sample": 0}] * 2, "line 2: sample 0 of this question is at line 1, too"),
        ([{"id": "sum-0"}], "line 1: response must be a list of texts, got None"),
        ([{"id": "sum-0", "response": ["a", 1]}], "line 1: response must be a list of texts"),
        ([{"response": "a"}], "line 1: id must be a text or a number, got None"),
        ([{"id": "sum-0", "response": "a", "sample": -1}], "line 1: sample must be the number of one response, .*, got -1"),
        ([{"id": "sum-0", "response": ["a"], "sample": 0}], "line 1: sample must be"),
        ([{"id": "sum-0", "response": "a", "sample": 10**9}], "line 1: sample must be .* less than 10000, got 1000000000"),
        ([{"id": "sum-0", "response": "a", "sample": True}], "line 1: sample must be .*got True"),
        ([{"id": "sum-0", "response": "a", "reasoning": ["b"]}], r"line 1: reasoning must be a text, got \['b'\]"),
        ([{"id": "sum-0", "response": "a", "finish": "error"}], "finish must be stop or length, got 'error'"),
        ([{"id": "sum-0", "response": "a", "text": ""}], "line 1: unknown text; known: "),
        ([1], "line 1: not a JSON object"),
        ([], "no responses"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_said(tmp_path, rows, message):
    path = jsonl(tmp_path / "rows.jsonl", *rows)
    with pytest.raises(ImportFailed, match=message):
        found("jsonl", path, questions(2))


def test_no_reasoning_is_none(tmp_path):
    path = jsonl(tmp_path / "rows.jsonl", {"id": "sum-0", "response": "a", "reasoning": None})
    (made,) = found("jsonl", path, questions(1))
    assert made.text == "a"


@pytest.mark.parametrize("form", ["jsonl", "livecodebench", "lm-eval", "simple-evals"])
def test_hostile_files_are_said(tmp_path, form):
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    with pytest.raises(ImportFailed, match=r"deep\.json.*recursion"):
        found(form, deep, questions())
    cut = tmp_path / "cut.json.gz"
    raw = gzip.compress(random.Random(1).randbytes(999))
    for damaged in (raw[:-500], raw[:30] + b"x" * 99 + raw[129:]):
        cut.write_bytes(damaged)
        with pytest.raises(ImportFailed, match=r"cut\.json\.gz"):
            found(form, cut, questions())


def test_conversations_that_are_none_are_said(tmp_path):
    path = tmp_path / "x_allresults.json"
    path.write_text('{"convos": [5]}')
    with pytest.raises(ImportFailed, match=r"convos\[0\]: must end with"):
        found("simple-evals", path, questions())


def test_files_and_formats_that_are_not_there_are_said(tmp_path):
    with pytest.raises(ImportFailed, match=r"FORMAT: one of jsonl, lighteval, .* got 'helm'"):
        found("helm", tmp_path / "x", questions())
    with pytest.raises(ImportFailed, match="no such file"):
        found("jsonl", tmp_path / "x", questions())
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "sum-0", "response": "a"}\n{"id": ')
    with pytest.raises(ImportFailed, match=r"line 2: "):
        found("jsonl", path, questions())
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ImportFailed, match=r"rows\.jsonl: .*utf-8"):
        found("jsonl", path, questions())
    broken = tmp_path / "rows.jsonl.gz"
    broken.write_bytes(b"no gzip")
    with pytest.raises(ImportFailed, match=r"rows\.jsonl\.gz"):
        found("jsonl", broken, questions())


def test_a_line_ends_with_a_line_feed_alone(tmp_path):
    text = "one\u2028two\x85three\x0cfour"
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": "sum-0", "response": text}, ensure_ascii=False) + "\r\n")
    (made,) = found("jsonl", path, questions(1))
    assert made.response == text


def test_part_of_the_questions_is_taken_when_asked_for(tmp_path):
    path = jsonl(tmp_path / "rows.jsonl", {"id": "sum-1", "response": ["a", "b"]})
    assert placed(found("jsonl", path, questions(), partial=True)) == [
        ("sum-1", 0, "a"),
        ("sum-1", 1, "b"),
    ]


# ---------------------------------------------------------------------------- LiveCodeBench


def test_livecodebench_outputs_and_codes(tmp_path):
    asked = [Question("1873_A", user("a")), Question("1873_B", user("b"))]
    rows = [
        {"question_id": "1873_B", "output_list": ["x", "y"], "code_list": ["1", "2"]},
        {"question_id": "1873_A", "output_list": [["v"], ["w"]]},
    ]
    made = found("livecodebench", whole(tmp_path / "out.json", rows), asked)
    assert [one.response for one in made] == ["v", "w", "x", "y"]
    rows = [{"question_id": "1873_A", "code_list": ["print(1)"]}]
    (made_one,) = found("livecodebench", whole(tmp_path / "out.json", rows), asked[:1])
    assert made_one.response == "```python\nprint(1)\n```"
    for value, message in (
        ({}, "must be a JSON list"),
        ([{"code_list": []}], "entry 0: question_id must be a text, got None"),
        ([{"question_id": "1873_A"}], "entry 0: neither output_list nor code_list"),
        (
            [{"question_id": "1873_A", "output_list": [1]}],
            "entry 0: output_list must be a list of texts",
        ),
        (
            [{"question_id": "1873_A", "output_list": "text"}],
            "entry 0: output_list must be a list of texts",
        ),
        ([{"question_id": "abc", "output_list": ["x"]}], "entry 0: no one question .* id 'abc'"),
    ):
        with pytest.raises(ImportFailed, match=message):
            found("livecodebench", whole(tmp_path / "out.json", value), asked)


@needs_data
def test_the_stored_livecodebench_outputs_are_all_imported(tmp_path):
    with gzip.open(SHARED / "verdicts" / "livecodebench_o1mini.jsonl.gz", "rt") as file:
        stored = [json.loads(line) for line in file]
    rows = [{"question_id": row["question_id"], "output_list": [row["response"]]} for row in stored]
    asked = list(named("livecodebench").load(Data(SHARED, hub=False)))
    made = found("livecodebench", whole(tmp_path / "out.json", rows), asked)
    assert len(made) == 880
    responses = {row["question_id"]: row["response"] for row in stored}
    assert all(responses[one.question] == one.response for one in made)


# ---------------------------------------------------------------------------------- lm-eval


def sample(number: int, text: str, responses: object, **doc: object) -> dict[str, object]:
    return {
        "doc_id": number,
        "doc": {"question": text, "answer": "14"} | doc,
        "arguments": {"gen_args_0": {"arg_0": f"Q: {text}\nA:", "arg_1": {"until": []}}},
        "resps": [responses],
        "filtered_resps": ["never read"],
        "filter": "strict-match",
    }


def test_lm_eval_samples_are_matched_by_their_text_and_filters_do_not_repeat_them(tmp_path):
    asked = questions()
    rows = [
        sample(0, "What is 2 + 2?", ["c", "d"]),
        sample(0, "What is 2 + 2?", ["c", "d"]) | {"filter": "flexible-extract"},
        sample(1, "What is 0 + 0?", ["a", "b"]),
        sample(2, "other words", ["e", "f"], id="sum-1"),
    ]
    made = found("lm-eval", jsonl(tmp_path / "samples.jsonl", *rows), asked)
    assert placed(made) == [
        ("sum-0", 0, "a"),
        ("sum-0", 1, "b"),
        ("sum-1", 0, "e"),
        ("sum-1", 1, "f"),
        ("sum-2", 0, "c"),
        ("sum-2", 1, "d"),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (sample(0, "What is 7 + 7?", ["a"]), r"line 1: no one question"),
        (sample(0, "What is 0 + 0?", [["-1.5", "False"]]), "line 1: resps must be a list of texts"),
        (sample(0, "What is 0 + 0?", ["a"]) | {"resps": [["a"], ["b"]]}, "one request's list"),
        ({"doc_id": 0, "resps": [["a"]]}, "line 1, doc: not a JSON object"),
    ],
)
def test_lm_eval_samples_that_cannot_be_imported(tmp_path, row, message):
    with pytest.raises(ImportFailed, match=message):
        found("lm-eval", jsonl(tmp_path / "samples.jsonl", row), questions())


# --------------------------------------------------------------------------------- lighteval


def details(path: Path, *rows: object) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return path


def test_lighteval_details(tmp_path):
    rows = [
        {
            "doc": {"id": "7", "query": f"Solve it.\n\nWhat is {n} + {n}?\n{'Please reason step by step, and put your final answer within ' + chr(92) + 'boxed{}.'}"},
            "model_response": {"input": [{"role": "user", "content": "x"}], "text": [f"a{n}", f"b{n}"], "reasonings": [None, "hm"]},
            "metric": {"x": 1.0},
        }
        for n in (2, 0, 1)
    ]  # fmt: skip
    made = found("lighteval", details(tmp_path / "details.parquet", *rows), questions())
    assert placed(made)[:2] == [("sum-0", 0, "a0"), ("sum-0", 1, "b0")]
    assert [one.reasoning for one in made[:2]] == ["", "hm"]
    path = details(tmp_path / "other.parquet", {"predictions": "['x']"})
    with pytest.raises(ImportFailed, match="row 0, doc: not a JSON object"):
        found("lighteval", path, questions())
    path.write_text("no parquet")
    with pytest.raises(ImportFailed, match=r"other\.parquet"):
        found("lighteval", path, questions())


# ------------------------------------------------------------------------------ simple-evals


def convo(question: Question, answer: str) -> list[dict[str, str]]:
    asked = [{"role": message.role, "content": message.content} for message in question.messages]
    return [{"role": "system", "content": "x"}, *asked, {"role": "assistant", "content": answer}]


def test_simple_evals_conversations(tmp_path):
    asked = questions(2)
    convos = [convo(asked[n % 2], f"{n}") for n in range(4)]
    value = {"score": 0.5, "metrics": {}, "htmls": ["<p>"], "convos": convos}
    made = found("simple-evals", whole(tmp_path / "all.json", value), asked)
    assert placed(made) == [
        ("sum-0", 0, "0"),
        ("sum-0", 1, "2"),
        ("sum-1", 0, "1"),
        ("sum-1", 1, "3"),
    ]
    for value, message in (
        ({"score": 1.0}, "no list convos; import the _allresults.json"),
        ({"convos": [convo(asked[0], "a")[:-1]]}, r"convos\[0\]: must end with"),
        ([], "the file: not a JSON object"),
    ):
        with pytest.raises(ImportFailed, match=message):
            found("simple-evals", whole(tmp_path / "all.json", value), asked)


# ---------------------------------------------------------------------------------- matching


def test_a_short_text_tells_no_question(tmp_path):
    asked = [
        math_question(
            str(n), f"{n} apples are bought for 18 dollars by Ann, {n * 'and sold '}", ["18"]
        )
        for n in (3, 40)
    ]
    row = sample(0, "A question of another benchmark, about pears", ["a"], answer="40")
    with pytest.raises(ImportFailed, match="line 1: no one question"):
        found("lm-eval", jsonl(tmp_path / "samples.jsonl", row), asked)


def test_a_short_question_in_a_longer_text_is_another(tmp_path):
    text = "Ann knows that 2 + 2 is 4, and asks how many pears five people had"
    row = sample(0, text, ["a"], answer="pears")
    with pytest.raises(ImportFailed, match="line 1: no one question"):
        found("lm-eval", jsonl(tmp_path / "samples.jsonl", row), questions())


def test_a_number_counts_as_an_id_where_the_text_agrees(tmp_path):
    asked = [
        choice(
            "4", "What is it?", ["a stone that has been lying there for ages", "some tree or other"]
        ),
        choice(
            "5", "And what is this?", ["another stone that is not there at all", "the tree of old"]
        ),
    ]
    rows = [
        sample(n, text, ["A"], question_id=4 + n)
        for n, text in enumerate(["What is it?", "And what is this?"])
    ]
    for row in rows:
        row["arguments"] = {}
    made = found("lm-eval", jsonl(tmp_path / "samples.jsonl", *rows), asked)
    assert [one.question for one in made] == ["4", "5"]
    rows[1]["doc"] = {"question": "Of another data set?", "question_id": 5}
    with pytest.raises(
        ImportFailed, match="line 2: no one question of the benchmark has its id '5'"
    ):
        found("lm-eval", jsonl(tmp_path / "samples.jsonl", *rows), asked)


def test_the_longest_of_questions_in_a_text_is_meant(tmp_path):
    asked = [
        math_question("third", "Name the smallest of all prime numbers that are odd.", ["3"]),
        math_question("short", "How many whole numbers divide sixty?", ["12"]),
        math_question(
            "long", "How many whole numbers divide sixty? How many of them are even?", ["8"]
        ),
    ]
    rows = [
        sample(
            n, f"Solve this problem, please:\n{question.messages[0].content.splitlines()[0]}", ["x"]
        )
        for n, question in enumerate(asked)
    ]
    made = found("lm-eval", jsonl(tmp_path / "samples.jsonl", *rows), asked)
    assert [one.question for one in made] == ["third", "short", "long"]


def choice(id: str, text: str, options: list[str]) -> Question:
    item = Item()
    item.choice.gold = "A"
    item.choice.options.extend(options)
    shown = "\n".join(
        f"{letter}) {option}" for letter, option in zip("ABCD", options, strict=False)
    )
    return Question(id, user(f"{text}\n{shown}"), item)


def test_letters_of_options_in_another_order_are_refused(tmp_path):
    asked = [
        choice("q1", "Which of these colours is the colour of the sky?", ["red", "blue"]),
        choice("q2", "Which of these animals is the one that barks?", ["cat", "dog"]),
    ]
    texts = [question.messages[0].content for question in asked]
    same = [
        {
            "doc": {"question": text.splitlines()[0]},
            "arguments": [[text, {}]],
            "resps": [["A"]],
            "filter": "none",
        }
        for text in texts
    ]
    made = found("lm-eval", jsonl(tmp_path / "samples.jsonl", *same), asked)
    assert [one.question for one in made] == ["q1", "q2"]
    chats = [
        row
        | {"arguments": {"gen_args_0": {"arg_0": json.dumps([{"role": "user", "content": text}])}}}
        for row, text in zip(same, texts, strict=True)
    ]
    assert found("lm-eval", jsonl(tmp_path / "samples.jsonl", *chats), asked) == made
    turned = texts[1].replace("cat", "?").replace("dog", "cat").replace("?", "dog", 1)
    other = [same[0], same[1] | {"arguments": [[turned, {}]]}]
    with pytest.raises(
        ImportFailed, match=r"line 2: its prompt does not show the options of question q2"
    ):
        found("lm-eval", jsonl(tmp_path / "samples.jsonl", *other), asked)


@needs_data
def test_gsm8k_is_matched_whole_by_its_text(tmp_path):
    asked = list(named("gsm8k").load(Data(SHARED, hub=False)))
    texts = [
        json.loads(line)["question"]
        for line in (SHARED / "gsm8k" / "test.jsonl").read_text().splitlines()
    ]
    rows = [sample(n, text, [f"response {n}"]) for n, text in enumerate(texts)]
    made = found("lm-eval", jsonl(tmp_path / "samples.jsonl", *rows), asked)
    assert [one.response for one in made] == [f"response {n}" for n in range(1319)]
