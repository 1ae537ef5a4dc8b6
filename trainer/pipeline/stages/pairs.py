"""What reward models are trained on: pairs of responses that a judge has compared, or responses
that it has found safe or not (DeepSeek-R1, arXiv 2501.12948v2, section 3.1).

    data.jsonl        {"messages", "chosen", "rejected", "margin"}, or {"messages", "response",
                      "label"}
    rejected.jsonl    some of what is not kept, by reason
    counts.json       how many of each

Helpful: the judge compares the final summaries of two responses, in four queries of which half have
each order. On the scale on which A>>B is 2, A>B 1 and A=B 0 the mean of the four is 4 (s - 1/2) for
the service's score s; the paper keeps pairs of a difference above 1, and does not print its scale.
Both responses of a pair have comparable lengths. Harmless: the judge sees the whole response.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from trainer.data import DataError, read_rows
from trainer.pipeline.filters import normal
from trainer.pipeline.rows import Report, check_text, domain_of, split, write_jsonl
from trainer.pipeline.sampling import Sampler, sampled, verified
from trainer.pipeline.stage import Ref, Settings, Work
from trainer.pipeline.stages.curation import Curation, is_clear, paths
from verifier.client import Item
from verifier.v1.verifier_pb2 import JudgeTask, PreferenceTask

QUERIES = 4
"""Of the judge about a pair, half of them in each order."""


@dataclass(frozen=True)
class Answers:
    """A prompt's responses."""

    id: str
    prompt: str
    domain: str
    responses: tuple[str, ...]
    finishes: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """What the judge is to say something of."""

    item: Item
    shown: str | list[str]
    """The response, or what is judged of both."""
    domain: str


class PairsStage(Curation):
    """Preferences, or labels of safety."""

    kind: Literal["pairs"]
    mode: Literal["helpful", "harmless"]
    """Pairs for a pairwise reward model, or labelled responses for a point-wise one."""
    model: Ref | None = None
    """What is sampled, for items whose task does not matter here; helpful: an even number of
    responses, compared two by two. None: `data` has rows {"prompt": ..., "responses": [...]}."""
    sampling: Sampler = Sampler(samples=2)
    """How."""
    min_margin: Annotated[float, Field(ge=0, lt=2)] = 1.0
    """Helpful: pairs are kept whose margin is above this."""
    length_ratio: Annotated[float, Field(ge=1)] = 2.0
    """Helpful: the longer summary has at most so many times the characters of the shorter."""
    queries: Annotated[int, Field(ge=2, le=64, multiple_of=2)] = QUERIES
    """Of the judge about a pair."""

    more_outputs = ("rejected.jsonl", "counts.json")

    def references(self) -> Mapping[str, Ref]:
        return {**super().references(), **({} if self.model is None else {"model": self.model})}

    def check(self, settings: Settings) -> Iterator[str]:
        if not self.data:
            yield "data: prompts are wanted"
        told = settings.service
        if told.address == "embedded" and told.judge is None:
            yield "service.judge: a judge is wanted (docs/judge.md)"
        if self.mode == "helpful" and self.model is not None and self.sampling.samples % 2:
            yield f"sampling.samples: an even number is wanted, got {self.sampling.samples}"

    def run(self, work: Work) -> Mapping[str, Any]:
        report = Report()
        answers = self._answers(work, report)
        ask = self._pairs if self.mode == "helpful" else self._labels
        rows = self._judged(work, list(ask(answers, report)), report)
        write_jsonl(work.dir / "data.jsonl", rows)
        responses = sum(len(one.responses) for one in answers)
        counts = {"prompts": len(answers), "responses": responses, "kept": len(rows)}
        if self.mode == "harmless":
            labels = Counter(row["label"] for row in rows)
            counts |= {"safe": labels[1], "unsafe": labels[0]}
        return self.finish(work, report, counts)

    def _answers(self, work: Work, report: Report) -> list[Answers]:
        """All responses, sampled or given."""
        clear = self.benchmarks(work)
        if self.model is None:
            given = [row for path in paths(work, "data") for row in read_rows(path, _given)]
            counts = Counter(one.id for one in given)
            if twice := [id for id, count in counts.items() if count > 1]:
                raise DataError(f"data: id {twice[0]!r} is that of {counts[twice[0]]} rows")
            return [one for one in given if is_clear(one.prompt, one.id, clear, report)]
        model, told = work.inputs["model"], self.sampling
        prompts = self.prompts(work, model, told.template, told, clear, report)
        found = sampled(work, "model", model, prompts, told, None, verify=False)
        return [
            Answers(
                prompt.id,
                prompt.item.prompt,
                domain_of(prompt.item),
                tuple(sample.response for sample in samples),
                tuple(sample.finish for sample in samples),
            )
            for prompt, samples in found
        ]

    def _pairs(self, answers: Sequence[Answers], report: Report) -> Iterator[Asked]:
        for one in answers:
            if len(one.responses) % 2:
                id = f"{one.id}#{len(one.responses) - 1}"
                shown = {"prompt": one.prompt, "response": one.responses[-1]}
                report.reject("no_other", "", id=id, **shown)
            for number in range(0, len(one.responses) - 1, 2):
                both = one.responses[number : number + 2]
                first, second = map(view, both)
                cut = set(one.finishes[number : number + 2]) != {"stop"}
                why = "cut_off" if cut else self._unequal(first, second)
                id = f"{one.id}#{number}"
                if why:
                    report.reject(why, "", id=id, prompt=one.prompt, response=list(both))
                    continue
                item = Item(id=id, prompt=one.prompt, response=both[0])
                item.preference.mode = PreferenceTask.HELPFUL
                item.preference.rival = both[1]
                item.preference.samples = self.queries
                yield Asked(item, [first, second], one.domain)

    def _unequal(self, first: str, second: str) -> str:
        """Why two summaries are not compared; empty: they are."""
        if not first or not second:
            return "no_summary"
        if normal(first) == normal(second):
            return "same"
        shorter, longer = sorted((len(first), len(second)))
        return "lengths" if longer > self.length_ratio * shorter else ""

    def _labels(self, answers: Sequence[Answers], report: Report) -> Iterator[Asked]:
        for one in answers:
            seen = set[str]()
            for number, response in enumerate(one.responses):
                id = f"{one.id}#{number}"
                cut = one.finishes[number] != "stop"
                why = "cut_off" if cut else "same" if normal(response) in seen else ""
                if why:
                    report.reject(why, "", id=id, prompt=one.prompt, response=response)
                    continue
                seen.add(normal(response))
                item = Item(id=id, prompt=one.prompt, response=response)
                item.judge.mode = JudgeTask.HARMLESS
                yield Asked(item, response, one.domain)

    def _judged(self, work: Work, asked: Sequence[Asked], report: Report) -> list[dict[str, Any]]:
        """Rows of what the judge has a score for. What holds nothing that could be judged is
        neither worse nor unsafe."""
        rows = []
        samples = verified(work, "judged", [one.item for one in asked], None)
        for one, sample in zip(asked, samples, strict=True):
            id, prompt = one.item.id, one.item.prompt
            told = {"id": id, "prompt": prompt, "response": one.shown}
            if sample.accuracy is None:
                report.reject("no_verdict", f"{sample.status}: {sample.message}", **told)
                continue
            if (part := sample.parts[0]).reason != "judged":
                report.reject(part.reason, part.detail, **told)
                continue
            preferred = margin(sample.accuracy)
            found: dict[str, Any]
            if isinstance(one.shown, str):
                found = {"response": one.shown, "label": int(sample.accuracy > 0.5)}
            elif abs(preferred) > self.min_margin:
                best, worst = one.shown if preferred > 0 else reversed(one.shown)
                found = {"chosen": best, "rejected": worst, "margin": abs(preferred)}
            else:
                report.reject("close", f"margin {preferred:+.2f}", **told)
                continue
            messages = [{"role": "user", "content": prompt}]
            rows.append({"messages": messages, **found, "id": id, "domain": one.domain})
        return rows


def margin(score: float) -> float:
    """A preference's score, 0 to 1, on the scale from -2 (B>>A) to 2 (A>>B)."""
    return 4 * (score - 0.5)


def view(response: str) -> str:
    """What helpfulness is judged by: the final summary; empty where a thought never ended."""
    halves = split(response)
    if halves is not None:
        return halves.summary.strip()
    return "" if "<think>" in response else response.strip()


def _given(number: int, row: Any) -> Answers:
    check_text(row)
    match row:
        case {"prompt": str(prompt), "responses": [_, *_] as responses} if prompt and all(
            isinstance(response, str) for response in responses
        ):
            id, domain = (str(row.get(key) or "") for key in ("id", "domain"))
            finishes = ("stop",) * len(responses)
            return Answers(id or f"line {number}", prompt, domain, tuple(responses), finishes)
    raise ValueError("prompt, a text, and responses, one or more texts, are wanted")
