"""Cold start: long chains of thought for the base model to begin with, collected in the four ways
of DeepSeek-R1 (arXiv 2501.12948v2, section 3 and B.3.2): few-shot prompting, direct prompting that
asks for reflection and verification, readable outputs of R1-Zero, and people's hands.

    data.jsonl, data.parquet     what is kept
    review.jsonl                 the same and what was right but not fit, for people to edit
    rejected.jsonl               some of what is not kept, by reason
    counts.json                  how many of each

Each way: sample, verify, filter, refine (where a refiner is configured), verify again, filter. What
people edited comes back by `by_hand`; it is verified as everything else, and it is the last word:
it takes the place of the row with its id, and a row with `keep` false is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Literal

from google.protobuf import json_format
from pydantic import Field

from trainer.data import DataError, read_rows
from trainer.pipeline.decontaminate import Benchmarks
from trainer.pipeline.filters import Filters, Kept, Rejected, choose, examine, is_right, verifying
from trainer.pipeline.refine import Asker, Refiner, asker
from trainer.pipeline.rows import (
    END,
    PATTERN,
    Pattern,
    Report,
    Split,
    chat_row,
    check_text,
    domain_of,
    joined,
    split,
    write_chat,
    write_jsonl,
)
from trainer.pipeline.sampling import Sample, sampled, verified
from trainer.pipeline.stage import Ref, Settings, Work
from trainer.pipeline.stages.curation import Curation
from trainer.pipeline.stages.ways import Direct, FewShot, Way, Zero
from trainer.tokens import Tokenizer
from verifier.client import Item

BY_HAND = "by_hand"
ANSWERS = "answers.jsonl"
UNREADABLE = frozenset(
    {"malformed", "mixed_languages", "long_paragraph", "code_in_thinking", "repetitive"}
)
"""What people can mend: right all the same."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A response, and what it was taken apart into."""

    id: str
    source: str
    item: Item
    original: str
    halves: Split

    def answered(self) -> Item:
        """What is to be verified."""
        found = deepcopy(self.item)
        found.id, found.response = self.id, joined(self.halves.reasoning, self.halves.summary)
        return found


@dataclass(frozen=True)
class Out:
    """What the ways leave, each in its turn."""

    report: Report = field(default_factory=Report)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id."""
    review: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id."""
    seen: set[bytes] = field(default_factory=set)
    """What was kept before it was refined, see `choose`."""
    seen_again: set[bytes] = field(default_factory=set)
    """And after."""

    def reject(self, one: Candidate, why: Rejected, response: str, when: str = "") -> None:
        """One more that is not kept."""
        told = {"id": one.id, "prompt": one.item.prompt, "response": response}
        self.report.reject(f"{when}{why.reason}", why.detail, **told)


class ColdStartStage(Curation):
    """Chains of thought from one or more of four ways."""

    kind: Literal["cold_start"]
    few_shot: FewShot | None = None
    """The first way."""
    direct: Direct | None = None
    """The second."""
    zero: Zero | None = None
    """The third."""
    by_hand: Ref | None = None
    """The fourth: a review.jsonl that people have edited."""
    filters: Filters = Filters()
    """What is kept; `format` of each way is its own. With a refiner the share of a language is only
    asked for after it."""
    refiner: Refiner | None = None
    """A chat model that rewrites thoughts in the question's language, in the first person, and
    writes summaries; without one thoughts stay and the answer is the summary."""
    boxed: list[str] = Field(default_factory=lambda: ["math"])
    """Tasks whose summaries have their answer in a box, as the paper's."""
    summary_template: str = "{answer}"
    """Without a refiner: the summary of a response that has an <answer>."""
    strip: bool = False
    """White space at both ends of thoughts and summaries goes."""
    pattern: Pattern = PATTERN
    """What the assistant says: {reasoning} and {summary}. The paper prints
    |special_token|{reasoning}|special_token|{summary}."""

    more_outputs = ("data.parquet", "review.jsonl", "rejected.jsonl", "counts.json")

    def ways(self) -> Mapping[str, Way]:
        """Those that sample, by name."""
        told = {"few_shot": self.few_shot, "direct": self.direct, "zero": self.zero}
        return {name: way for name, way in told.items() if way is not None}

    def references(self) -> Mapping[str, Ref]:
        found = {f"model.{name}": way.model for name, way in self.ways().items()}
        found |= super().references()
        if self.few_shot is not None:
            found["examples"] = self.few_shot.examples
        return found | ({} if self.by_hand is None else {BY_HAND: self.by_hand})

    def check(self, settings: Settings) -> Iterator[str]:
        if not self.ways() and self.by_hand is None:
            yield "few_shot, direct, zero, by_hand: at least one of them is wanted"
        if self.ways() and not self.data:
            yield f"data: problems are wanted for {', '.join(self.ways())}"
        if self.direct is not None and "{prompt}" not in self.direct.instruction:
            yield "direct.instruction: {prompt} is wanted in it"
        if self.few_shot is not None:
            before, found, after = self.few_shot.form.partition("{prompt}")
            if not found or "{response}" not in after or "{response}" in before:
                yield "few_shot.form: {prompt} and after it {response} are wanted in it"

    def run(self, work: Work) -> Mapping[str, Any]:
        out, counts = Out(), dict[str, Any]()
        benchmarks = self.benchmarks(work)
        for name, way in self.ways().items():
            candidates, figures = self._sampled(work, name, way, benchmarks, out)
            if self.refiner is None:
                finished = [self._unrefined(one) for one in candidates]
            else:
                with asker(self.refiner, work.dir / ANSWERS) as ask:
                    finished = self._refined(ask, candidates, out)
            counts[name] = {**figures, "kept": self._verified(work, name, finished, out)}
        if self.by_hand is not None:
            counts[BY_HAND] = self._edited(work, benchmarks, out)
        write_jsonl(work.dir / "review.jsonl", out.review.values())
        write_chat(work.dir, out.rows.values())
        return self.finish(work, out.report, {**counts, "kept": len(out.rows)})

    def _sampled(
        self, work: Work, name: str, way: Way, benchmarks: Benchmarks, out: Out
    ) -> tuple[list[Candidate], dict[str, int]]:
        """What a way gives before it is refined, and figures."""
        model = work.inputs[f"model.{name}"]
        template, told = way.template(work, Tokenizer(model))
        prompts = self.prompts(work, model, template, told, benchmarks, out.report)
        changed: dict[str, object] = {"format": way.format}
        if self.refiner is not None:
            changed["language_share"] = 0.0
        filters = self.filters.model_copy(update=changed)
        candidates, figures = list[Candidate](), {"sampled": 0, "right": 0, "fit": 0}
        for prompt, samples in sampled(work, name, model, prompts, told, verifying(filters)):
            out.report.tally(prompt.item, "sampled", len(samples))
            figures["sampled"] += len(samples)
            outcomes = choose(prompt.item.prompt, samples, filters, out.seen)
            for sample, outcome in zip(samples, outcomes, strict=True):
                figures["right"] += is_right(sample, filters) is True
                halves = split(sample.response) or Split(sample.response, "")
                id = f"{name}:{prompt.id}#{sample.number}"
                one = Candidate(id, name, prompt.item, sample.response, halves)
                if isinstance(outcome, Kept):
                    figures["fit"] += 1
                    candidates.append(one)
                    continue
                out.reject(one, outcome, sample.response)
                if outcome.reason in UNREADABLE:
                    out.review[id] = _for_people(one, sample, False, str(outcome))
        return candidates, figures

    def _verified(self, work: Work, name: str, finished: Sequence[Candidate], out: Out) -> int:
        """Verifies and filters again. Returns how many are kept."""
        items = [one.answered() for one in finished]
        # What a refiner took out of the first filter's hands is looked at here.
        filters = self.filters.model_copy(update={"format": "r1", "levels": []})
        samples = verified(work, f"{name}-again", items, verifying(filters))
        together = zip(finished, samples, strict=True)
        before = len(out.rows)
        for _, group in groupby(together, key=lambda both: both[0].item.id):
            of_prompt = list(group)
            text = of_prompt[0][0].item.prompt
            outcomes = choose(text, [sample for _, sample in of_prompt], filters, out.seen_again)
            for (one, sample), outcome in zip(of_prompt, outcomes, strict=True):
                why = str(outcome) if isinstance(outcome, Rejected) else ""
                out.review[one.id] = _for_people(one, sample, not why, why)
                if isinstance(outcome, Rejected):
                    out.reject(one, outcome, sample.response, "refined_")
                    continue
                out.report.tally(one.item, "kept")
                out.rows[one.id] = self._row(one)
        return len(out.rows) - before

    def _unrefined(self, one: Candidate) -> Candidate:
        summary = one.halves.summary
        if "<answer>" in one.original.rpartition(END)[2]:
            summary = self.summary_template.replace("{answer}", summary)
        return self._finished(one, one.halves.reasoning, summary)

    def _refined(self, ask: Asker, candidates: Sequence[Candidate], out: Out) -> list[Candidate]:
        """Those of which both the thought and the summary came back, with both."""
        texts = [(one.item.prompt, one.halves.reasoning, one.item.language) for one in candidates]
        thoughts = dict(zip(candidates, ask.rewritten(texts), strict=True))
        thinking = [one for one in candidates if thoughts[one]]
        summaries = ask.summaries([
            (
                one.item.prompt, thoughts[one], one.halves.summary, one.item.language,
                one.item.WhichOneof("task") in self.boxed,
            )
            for one in thinking
        ])  # fmt: skip
        found = dict(zip(thinking, summaries, strict=True))
        for one in candidates:
            if not found.get(one):
                why = Rejected("not_refined", "no answer, or one that was cut off")
                out.reject(one, why, one.original)
        return [self._finished(one, thoughts[one], text) for one, text in found.items() if text]

    def _finished(self, one: Candidate, reasoning: str, summary: str) -> Candidate:
        if self.strip:
            reasoning, summary = reasoning.strip(), summary.strip()
        return replace(one, halves=Split(reasoning, summary))

    def _row(self, one: Candidate) -> dict[str, Any]:
        said, item = joined(one.halves.reasoning, one.halves.summary, self.pattern), one.item
        return chat_row(item.prompt, said, one.id, one.source, domain_of(item), item.language)

    def _edited(self, work: Work, benchmarks: Benchmarks, out: Out) -> dict[str, int]:
        """Takes over what people say."""
        path = work.inputs[BY_HAND]
        edited = read_rows(path, _edited_row)
        ids = Counter(one.id for one, _ in edited)
        if twice := [id for id, count in ids.items() if count > 1]:
            raise DataError(f"{path}: id {twice[0]!r} is that of {ids[twice[0]]} rows")
        filters = self.filters.model_copy(update={"format": "r1"})
        items = [one.answered() for one, _ in edited]
        samples = verified(work, BY_HAND, items, verifying(filters))
        counts = {"rows": len(edited), "left_out": 0, "rejected": 0, "kept": 0}
        for (one, keep), sample in zip(edited, samples, strict=True):
            out.rows.pop(one.id, None)
            rejected = examine(sample, filters)
            if hit := benchmarks.find(one.item.prompt):
                rejected = Rejected("contaminated_prompt", str(hit))
            why = "" if rejected is None else str(rejected)
            out.review[one.id] = _for_people(one, sample, keep and not why, why)
            if not keep:
                counts["left_out"] += 1
            elif rejected is not None:
                counts["rejected"] += 1
                out.reject(one, rejected, sample.response, f"{BY_HAND}_")
            else:
                counts["kept"] += 1
                out.rows[one.id] = self._row(one)
        return counts


def _for_people(one: Candidate, sample: Sample, keep: bool, why: str) -> dict[str, Any]:
    """A row to be edited: `keep`, `reasoning` and `summary`."""
    item = json_format.MessageToDict(one.item, preserving_proto_field_name=True)
    said = {part.name: f"{part.reason}: {part.detail}".removesuffix(": ") for part in sample.parts}
    return {
        "id": one.id,
        "source": one.source,
        "keep": keep,
        "why": why,
        "prompt": one.item.prompt,
        "reasoning": one.halves.reasoning,
        "summary": one.halves.summary,
        "original": one.original,
        "verdict": {"status": sample.status, **said},
        "item": json.loads(json.dumps(item, sort_keys=True)),
    }


_EDITED: Mapping[str, tuple[type, str]] = {
    "id": (str, "a text"),
    "keep": (bool, "true or false"),
    "reasoning": (str, "a text"),
    "summary": (str, "a text"),
    "item": (dict, "an item of the verifier"),
}
"""What of a row of review.jsonl counts when it comes back."""


def _edited_row(_: int, row: Any) -> tuple[Candidate, bool]:
    check_text(row)
    if not isinstance(row, dict):
        raise ValueError(f"a row of review.jsonl is wanted, got {row!r:.40}")
    for key, (kind, words) in _EDITED.items():
        if key not in row:
            raise ValueError(f"{key}: {words} is wanted, as in review.jsonl, and it has none")
        if not isinstance(row[key], kind):
            raise ValueError(f"{key}: {words} is wanted, got {row[key]!r:.40}")
    try:
        item = json_format.ParseDict(row["item"], Item())
    except json_format.ParseError as error:
        raise ValueError(f"item: {error}") from error
    if item.WhichOneof("task") is None or not item.prompt:
        raise ValueError("item: a prompt and a task are wanted")
    if row.get("prompt", item.prompt) != item.prompt:
        raise ValueError("prompt: another text than item.prompt, which is the one that counts")
    halves = Split(row["reasoning"], row["summary"])
    found = Candidate(row["id"], BY_HAND, item, str(row.get("original", "")), halves)
    return found, row["keep"]
