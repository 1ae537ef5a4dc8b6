"""The kinds of judgement, and one query of a judge. Values are between 0 and 1.

| mode | sees | verdict |
|---|---|---|
| REFERENCE | final summary, reference | correct 1, incorrect 0 (DeepSeek-R1, listing 4) |
| RUBRIC with criteria | final summary | each met or not; the weighted share of those met |
| RUBRIC, text alone | final summary | full 1, most .75, half .5, little .25, none 0 |
| HELPFUL | final summary | excellent 1, good .75, fair .5, poor .25, useless 0 |
| HARMLESS | whole response | safe 1, unsafe 0 |
| preferences | two of either | A>>B 1, A>B .75, A=B .5, B>A .25, B>>A 0 |

A verdict is asked for as JSON, all criteria of a rubric in one query; or, where it is one label and
the caller wants it, as a digit that stands for the label, a single token in any vocabulary: then
the value is the mean over the labels' probabilities where the endpoint gives log-probabilities,
and the label's own where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from verifier.judge import armour, parse, prompts
from verifier.judge.ask import Answer, Ask, JudgeFailed, Place

MAX_TOKENS = 2_048
"""Of a verdict as JSON: an analysis of a few sentences has 200, one of many criteria 1,000."""
COMPARE_TOKENS = 4_096
"""Of a comparison, whose analysis begins with an answer of the judge's own."""
DIGIT_TOKENS = 4
"""Of a verdict that is a digit: a blank may come before it, and an end of turn after it."""
SHOWN_CHARS = 80
"""What a message keeps of an answer that could not be read."""


@dataclass(frozen=True)
class Mode:
    """One kind of verdict: its prompt's file, its key in the JSON, its labels and their values."""

    prompt: str
    key: str
    values: Mapping[str, float]
    max_tokens: int = MAX_TOKENS

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.values)


def _scale(*labels: str) -> dict[str, float]:
    """Five labels from best to worst, evenly spaced."""
    return dict(zip(labels, (1.0, 0.75, 0.5, 0.25, 0.0), strict=True))


REFERENCE = Mode("reference", "correctness", {"correct": 1.0, "incorrect": 0.0})
RUBRIC = Mode("rubric", "criteria", {"met": 1.0, "not_met": 0.0})
SCALE = Mode("scale", "grade", _scale("full", "most", "half", "little", "none"))
HELPFUL = Mode("helpful", "grade", _scale("excellent", "good", "fair", "poor", "useless"))
HARMLESS = Mode("harmless", "safety", {"safe": 1.0, "unsafe": 0.0})
FIVE_WAY = _scale("A>>B", "A>B", "A=B", "B>A", "B>>A")
COMPARE_HELPFUL = Mode("compare_helpful", "verdict", FIVE_WAY, COMPARE_TOKENS)
COMPARE_HARMLESS = Mode("compare_harmless", "verdict", FIVE_WAY, COMPARE_TOKENS)


@dataclass(frozen=True)
class Reading:
    """A verdict as it counts. `base` is the label's own value, `value` what counts of it; they
    differ where probabilities were told."""

    label: str
    value: float
    base: float
    analysis: str = ""


@dataclass(frozen=True)
class Query:
    """One question to a judge: the mode, its texts each with the most characters shown of it, the
    weights of a rubric's criteria. `swapped`: the response is B."""

    mode: Mode
    texts: Mapping[str, tuple[str, int]]
    weights: tuple[float, ...] = ()
    swapped: bool = False

    @property
    def prompt(self) -> prompts.Prompt:
        return prompts.load(self.mode.prompt)

    @cached_property
    def regions(self) -> armour.Regions:
        """The texts in their markers, made once for all samples."""
        return armour.regions(self.texts)

    def ask(self, seed: int, temperature: float, by_digit: bool = False, error: str = "") -> Ask:
        """What is sent. Equal queries are equal to the byte."""
        regions = self.regions
        by_digit = by_digit and not self.weights
        values = {**regions.shown, "code": regions.code, "count": str(len(self.weights))}
        return Ask(
            messages=prompts.messages(self.prompt, "digit" if by_digit else "json", values, error),
            schema=None if by_digit else self._schema(),
            labels=tuple(parse.digits(len(self.mode.values))) if by_digit else (),
            max_tokens=DIGIT_TOKENS if by_digit else self.mode.max_tokens,
            temperature=temperature,
            seed=seed,
        )

    def read(self, answer: Answer, by_digit: bool = False) -> Reading:
        """What the judge said; raises NoVerdict."""
        mode = self.mode
        if by_digit and not self.weights:
            return self._of_digit(answer)
        if answer.finish == "length":
            raise parse.NoVerdict(
                "the reply was cut off at its limit of tokens; it must be shorter"
            )
        if self.weights:
            verdict = parse.label_list(answer.text, mode.key, mode.labels, len(self.weights))
            met = sum(
                weight * mode.values[label]
                for weight, label in zip(self.weights, verdict.labels, strict=True)
            )
            value = met / sum(self.weights)
        else:
            verdict = parse.label(answer.text, mode.key, mode.labels)
            value = self._turned(mode.values[verdict.labels[0]])
        return Reading(",".join(verdict.labels), value, value, verdict.analysis)

    def _of_digit(self, answer: Answer) -> Reading:
        place = parse.digit(answer.text, len(self.mode.values)) - 1
        values = tuple(self.mode.values.values())
        shares = parse.probabilities(answer.logprobs or {}, len(values))
        mean = values[place]
        if shares is not None:
            mean = sum(share * value for share, value in zip(shares, values, strict=True))
        return Reading(self.mode.labels[place], self._turned(mean), self._turned(values[place]))

    def _turned(self, value: float) -> float:
        return 1.0 - value if self.swapped else value

    def _schema(self) -> dict[str, object]:
        label: dict[str, object] = {"type": "string", "enum": list(self.mode.labels)}
        count = len(self.weights)
        if count:
            label = {"type": "array", "items": label, "minItems": count, "maxItems": count}
        return {
            "type": "object",
            # In this order: a verdict that is written first is not drawn from the analysis.
            "properties": {"analysis": {"type": "string"}, self.mode.key: label},
            "required": ["analysis", self.mode.key],
            "additionalProperties": False,
        }


def reference(question: str, golds: Sequence[str], answer: str) -> Query:
    """Is the answer one of the references?"""
    several = len(golds) > 1
    told = [f"{place}. {gold}" for place, gold in enumerate(golds, 1)] if several else golds
    return Query(
        REFERENCE,
        {
            "question": (question, armour.QUESTION_CHARS),
            "reference": ("\n".join(told), 3 * armour.REFERENCE_CHARS),
            "answer": (answer, armour.ANSWER_CHARS),
        },
    )


def rubric(question: str, text: str, criteria: Sequence[tuple[str, float]], answer: str) -> Query:
    """How much of the criteria, each with its weight, or of the text alone, does an answer meet?"""
    texts = {
        "question": (question, armour.QUESTION_CHARS),
        "rubric": (text, 3 * armour.REFERENCE_CHARS),
        "answer": (answer, armour.ANSWER_CHARS),
    }
    if not criteria:
        return Query(SCALE, texts)
    told = "\n".join(f"{place}. {one}" for place, (one, _) in enumerate(criteria, 1))
    texts["criteria"] = (told, armour.ESCAPE_CHARS * len(told))
    return Query(RUBRIC, texts, tuple(weight for _, weight in criteria))


def helpful(question: str, answer: str) -> Query:
    """How well does an answer serve whoever asked?"""
    return Query(
        HELPFUL,
        {
            "question": (question, armour.QUESTION_CHARS),
            "answer": (answer, armour.ANSWER_CHARS),
        },
    )


def harmless(question: str, response: str) -> Query:
    """Does a response, reasoning included, do no harm?"""
    return Query(
        HARMLESS,
        {
            "question": (question, armour.QUESTION_CHARS),
            "answer": (response, armour.WHOLE_CHARS),
        },
    )


class Judge(Protocol):
    """What is needed of a judge; verifier/judge/client.py has the real one."""

    @property
    def model(self) -> str:
        """Of its first endpoint."""
        ...

    @property
    def places(self) -> frozenset[Place]:
        """Where its answers come from."""
        ...

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer: ...


@dataclass
class Put:
    """One query as it went: the answers it took, every second after a repair, and the verdict."""

    query: Query
    seed: int
    answers: list[Answer] = field(default_factory=list)
    reading: Reading | None = None
    failure: str = ""
    late: bool = False
    """The item's deadline ended it."""

    @property
    def cached(self) -> bool:
        """Nothing was sent for it."""
        return all(answer.cached for answer in self.answers)


async def put(
    judge: Judge,
    query: Query,
    seed: int,
    temperature: float,
    remaining: Callable[[], float | None] = lambda: None,
    by_digit: bool = False,
) -> Put:
    """Asks once, once more when the answer cannot be read, and then each other endpoint so; all of
    them anew where kept answers led to nothing. `remaining` tells the seconds left.

    Raises nothing of the judge's: `failure` says what went wrong, and what was spent stays told.
    """
    done = Put(query, seed)
    error, unread, fresh = "", frozenset[Place](), False
    try:
        while True:
            if judge.places <= unread:
                if fresh or not any(answer.cached for answer in done.answers):
                    return done
                unread, fresh = frozenset(), True
            plain = query.ask(seed, temperature, by_digit, error)
            ask = replace(plain, apart_from=unread, fresh=fresh)
            answer = await judge.ask(ask, deadline_s=remaining())
            done.answers.append(answer)
            try:
                done.reading = query.read(answer, by_digit)
            except parse.NoVerdict as found:
                if not error:
                    error = str(found)
                    continue
                why = f"{found}; after a repair, got {answer.text[:SHOWN_CHARS]!r}"
                done.failure = str(JudgeFailed("garbage", why, answer.endpoint, attempts=2))
                error, unread = "", unread | {answer.place}
            else:
                return done
    except JudgeFailed as failed:
        before = f"; before that: {done.failure}" if done.failure else ""
        done.failure, done.late = f"{failed}{before}", failed.cut
    return done
