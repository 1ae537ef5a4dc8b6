"""Rejection sampling: many responses of the RL checkpoint to each prompt, of which the right and
readable ones are kept, mixed with the user's rows for what is no reasoning (DeepSeek-R1, arXiv
2501.12948v2: 600 k and 200 k rows).

    data.jsonl, data.parquet     what is kept, shuffled
    rejected.jsonl               some of what is not, by reason
    counts.json                  how many of each
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Literal

from pydantic import NonNegativeFloat

from trainer.collect import seed_of
from trainer.data import read_rows
from trainer.pipeline.decontaminate import Benchmarks
from trainer.pipeline.filters import (
    Filters,
    Kept,
    balanced,
    choose,
    is_right,
    pass_rate,
    verifying,
)  # fmt: skip
from trainer.pipeline.refine import Refiner, asker
from trainer.pipeline.rows import (
    END,
    PATTERN,
    THINK,
    Pattern,
    Report,
    Spool,
    chat_row,
    check_text,
    domain_of,
    has_tags,
    joined,
    split,
    write_chat,
)  # fmt: skip
from trainer.pipeline.sampling import Sampler, sampled
from trainer.pipeline.stage import Ref, Settings, StageFailed, Work
from trainer.pipeline.stages.curation import Curation, is_clear
from verifier.client import Item

EMPTY_THOUGHT = "\n\n"
"""What stands between the tags of a row without a thought."""

REASONING, GENERAL = "reasoning", "general"


class RejectionStage(Curation):
    """Rows for fine-tuning from a model's own right answers."""

    kind: Literal["rejection"]
    model: Ref
    """What is sampled."""
    sampling: Sampler = Sampler()
    """How."""
    filters: Filters = Filters()
    """What is kept."""
    responses_too: bool = False
    """Responses are compared with the benchmarks too."""
    general: Ref | None = None
    """Rows that are no reasoning: {"messages": [...]} or {"prompt": ..., "completion": ...}, each
    perhaps with "thinking": a text, or true where one is to be written."""
    ratio: NonNegativeFloat = 3.0
    """Reasoning rows for each general one; where there are too many of one, some are left out by
    chance. 0: all of both."""
    without_thinking: Literal["empty", "none"] = "empty"
    """What a general row without a thought has: an empty one, or not even the tags."""
    refiner: Refiner | None = None
    """What writes the thoughts that general rows ask for; without one they have none."""
    pattern: Pattern = PATTERN
    """What the assistant says: {reasoning} and {summary}."""

    more_outputs = ("data.parquet", "rejected.jsonl", "counts.json")

    def references(self) -> Mapping[str, Ref]:
        general = {} if self.general is None else {"general": self.general}
        return {"model": self.model, **super().references(), **general}

    def check(self, settings: Settings) -> Iterator[str]:
        if not self.data:
            yield "data: problems are wanted"

    def run(self, work: Work) -> Mapping[str, Any]:
        report, benchmarks = Report(), self.benchmarks(work)
        with Spool(work.dir / ".rows") as rows:
            reasoning, counts = self._reasoning(work, benchmarks, rows, report)
            general, counts[GENERAL] = self._general(work, benchmarks, rows, report)
            order = self._mixed(reasoning, general, work.settings.seed)
            reasoned = set(reasoning)
            used = sum(place in reasoned for place in order)
            counts["rows"] = {REASONING: used, GENERAL: len(order) - used}
            counts["left_out_of_the_mix"] = {
                REASONING: len(reasoning) - used, GENERAL: len(general) - len(order) + used,
            }  # fmt: skip
            if reasoning and not order:
                raise StageFailed(
                    "ratio: of no general rows there is no multiple; 0 is all of both"
                )
            write_chat(work.dir, rows.read(order))
        return self.finish(work, report, counts)

    def _reasoning(
        self, work: Work, benchmarks: Benchmarks, rows: Spool, report: Report
    ) -> tuple[list[int], dict[str, Any]]:
        """The places of what is kept of the model's samples, and figures."""
        model, told = work.inputs["model"], self.sampling
        prompts = self.prompts(work, model, told.template, told, benchmarks, report)
        seen = set[bytes]()
        places, levels, kept = list[int](), list[int | None](), list[Item]()
        totals, rates = Counter[str](), Counter[str]()
        recipe = verifying(self.filters)
        for prompt, samples in sampled(work, "model", model, prompts, told, recipe):
            text = prompt.item.prompt
            rates[bucket(pass_rate(samples, self.filters))] += 1
            report.tally(prompt.item, "sampled", len(samples))
            totals["sampled"] += len(samples)
            outcomes = choose(text, samples, self.filters, seen)
            for sample, outcome in zip(samples, outcomes, strict=True):
                totals["right"] += is_right(sample, self.filters) is True
                id, said = f"{prompt.id}#{sample.number}", sample.response
                shown = {"id": id, "prompt": text, "response": said}
                if not isinstance(outcome, Kept):
                    report.reject(outcome.reason, outcome.detail, **shown)
                    continue
                if self.responses_too and (hit := benchmarks.find(said)):
                    report.reject("contaminated", str(hit), **shown)
                    continue
                if (halves := split(said)) is not None:
                    said = joined(halves.reasoning, halves.summary, self.pattern)
                item = prompt.item
                row = chat_row(text, said, id, REASONING, domain_of(item), item.language)
                places.append(rows.add(row))
                levels.append(outcome.level)
                kept.append(item)
        staying = balanced(levels, self.filters, seed_of(work.settings.seed, len(levels)))
        if over := len(places) - len(staying):
            report.counts["over_share_of_level"] += over
        for place in staying:
            report.tally(kept[place], "kept")
        totals["kept"] = len(staying)
        figures = {
            "prompts": len(prompts),
            **totals,
            "yield": round(len(staying) / totals["sampled"], 4),
            "pass_rate": {name: rates[name] for name in BUCKETS},
        }
        return [places[place] for place in staying], figures

    def _general(
        self, work: Work, benchmarks: Benchmarks, rows: Spool, report: Report
    ) -> tuple[list[int], dict[str, int]]:
        """The places of the user's rows, and figures."""
        if self.general is None:
            return [], {}
        given = read_rows(work.inputs["general"], general_row)
        wanting = [n for n, row in enumerate(given) if row["thinking"] is True]
        if wanting and self.refiner is not None:
            with asker(self.refiner, work.dir / "answers.jsonl") as ask:
                thoughts = ask.thoughts([
                    (_asked(given[n]), _answer(given[n]), given[n]["language"]) for n in wanting
                ])  # fmt: skip
            for n, thought in zip(wanting, thoughts, strict=True):
                given[n]["thinking"] = "" if has_tags(thought) else thought
        places = []
        for number, row in enumerate(given):
            id = row["id"] or f"{GENERAL}-{number}"
            if not is_clear(_asked(row), id, benchmarks, report, of=f"{GENERAL}_"):
                continue
            thinking, said = row["thinking"], _answer(row)
            if isinstance(thinking, str) and thinking:
                said = joined(thinking, said, self.pattern)
            elif self.without_thinking == "empty":
                said = joined(EMPTY_THOUGHT, said, self.pattern)
            messages = [*row["messages"][:-1], {"role": "assistant", "content": said}]
            told = {"messages": messages, "id": id, "source": GENERAL}
            places.append(rows.add({**told, "domain": row["domain"], "language": row["language"]}))
        written = sum(given[n]["thinking"] not in (True, "") for n in wanting)
        counts = {"given": len(given), "clear": len(places)}
        return places, counts | {"thoughts_wanted": len(wanting), "thoughts_written": written}

    def _mixed(self, reasoning: Sequence[int], general: Sequence[int], seed: int) -> list[int]:
        """Places of rows in the order of the file: `ratio` of the one for each of the other."""
        random = Random(seed_of(seed, len(reasoning), len(general)))
        one, other = len(reasoning), len(general)
        if self.ratio and self.general is not None:
            one = int(min(one, other * self.ratio))
            other = min(other, round(one / self.ratio))
        order = random.sample(reasoning, one) + random.sample(general, other)
        random.shuffle(order)
        return order


BUCKETS = ("none", "0", "(0, 0.25]", "(0.25, 0.5]", "(0.5, 0.75]", "(0.75, 1)", "1")
"""Of pass rates; none: no sample has a verdict."""


def bucket(rate: float | None) -> str:
    """The bucket of a pass rate."""
    if rate is None:
        return BUCKETS[0]
    if rate in (0.0, 1.0):
        return BUCKETS[1 if rate == 0 else -1]
    return BUCKETS[2 + sum(rate > edge for edge in (0.25, 0.5, 0.75))]


def general_row(_: int, row: Any) -> dict[str, Any]:
    """A row of the user's as messages, thinking, id, domain and language. Raises ValueError."""
    check_text(row)
    match row:
        case {"messages": [*messages]} if messages and all(map(_is_turn, messages)):
            pass
        case {"prompt": str(prompt), "completion": str(completion)}:
            messages = [
                {"role": "user", "content": prompt}, {"role": "assistant", "content": completion},
            ]  # fmt: skip
        case _:
            raise ValueError("messages (role and content, texts), or prompt and completion, texts")
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise ValueError("messages: a question is wanted, and an assistant's answer as the last")
    thinking = row.get("thinking", False)
    if not isinstance(thinking, str | bool):
        raise ValueError("thinking: a text, or true where one is to be written")
    for key, text in (("the answer", messages[-1]["content"]), ("thinking", thinking)):
        if isinstance(text, str) and has_tags(text):
            raise ValueError(
                f"{key}: no {THINK} and {END} are wanted in it; thinking has the thought"
            )
    texts = {key: row.get(key) or "" for key in ("id", "domain", "language")}
    texts["domain"] = texts["domain"] or row.get("category") or GENERAL
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{key}: a text is wanted")
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in messages]
    return {"messages": turns, "thinking": thinking, **texts}


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and all(
        isinstance(turn.get(key), str) for key in ("role", "content")
    )


def _asked(row: Mapping[str, Any]) -> str:
    return "\n\n".join(turn["content"] for turn in row["messages"][:-1] if turn["role"] == "user")


def _answer(row: Mapping[str, Any]) -> str:
    answer: str = row["messages"][-1]["content"]
    return answer
