"""What the stages have in common that make rows from samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from trainer.data import Prompt
from trainer.pipeline.decontaminate import Benchmarks, read_benchmarks
from trainer.pipeline.manifest import write_json
from trainer.pipeline.rows import Report
from trainer.pipeline.sampling import Sampler, prompts_of
from trainer.pipeline.stage import Ref, StageBase, StageFailed, Work
from trainer.tokens import Tokenizer

REJECTED, COUNTS = "rejected.jsonl", "counts.json"


class Curation(StageBase):
    data: list[Ref] = Field(default_factory=list)
    """Problems: items of the verifier without a response."""
    against: list[Ref] = Field(default_factory=list)
    """Files of benchmark questions: prompts that share 10 words in a row with one are left out."""

    def references(self) -> Mapping[str, Ref]:
        found = {f"data.{n}": ref for n, ref in enumerate(self.data)}
        return found | {f"against.{n}": ref for n, ref in enumerate(self.against)}

    def benchmarks(self, work: Work) -> Benchmarks:
        """What prompts are compared with."""
        return read_benchmarks(paths(work, "against"))

    def prompts(
        self, work: Work, model: Path, template: str, told: Sampler, clear: Benchmarks, out: Report
    ) -> list[Prompt]:
        """The problems as a model reads them, clear of benchmarks: others are not even sampled.

        Raises DataError, StageFailed.
        """
        most = told.max_prompt_tokens
        prompts = prompts_of(paths(work, "data"), Tokenizer(model), template, most)
        found = [
            prompt for prompt in prompts if is_clear(prompt.item.prompt, prompt.id, clear, out)
        ]
        if not found:
            raise StageFailed(f"against: all of {len(prompts)} prompts are in a benchmark")
        return found

    def finish(self, work: Work, report: Report, counts: dict[str, Any]) -> Mapping[str, Any]:
        """Writes what was counted. Raises StageFailed where nothing is kept."""
        report.write_examples(work.dir / REJECTED)
        counts |= report.as_dict()
        write_json(work.dir / COUNTS, counts)
        if not counts["kept"]:
            why = ", ".join(f"{reason} {n}" for reason, n in report.counts.most_common())
            raise StageFailed(
                f"nothing is kept: {why or 'there was nothing'}; {work.dir / REJECTED} has examples"
            )
        return counts


def is_clear(text: str, id: str, clear: Benchmarks, out: Report, of: str = "") -> bool:
    """Whether a text holds no benchmark's question; one that does is rejected."""
    if (hit := clear.find(text)) is None:
        return True
    out.reject(f"{of}contaminated_prompt", str(hit), id=id, prompt=text)
    return False


def paths(work: Work, name: str) -> list[Path]:
    """Of all inputs of a name, such as data.0 and data.1."""
    return [path for key, path in work.inputs.items() if key.startswith(f"{name}.")]
