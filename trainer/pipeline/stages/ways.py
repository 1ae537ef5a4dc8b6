"""The ways in which a model is asked for long chains of thought (stages/cold_start.py)."""

from __future__ import annotations

from typing import Any, Literal

from trainer.config import Section, Template
from trainer.data import DataError, read_rows, render
from trainer.pipeline.rows import check_text, filled
from trainer.pipeline.sampling import Sampler
from trainer.pipeline.stage import Ref, Work
from trainer.tokens import Tokenizer

INSTRUCTION = """\
Solve the problem below. First think aloud between <think> and </think>, step by step and at \
length: look again at whatever you are not sure of, try another way where one leads nowhere, and \
verify the result in another way before you stop. Write your thoughts in the language of the \
problem, in short paragraphs. After </think> write the solution in short for the reader, and its \
answer.

{prompt}"""


Layout = Literal["r1", "r1_zero"]


class PlainSampler(Sampler):
    """A base model's."""

    template: Template = "none"
    """Around the examples and the prompt."""


class ZeroSampler(Sampler):
    """R1-Zero's."""

    template: Template = "r1_zero"
    """How a prompt becomes text."""


class FewShot(Section):
    """Worked examples stand before the prompt."""

    model: Ref
    """What is sampled; a base model will do."""
    examples: Ref
    """Rows {"prompt": ..., "response": ...}, responses as `format` says."""
    form: str = "Question: {prompt}\nResponse: {response}"
    """Of an example; a response ends where the next would begin."""
    format: Layout = "r1_zero"
    """How responses must be laid out."""
    sampling: PlainSampler = PlainSampler()
    """How it is sampled."""

    def template(self, work: Work, tokenizer: Tokenizer) -> tuple[str, Sampler]:
        """The text around a prompt, and how it is sampled."""
        shown = read_rows(work.inputs["examples"], _example)
        if any("{prompt}" in text for example in shown for text in example):
            raise DataError(f"{work.inputs['examples']}: a text with {{prompt}} in it")
        told = [filled(self.form, prompt=prompt, response=said) for prompt, said in shown]
        told.append(self.form.partition("{response}")[0].rstrip(" "))
        head = self.form.partition("{prompt}")[0].strip()
        end = self.sampling.stop_text or (f"\n\n{head}" if head else "")
        text = render("\n\n".join(told), self.sampling.template, tokenizer)
        return text, self.sampling.model_copy(update={"stop_text": end})


class Direct(Section):
    """An instruction asks for long thought."""

    model: Ref
    """What is sampled: one that follows instructions."""
    instruction: str = INSTRUCTION
    """With {prompt} in it."""
    format: Layout = "r1"
    """How responses must be laid out."""
    sampling: Sampler = Sampler()
    """How it is sampled."""

    def template(self, work: Work, tokenizer: Tokenizer) -> tuple[str, Sampler]:
        """The text around a prompt, and how it is sampled."""
        return render(self.instruction, self.sampling.template, tokenizer), self.sampling


class Zero(Section):
    """R1-Zero as it was trained."""

    model: Ref
    """R1-Zero."""
    format: Layout = "r1_zero"
    """How responses must be laid out."""
    sampling: ZeroSampler = ZeroSampler()
    """How it is sampled."""

    def template(self, work: Work, tokenizer: Tokenizer) -> tuple[str, Sampler]:
        """The text around a prompt, and how it is sampled."""
        return self.sampling.template, self.sampling


Way = FewShot | Direct | Zero


def _example(_: int, row: Any) -> tuple[str, str]:
    check_text(row)
    match row:
        case {"prompt": str(prompt), "response": str(response)} if prompt and response:
            return prompt, response
    raise ValueError("prompt and response, texts, are wanted")
