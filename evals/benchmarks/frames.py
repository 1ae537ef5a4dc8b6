"""FRAMES: 824 questions that take several pages of Wikipedia, answers judged true or false.

Prompts are the authors' (Krishna et al., arXiv 2409.12941: figure 6 for the judge, section 3 for
the pages before a question). `frames` asks the question alone; `frames:oracle` gives the pages that
a question names, as long-context evaluations do, DeepSeek-R1's among them. The data set has the
pages' addresses only: their text comes from the user's own copy of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from evals.benchmark import Graded, Question, Tools, r1, user
from evals.data import Data, DataMissing
from evals.hub import Table
from evals.judged import Asking, Unreadable, ask, benchmark, column, template

TABLE = Table(
    "frames/test.jsonl",
    "test.tsv of google/frames-benchmark as JSON Lines with the same columns",
    "google/frames-benchmark",
    "58d9fb6330f3ab1316d1eca12e5e8ef23dcc22ef",
)
ARTICLES = "frames/articles.jsonl.gz"
GET_ARTICLES = "rows with url and text, one for each address in the data set's wiki_links"

WITH_PAGES = (
    "Here are the relevant Wikipedia articles:\n{pages}\n\n"
    "Based on all the information, answer the query. \n\nQuery: {question}\n\n"
)

ASKING = Asking(temperature=0.0, max_tokens=16_384)
SYSTEM = "You are a helpful assistant."

_DECISION = re.compile(r'decision\W{0,6}\s*[("*]*(true|false)\b', re.IGNORECASE)


def decision(text: str) -> bool:
    """What stands behind "Decision:"; said twice, it must be the same. Raises Unreadable."""
    found = {said.lower() for said in _DECISION.findall(text)}
    if len(found) != 1:
        raise Unreadable(f"no one Decision, TRUE or FALSE: {text[-200:]!r}")
    return found == {"true"}


async def grade(question: Question, response: str, tools: Tools) -> Graded:
    """An empty response is wrong, and no judge is asked."""
    if not response:
        return Graded("no_answer", 0.0)
    text = template("frames").format(
        question=question.data["problem"], target=question.gold, predicted_answer=response
    )
    said = await ask(tools, user(text, SYSTEM), ASKING, decision)
    evidence = {"judge": said.text, "tries": said.tries}
    return Graded("ok", float(said.verdict), response, evidence)


def load(data: Data, *, oracle: bool) -> list[Question]:
    """All questions, with the pages before them or alone."""
    pages = {} if not oracle else _pages(data)
    return [_question(number, row, pages, oracle) for number, row in enumerate(TABLE.rows(data))]


def _pages(data: Data) -> dict[str, str]:
    rows = data.rows(ARTICLES, get=GET_ARTICLES)
    return {
        column(row, "url", f"{ARTICLES}, row {number}"): column(
            row, "text", f"{ARTICLES}, row {number}"
        )
        for number, row in enumerate(rows)
    }


def _question(
    number: int, row: Mapping[str, Any], pages: Mapping[str, str], oracle: bool
) -> Question:
    place = f"{TABLE.path}, row {number}"
    problem = column(row, "Prompt", place)
    text = problem
    if oracle:
        links = _links(row, place)
        if missing := [link for link in links if link not in pages]:
            raise DataMissing(f"{ARTICLES}: no text of {missing[0]}, which {place} names")
        text = WITH_PAGES.format(pages="\n\n".join(pages[link] for link in links), question=problem)
    kinds = str(row.get("reasoning_types") or "").split(" | ")
    return Question(
        str(number),
        user(text),
        gold=column(row, "Answer", place),
        slices={"reasoning": kinds[0]} if kinds[0] else {},
        data={"problem": problem},
    )


def _links(row: Mapping[str, Any], place: str) -> list[str]:
    try:
        links = ast.literal_eval(str(row["wiki_links"]))
    except (KeyError, ValueError, SyntaxError) as error:
        raise DataMissing(f"{place}: wiki_links: {error}") from error
    return [str(link) for link in links]


BENCHMARKS = tuple(
    benchmark(
        name="frames:oracle" if oracle else "frames",
        title="FRAMES with its pages" if oracle else "FRAMES",
        source="Krishna et al., arXiv 2409.12941, Apache-2.0; the authors' prompts",
        load=partial(load, oracle=oracle),
        protocols=(r1(4),),
        grade=grade,
    )
    for oracle in (False, True)
)
