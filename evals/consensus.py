"""Which samples of a question gave the same answer, as the verification service sees it.

What can be known without asking is not asked: equal texts are one answer, what matched the same
reference is one answer, and what is right differs from what is wrong. Of the rest, the most
frequent answer stands for its class and all others are compared with it, then those that are left
with the next, for all questions of a benchmark at once. A pair that the service cannot decide stays
apart and is counted.

The service's evidence in the scores says what kind of answers these are: values or letters. Of
programs, essays, and what a benchmark grades by itself, nobody can say that two are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format

from evals.records import Score
from verifier.client import AsyncVerifierClient, Item, Verdict

LONGEST = 4_000
"""Characters of an answer that the service reads. Of a longer one it tells only the beginning, so
that it counts as none."""


@dataclass(frozen=True)
class Classes:
    """Of one question's samples."""

    answers: tuple[int | None, ...]
    """A number for each class of equal answers, at each sample's place; None: no answer."""
    undecided: int = 0
    """Pairs that were compared without a result, and stay apart."""


@dataclass
class _Pool:
    """Answers of a question that may be equal, the most frequent first."""

    policy: dict[str, Any]
    waiting: list[str]
    leader: dict[str, str] = field(default_factory=dict)
    """The text that stands for its class, by text."""
    undecided: int = 0


async def classify(
    questions: Sequence[Sequence[Score]], client: AsyncVerifierClient
) -> list[Classes] | None:
    """Classes for the scores of each question; None where these answers have no equality.

    Raises ServiceError.
    """
    kinds = {_kind(score) for scores in questions for score in scores} - {""}
    if "math" in kinds:
        return await _by_value(questions, client)
    return _by_letter(questions) if "choice" in kinds else None


def _kind(score: Score) -> str:
    """math or choice; "": nothing to compare."""
    told = score.evidence.get("evidence", {})
    return next((kind for kind in ("math", "choice") if kind in told), "")


def _by_letter(questions: Sequence[Sequence[Score]]) -> list[Classes]:
    return [Classes(_numbers([score.extracted or None for score in one])) for one in questions]


async def _by_value(
    questions: Sequence[Sequence[Score]], client: AsyncVerifierClient
) -> list[Classes]:
    texts = [[_text(score) for score in scores] for scores in questions]
    pools = [_pools(*one) for one in zip(questions, texts, strict=True)]
    await _settle([pool for both in pools for pool in both.values()], client)
    return [_classes(*one) for one in zip(texts, pools, strict=True)]


def _classes(texts: Sequence[tuple[bool, str] | None], pools: Mapping[bool, _Pool]) -> Classes:
    leaders = [text and (text[0], pools[text[0]].leader[text[1]]) for text in texts]
    return Classes(_numbers(leaders), sum(pool.undecided for pool in pools.values()))


def _text(score: Score) -> tuple[bool, str] | None:
    """Whether it is right, and the answer; the reference itself where it matched one."""
    told = _math(score)
    if not score.extracted or told.get("end", 0) - told.get("start", 0) > LONGEST:
        return None
    right = score.score == 1.0
    return right, told["gold"] if right and told.get("gold") else score.extracted


def _pools(scores: Sequence[Score], texts: Sequence[tuple[bool, str] | None]) -> dict[bool, _Pool]:
    policy = next(
        (told["policy"] for one in scores if "policy" in (told := _math(one))), dict[str, Any]()
    )
    counts = Counter(text for text in texts if text is not None)
    order = sorted(counts, key=lambda text: -counts[text])
    return {
        right: _Pool(policy, [text for held, text in order if held == right])
        for right in (True, False)
    }


def _math(score: Score) -> dict[str, Any]:
    found: dict[str, Any] = score.evidence.get("evidence", {}).get("math", {})
    return found


async def _settle(pools: Sequence[_Pool], client: AsyncVerifierClient) -> None:
    """One class of every pool in each round."""
    while pools := [pool for pool in pools if pool.waiting]:
        heads = [pool.waiting.pop(0) for pool in pools]
        verdicts = iter(
            await client.verify(
                [
                    _item(pool, head, text)
                    for pool, head in zip(pools, heads, strict=True)
                    for text in pool.waiting
                ]
            )
        )
        for pool, head in zip(pools, heads, strict=True):
            pool.leader[head] = head
            apart = []
            for text in pool.waiting:
                verdict = next(verdicts)
                pool.undecided += verdict.status != Verdict.Status.OK
                if verdict.HasField("reward") and verdict.reward == 1.0:
                    pool.leader[text] = head
                else:
                    apart.append(text)
            pool.waiting = apart


def _item(pool: _Pool, gold: str, answer: str) -> Item:
    item = Item(response=_sendable(f"\\boxed{{{answer}}}"))
    item.math.gold.append(_sendable(gold))
    json_format.ParseDict(pool.policy, item.math.policy)
    return item


def _numbers(names: Sequence[Hashable | None]) -> tuple[int | None, ...]:
    places = {name: at for at, name in enumerate(dict.fromkeys(n for n in names if n is not None))}
    return tuple(None if name is None else places[name] for name in names)


def _sendable(text: str) -> str:
    """Protobuf carries no lone surrogates."""
    return text.encode("utf-8", "replace").decode()
