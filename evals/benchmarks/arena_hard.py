"""ArenaHard v0.1 and v2: a judge compares each response with a baseline's, in both orders.

Prompts, verdicts, weights and figures are lmarena/arena-hard-auto's at 196f6b8 (Apache-2.0):
utils/judge_utils.py, gen_judgment.py, config/arena-hard-*.yaml, show_result.py. A verdict of "much
better" counts as three games, a tie as half a game won. Against one baseline, the Bradley-Terry
estimate of v0.1 (maximum likelihood, no penalty) is the share of games won, which v2 takes at once.

An answer whose last verdict is none of those offered is asked for again; there, a question with
such an answer is left out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from evals.benchmark import Benchmark, Graded, Question, Sample, Tools, r1, user
from evals.data import Data, DataMissing
from evals.hub import Table
from evals.judged import Asking, Said, Unreadable, ask, benchmark, column, scored, template

GAME = (
    "<|User Prompt|>\n{question}\n\n<|The Start of Assistant A's Answer|>\n{a}\n"
    "<|The End of Assistant A's Answer|>\n\n<|The Start of Assistant B's Answer|>\n{b}\n"
    "<|The End of Assistant B's Answer|>"
)
VERDICT = (re.compile(r"\[\[([AB<>=]+)\]\]"), re.compile(r"\[([AB<>=]+)\]"))
"""The second counts where the first finds nothing."""
STRONG = 3
"""Games that a "much better" counts as."""
FOR_A: dict[str, tuple[float, ...]] = {
    "A>>B": (1.0,) * STRONG,
    "A>B": (1.0,),
    "A=B": (0.5,),
    "A<B": (0.0,),
    "A<<B": (0.0,) * STRONG,
    "B>>A": (0.0,) * STRONG,
    "B>A": (0.0,),
    "B=A": (0.5,),
    "B<A": (1.0,),
    "B<<A": (1.0,) * STRONG,
}
"""Results of A, one for each game that the verdict counts as."""

ROUNDS = 100
"""Of the bootstrap, as there."""
SEED = 0

_FENCED = re.compile(r"```([^`]*)```")
_STYLE = (
    re.compile(r"^#{1,6}\s", re.MULTILINE),
    re.compile(r"^\s*\d+\.\s|^\s*[-*+]\s", re.MULTILINE),
    re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
)
"""Headers, list items and bold text, counted outside of fenced blocks (add_markdown_info.py)."""


@dataclass(frozen=True)
class Edition:
    """One set of questions with its baseline and judge."""

    name: str
    title: str
    questions: Table
    category: str
    """Of the questions to take; "": all."""
    baseline: str
    prompt: str
    judge: str
    max_tokens: int
    interval: tuple[float, float]
    """Quantiles of the bootstrap that are given."""
    file: str
    """Of the baseline's answers, in the data folder."""


_V01, _V2 = (
    Table(
        f"arena_hard/{version}_question.jsonl.gz",
        f"data/arena-hard-{version}/question.jsonl of lmarena/arena-hard-auto",
    )
    for version in ("v0.1", "v2.0")
)
EDITIONS = (
    Edition(
        *("arena_hard", "ArenaHard v0.1", _V01, "", "gpt-4-0314", "arena_hard"),
        *("gpt-4-1106-preview", 4096, (0.025, 0.975)),
        "arena_hard/v0.1_baseline_gpt-4-0314.jsonl.gz",
    ),
    Edition(
        *("arena_hard_v2", "ArenaHard v2", _V2, "hard_prompt", "o3-mini-2025-01-31", "arena_hard"),
        *("gpt-4.1", 16_000, (0.05, 0.95)),
        "arena_hard/v2.0_baseline_o3-mini-2025-01-31.jsonl.gz",
    ),
    Edition(
        *("arena_hard_v2:creative_writing", "ArenaHard v2, creative writing", _V2),
        *("creative_writing", "gemini-2.0-flash-001", "arena_hard_creative"),
        *("gpt-4.1", 16_000, (0.05, 0.95)),
        "arena_hard/v2.0_baseline_gemini-2.0-flash-001.jsonl.gz",
    ),
)


def verdict(text: str) -> str:
    """The last verdict in a judgment, one of FOR_A's. Raises Unreadable."""
    for pattern in VERDICT:
        if found := pattern.findall(text.upper()):
            if found[-1] in FOR_A:
                return str(found[-1])
            raise Unreadable(f"the last verdict is [[{found[-1]}]]")
    raise Unreadable(f"no verdict: {text[-200:]!r}")


def results(first: str, second: str) -> list[float]:
    """The model's results of two games: in the first it is B, in the second A."""
    return [*FOR_A[second], *(1 - won for won in FOR_A[first])]


async def grade(question: Question, response: str, tools: Tools, *, edition: Edition) -> Graded:
    """The share of games won. An empty response is judged like any other."""
    asked, baseline = question.messages[-1].content, question.data["baseline"]
    asking = Asking(temperature=0.0, max_tokens=edition.max_tokens)
    system = template(edition.prompt)

    async def game(a: str, b: str) -> Said[str]:
        text = GAME.format(question=asked, a=a, b=b)
        return await ask(tools, user(text, system), asking, verdict)

    first, second = await asyncio.gather(
        game(baseline, response), game(response, baseline), return_exceptions=True
    )
    for one in (first, second):
        if isinstance(one, BaseException):
            raise one
    assert isinstance(first, Said)
    assert isinstance(second, Said)
    won = results(first.verdict, second.verdict)
    evidence = {
        "verdicts": [first.verdict, second.verdict],
        "results": won,
        "style": style(response).tolist(),
        "judge": [first.text, second.text],
        "tries": [first.tries, second.tries],
    }
    return Graded("ok" if response else "no_answer", fmean(won), evidence=evidence)


def aggregate(samples: Sequence[Sample], *, edition: Edition) -> dict[str, float]:
    """The share of games won, quantiles of its bootstrap, and `style_controlled_minimal`, of the
    samples that the judge has verdicts for."""
    judged = scored(samples)
    games = [sample.graded.evidence["results"] for sample in judged]
    if not games:
        return {}
    won = np.array([result for results in games for result in results])
    drawn = np.random.default_rng(SEED).choice(won, (ROUNDS, len(won))).mean(axis=1)
    figures = {"win_rate": float(won.mean())}
    for quantile in edition.interval:
        figures[f"win_rate_q{quantile * 1000:03.0f}"] = float(np.quantile(drawn, quantile))
    apart = np.array(
        [
            difference(np.array(sample.graded.evidence["style"]), sample.question.data["style"])
            for sample in judged
        ]
    )
    counts = [len(results) for results in games]
    figures["style_controlled_minimal"] = controlled(won, np.repeat(apart, counts, axis=0))
    return figures


def style(text: str) -> NDArray[np.float64]:
    """Length in characters, and numbers of headers, list items and bold texts."""
    prose = _FENCED.sub("", text)
    return np.array([len(text), *(len(mark.findall(prose)) for mark in _STYLE)], float)


def difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """show_result.py's features: lengths apart over their sum, densities of marks over 1 + theirs.
    Shape [4]."""
    length = (ours[0] - theirs[0]) / max(ours[0] + theirs[0], 1.0)
    dense, baseline = ours[1:] / (ours[0] + 1), theirs[1:] / (theirs[0] + 1)
    return np.array([length, *((dense - baseline) / (dense + baseline + 1))])


def controlled(won: NDArray[np.float64], apart: NDArray[np.float64]) -> float:
    """The share won at equal style, by logistic regression on results [games] and style [games, 4].

    The leaderboard's figure sets style to its mean over all models' games, which one run does not
    have, and counts tokens; this one sets the differences to 0 and counts characters.
    """
    from sklearn.linear_model import LogisticRegression

    spread = apart.std(axis=0)
    scaled = apart / np.where(spread > 0, spread, 1.0)
    features = np.hstack([np.ones((len(won), 1)), scaled])
    # Half a game won is half a row of either outcome; a weak penalty bounds separable data.
    model = LogisticRegression(C=100.0, fit_intercept=False, max_iter=1000)
    model.fit(
        np.vstack([features, features]),
        np.repeat([1, 0], len(won)),
        sample_weight=np.concatenate([won, 1 - won]),
    )
    return float(model.predict_proba([[1.0, 0.0, 0.0, 0.0, 0.0]])[0, 1])


def load(data: Data, *, edition: Edition) -> list[Question]:
    """The edition's questions, each with the baseline's answer. Raises DataMissing."""
    table = edition.questions
    answers = _answers(data, edition)
    questions = []
    for number, row in enumerate(table.rows(data)):
        place = f"{table.path}, row {number}"
        if edition.category and row.get("category") != edition.category:
            continue
        id = column(row, "uid", place)
        if id not in answers:
            raise DataMissing(f"{edition.file}: no answer to {id}")
        kind = row.get("subcategory")
        questions.append(
            Question(
                id,
                user(column(row, "prompt", place)),
                slices={"subcategory": kind} if kind and edition.category != kind else {},
                data={"baseline": answers[id], "style": style(answers[id])},
            )
        )
    return questions


def _answers(data: Data, edition: Edition) -> dict[str, str]:
    get = (
        f"model_answer/{edition.baseline}.jsonl beside the questions of lmarena/arena-hard-auto, "
        "compressed with gzip"
    )
    answers = {}
    for number, row in enumerate(data.rows(edition.file, get=get)):
        place = f"{edition.file}, row {number}"
        try:
            answer = row["messages"][-1]["content"]["answer"]
        except (KeyError, IndexError, TypeError) as error:
            raise DataMissing(f"{place}: no messages[-1].content.answer ({error!r})") from error
        answers[column(row, "uid", place)] = str(answer)
    return answers


def _benchmark(edition: Edition) -> Benchmark:
    return benchmark(
        name=edition.name,
        title=edition.title,
        source=f"Li et al., arXiv 2406.11939, Apache-2.0; its prompts (196f6b8), baseline "
        f"{edition.baseline}, judge {edition.judge}",
        load=partial(load, edition=edition),
        protocols=(r1(1),),
        grade=partial(grade, edition=edition),
        aggregate=partial(aggregate, edition=edition),
        headline="win_rate",
    )


BENCHMARKS = tuple(map(_benchmark, EDITIONS))
