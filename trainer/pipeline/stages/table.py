"""The stage table: how each model does on held-out problems, as in DeepSeek-R1's table of stages.

    [stages.table]
    kind = "table"
    data = {math = "held_math", code = "held_code"}      # decided by rules
    general = {helpful = "held_helpful"}                 # items with a task `judge`
    rows = [
        {name = "Zero", model = "zero", template = "r1_zero"},
        {name = "Dev1", model = "dev1"},
    ]

Every response is sent to the service once, with a recipe that asks for all that the table shows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from trainer.config import Section, Share, Template
from trainer.data import read_prompts
from trainer.metrics import ACCURACY
from trainer.pipeline import figures
from trainer.pipeline.figures import FIXED, Table
from trainer.pipeline.manifest import write_json, write_text
from trainer.pipeline.sampling import Sample, Sampler, sampled
from trainer.pipeline.stage import Ref, Service, Settings, StageBase, StageFailed, Work
from trainer.tokens import Tokenizer
from verifier.v1.verifier_pb2 import Recipe, RecipePart

TABLE, WORDS = "table.json", "table.md"

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,39}$")]
"""Of a row or a domain."""


class TableSampling(Sampler):
    """How all models are asked: as the paper's evaluation, four times instead of up to 64."""

    samples: PositiveInt = 4
    """Responses to each prompt."""
    temperature: float = Field(default=0.6, ge=0)
    """Divides the logits; 0: the likeliest token."""
    top_p: Share = 0.95
    """Nucleus."""


class RowOf(Section):
    """A row of the table."""

    name: Label
    """As the table has it; the checks know Zero, Dev1, Dev2, Dev3, R1, Distilled and Control."""
    model: Ref
    """What is asked."""
    template: Template | None = None
    """How, where it is another than `sampling.template`: r1_zero for R1-Zero."""
    style: Literal["r1_zero", "r1"] | None = None
    """Its format; default: r1_zero for that template, else r1."""


class TableStage(StageBase):
    """Held-out problems in several domains."""

    kind: Literal["table"]
    rows: list[RowOf] = Field(min_length=1)
    """Models, in their order."""
    data: dict[Label, Ref] = Field(min_length=1)
    """By domain: problems that rules decide. Format, language, mixed and length are of these."""
    general: dict[Label, Ref] = Field(default_factory=dict)
    """By domain: items that a judge decides, whose score counts."""
    language: bool = True
    """Ask for the language part: every item needs a language, of its own or its prompt's."""
    sampling: TableSampling = TableSampling()
    """How all models are asked."""

    output: ClassVar[str] = TABLE
    more_outputs: ClassVar[tuple[str, ...]] = (WORDS,)

    def references(self) -> Mapping[str, Ref]:
        models = {f"models.{row.name}": row.model for row in self.rows}
        domains = {**self.data, **self.general}
        return models | {f"data.{domain}": ref for domain, ref in domains.items()}

    def check(self, settings: Settings) -> Iterator[str]:
        counts = Counter(row.name.casefold() for row in self.rows)
        for name in (row.name for row in self.rows):
            if counts[name.casefold()] > 1:
                yield f"rows: names that differ, got {name!r} {counts[name.casefold()]} times"
        for domain in (*self.data, *self.general):
            if domain in FIXED:
                yield f"data.{domain}: another name is wanted, the table has a column {domain}"
        for domain in self.data.keys() & self.general.keys():
            yield f"general.{domain}: another name is wanted, data has it"
        told = settings.service
        if self.general and told.address == "embedded" and told.judge is None:
            yield "general: a judge decides these, and service.judge names none"

    def run(self, work: Work) -> Mapping[str, Any]:
        with work.service() as address:  # one for all rows
            settings = replace(work.settings, service=Service(address=address))
            rows = [self._row(replace(work, settings=settings), row) for row in self.rows]
        about = self.sampling.model_dump(
            include={"samples", "temperature", "top_p", "top_k", "max_new_tokens"}
        )
        table = Table(rows, tuple(self.data), tuple(self.general), about)
        found = figures.as_json(table)
        write_text(work.dir / WORDS, figures.markdown(table))
        write_json(work.dir / TABLE, found)
        return json.loads(json.dumps(found))  # type: ignore[no-any-return]

    def _row(self, work: Work, row: RowOf) -> figures.Row:
        template = row.template or self.sampling.template
        style = row.style or ("r1_zero" if template == "r1_zero" else "r1")
        model = work.inputs[f"models.{row.name}"]
        tokenizer, most = Tokenizer(model), self.sampling.max_prompt_tokens
        prompts = [
            replace(prompt, id=f"{domain}/{prompt.id}")  # two files may have the same ids
            for domain in (*self.data, *self.general)
            for prompt in read_prompts(work.inputs[f"data.{domain}"], tokenizer, template, most)
        ]
        by_domain: dict[str, list[figures.Sample]] = {
            domain: [] for domain in (*self.data, *self.general)
        }
        told = self.sampling.model_copy(update={"template": template})
        recipe = recipe_of(style, language=self.language)
        refused = dict[str, list[str]]()
        for prompt, samples in sampled(work, row.name, model, prompts, told, recipe):
            domain, _, problem = prompt.id.partition("/")
            by_domain[domain] += [counted(problem, sample) for sample in samples]
            whys = [sample.message for sample in samples if sample.status == "INVALID"]
            refused.setdefault(domain, []).extend(whys)
        for domain, whys in refused.items():
            if len(whys) == len(by_domain[domain]):  # of a whole file, that is no matter of luck
                raise StageFailed(f"data.{domain}: the service takes none of its items: {whys[0]}")
        return figures.row(
            row.name,
            {domain: by_domain[domain] for domain in self.data},
            {domain: by_domain[domain] for domain in self.general},
        )


def recipe_of(style: str, *, language: bool) -> Recipe:
    """All parts that the table shows; the reward is the accuracy."""
    parts = [
        RecipePart(name=ACCURACY),
        RecipePart(name="format", weight=0.0, options={"style": style}),
    ]
    if language:
        parts.append(RecipePart(name="language", weight=0.0))
    return Recipe(name="table", parts=parts)


def counted(problem: str, sample: Sample) -> figures.Sample:
    """What the table counts of a sample."""
    layout, language = sample.part("format"), sample.part("language")
    spoken = language is not None and language.reason != "no_words"
    return figures.Sample(
        problem,
        sample.tokens,
        cut_off=sample.finish == "length",
        score=sample.accuracy,
        format=layout.score if layout is not None else None,
        language=language.score if language is not None and spoken else None,
    )
