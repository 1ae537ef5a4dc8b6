"""MMLU (14,042 questions in 57 subjects) and MMLU-Redux 2.0, whose references were looked over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from evals.benchmark import Benchmark, BenchmarkError, Message, Protocol, Question, r1, user
from evals.data import Data
from evals.hub import Table
from verifier.client import Item

LETTERS = "ABCDEFGHIJKLMNOP"

SIMPLE_EVALS = """\
Answer the following multiple choice question. The last line of your response should be of the \
following format: 'Answer: $LETTER' (without quotes) where LETTER is one of ABCD. Think step by \
step before answering.

{question}

A) {options[0]}
B) {options[1]}
C) {options[2]}
D) {options[3]}"""
"""openai/simple-evals@ee3b0318, common.py, QUERY_TEMPLATE_MULTICHOICE."""

SIMPLE_EVALS_K1 = Protocol("simple-evals", temperature=0.5, top_p=1.0, max_tokens=2048, k=1)
"""openai/simple-evals@ee3b0318: the chat sampler's temperature, as simple_evals.py sets it up."""

ZERO_EVAL = """
## Question: 

{question}

## Choices:

{choices}

## Instruction 

Please answer this question by first reasoning and then selecting the correct choice. 
Present your reasoning and solution in the following json format. 
Please show your choice in the `answer` field with only the choice letter, e.g.,`"answer": "C"`.

```json
{
    "reasoning": "___",
    "answer": "___"
}
```
"""  # noqa: W291 - as it is there
"""WildEval/ZeroEval@8c1485ed, src/templates/MCQA.py."""

MMLU = Table(
    "mmlu/test.jsonl",
    "cais/mmlu, configuration all, as JSON Lines with question, subject, choices, answer (0 to 3)",
    "cais/mmlu",
    "c30699e8356da336a370243923dbaf21066bb9fe",
    configs=("all",),
)

SUBJECTS = tuple(
    """
    abstract_algebra anatomy astronomy business_ethics clinical_knowledge college_biology
    college_chemistry college_computer_science college_mathematics college_medicine
    college_physics computer_security conceptual_physics econometrics electrical_engineering
    elementary_mathematics formal_logic global_facts high_school_biology high_school_chemistry
    high_school_computer_science high_school_european_history high_school_geography
    high_school_government_and_politics high_school_macroeconomics high_school_mathematics
    high_school_microeconomics high_school_physics high_school_psychology high_school_statistics
    high_school_us_history high_school_world_history human_aging human_sexuality
    international_law jurisprudence logical_fallacies machine_learning management marketing
    medical_genetics miscellaneous moral_disputes moral_scenarios nutrition philosophy prehistory
    professional_accounting professional_law professional_medicine professional_psychology
    public_relations security_studies sociology us_foreign_policy virology world_religions
    """.split()  # noqa: SIM905 - as words
)

REDUX = Table(
    "mmlu_redux/test.jsonl",
    "edinburgh-dawg/mmlu-redux-2.0, all configurations, as JSON Lines with config (the subject), "
    "question, choices, answer, error_type, correct_answer",
    "edinburgh-dawg/mmlu-redux-2.0",
    "372ea425445d51e1ba1188c56e5e893f8138621f",
    configs=SUBJECTS,
)


def choice_question(
    id: str, messages: tuple[Message, ...], options: Sequence[str], right: int, **rest: Any
) -> Question:
    """A question whose options are known to the choice verifier; `right` counts from 0."""
    if not 0 <= right < len(options) <= len(LETTERS):
        raise BenchmarkError(
            f"{id}: the answer is one of {len(options)} options, at most {len(LETTERS)}, "
            f"got {right}"
        )
    item = Item()
    item.choice.gold = LETTERS[right]
    item.choice.options.extend(options)
    return Question(id, messages, item, LETTERS[right], **rest)


def numbered(rows: Iterable[dict[str, Any]], by: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows with ids: the value of column `by` and the place among the rows that share it, from 0.
    Some questions are there twice, so that their text is no id."""
    seen: Counter[str] = Counter()
    for row in rows:
        yield f"{row[by]}-{seen[row[by]]}", row
        seen[row[by]] += 1


def _mmlu(data: Data) -> list[Question]:
    return [
        choice_question(
            id,
            user(SIMPLE_EVALS.format(question=row["question"], options=row["choices"])),
            row["choices"],
            int(row["answer"]),
            slices={"subject": row["subject"]},
        )
        for id, row in numbered(MMLU.rows(data), "subject")
    ]


def _redux(data: Data) -> list[Question]:
    questions = []
    for id, row in numbered(REDUX.rows(data), "config"):
        right = redux_answer(row)
        if right is None:
            continue
        options = "".join(
            f"- ({letter}) {choice}\n"
            for letter, choice in zip(LETTERS, row["choices"], strict=False)
        )
        # Not by format: the template has braces of its own.
        prompt = ZERO_EVAL.replace("{question}", row["question"]).replace("{choices}", options)
        questions.append(
            choice_question(
                id, user(prompt), row["choices"], right, slices={"subject": row["config"]}
            )
        )
    return questions


def redux_answer(row: dict[str, Any]) -> int | None:
    """The right option, from 0: as given where the reference was found right, as corrected where it
    was found wrong; None where a question is bad or has not one answer (ZeroEval,
    data_prep/mmlu-redux.py)."""
    if row["error_type"] == "ok":
        return int(row["answer"])
    corrected = str(row.get("correct_answer") or "").strip().upper()
    if row["error_type"] == "wrong_groundtruth" and corrected:
        place = "ABCD0123".find(corrected)
        if len(corrected) == 1 and place >= 0:
            return place % 4
    return None


BENCHMARKS = (
    Benchmark(
        name="mmlu",
        title="MMLU",
        source="Hendrycks et al., arXiv 2009.03300 (MIT); prompt of simple-evals; "
        "checked by the choice verifier",
        load=_mmlu,
        protocols=(r1(4), SIMPLE_EVALS_K1),
    ),
    Benchmark(
        name="mmlu_redux",
        title="MMLU-Redux 2.0",
        source="Gema et al., arXiv 2406.04127 (CC BY 4.0); prompt of ZeroEval, zero-shot, which "
        "R1's report uses with the 3,000 questions of version 1; checked by the choice verifier",
        load=_redux,
        protocols=(r1(4),),
    ),
)
