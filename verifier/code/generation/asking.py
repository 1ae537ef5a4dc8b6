"""Stages 1 and 2: the model writes generators and a validator, and these give inputs.

A program that has errors is shown to the model once more with the first of
them. What a generator with errors printed well is used all the same: every
input still has to pass the solutions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence

from sandbox.v1 import sandbox_pb2 as sb
from verifier.code import extract
from verifier.code.generation import inputs, programs, prompts
from verifier.code.generation.programs import DoesNotCompile, Unusable
from verifier.code.generation.work import Work, together
from verifier.judge.ask import Ask, Message

ERROR_CHARS = 2_000
"""The end of what went wrong, as shown to the model that is to repair it."""

SHOWN_CHARS = 500
"""Of an input, shown beside it."""


async def answer(work: Work, messages: Sequence[Message], place: int) -> str | None:
    """The model's answer; None when it was cut off. `place` tells calls of one problem apart."""
    settings, report = work.settings, work.report
    told = await work.model.ask(
        Ask(
            tuple(messages),
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed + place,
        )
    )
    report.answers["cached" if told.cached else "asked"] += 1
    if not told.cached:
        report.answers["prompt_tokens"] += told.prompt_tokens
        report.answers["completion_tokens"] += told.completion_tokens
    return None if told.finish == "length" else told.text


async def _program(
    work: Work, messages: list[Message], place: int, attempt: Callable[[str], Awaitable[str]]
) -> bool:
    """Asks for a Python program and attempts to use it; once more with what went wrong.

    `attempt` returns what went wrong, "" for nothing. False: it never went well.
    """
    for again in (False, True):
        text = await answer(work, messages, place)
        if text is None:
            return False
        source = extract.program(text, "python")
        try:
            wrong = "there was no Python program in a fence" if source is None else ""
            wrong = wrong or await attempt(str(source))
        except (DoesNotCompile, Unusable) as error:
            wrong = str(error)
        if not wrong:
            work.report.repaired += again
            return True
        messages = [*messages, Message("assistant", text), prompts.repair(wrong[-ERROR_CHARS:])]
    return False


def _printed(outcome: sb.Outcome) -> bytes:
    """The output of a run that went well; raises ValueError with what a model can act on."""
    if outcome.ending == sb.Outcome.EXITED and outcome.exit_code == 0:
        return outcome.stdout
    ending = sb.Outcome.Ending.Name(outcome.ending)
    said = outcome.stderr.decode(errors="replace").strip()[-ERROR_CHARS:]
    raise ValueError(f"{said}\nThe run ended with {ending} {outcome.exit_code or ''}".strip())


def digest(program: str) -> str:
    """What provenance knows a program by."""
    return hashlib.sha256(program.encode()).hexdigest()[:16]


async def generated(work: Work) -> list[str]:
    """What the generators give, each input once. Raises Unusable when that is nothing."""
    settings, report = work.settings, work.report

    async def generator(place: int) -> list[list[str]]:
        hints = inputs.hints(settings.seed, place, settings.generators, settings.tests)
        runs: list[list[str]] = []

        async def attempt(source: str) -> str:
            wrong, before = "", len(runs)
            outcomes = await programs.helper(work.sandbox, source, hints)
            for hint, outcome in zip(hints, outcomes, strict=True):
                try:
                    runs.append(inputs.parse(_printed(outcome), work.problem.calls))
                except ValueError as error:
                    wrong = wrong or f"With {hint.decode()} on standard input: {error}"
            if len(runs) > before:
                report.generators.append(digest(source))
            return wrong

        went_well = await _program(work, prompts.generator(work.problem), place, attempt)
        report.broken += not went_well
        return runs

    each = await together(generator(place) for place in range(settings.generators))
    report.generators = sorted(set(report.generators))
    texts, dropped = inputs.gather([run for runs in each for run in runs])
    report.inputs = len(texts)
    report.dropped.update(dropped)
    if not texts:
        raise Unusable("no generator gave any input")
    return texts


async def validated(work: Work, texts: list[str]) -> list[str]:
    """The inputs that keep the statement's constraints, where a validator can be had.

    An input that it fails on does not pass. A validator that tells of no input
    anything counts as none.
    """
    verdicts: list[bool | None] = []

    async def attempt(source: str) -> str:
        outcomes = await programs.helper(work.sandbox, source, [text.encode() for text in texts])
        wrong, rejected = "", ""
        verdicts.clear()
        for text, outcome in zip(texts, outcomes, strict=True):
            verdict = None
            try:
                said = _printed(outcome).decode(errors="replace").strip()
                if said != "VALID" and not said.startswith("INVALID"):
                    raise ValueError(f"it printed {said[:SHOWN_CHARS]!r}")
                verdict = said == "VALID"
                rejected = rejected or f"{text[:SHOWN_CHARS]!r}: {said[:SHOWN_CHARS]}"
            except ValueError as error:
                wrong = wrong or f"For the input {text[:SHOWN_CHARS]!r}: {error}"
            verdicts.append(verdict)
        work.report.validator = digest(source)
        if not wrong and not any(verdicts):
            return f"It rejected every input, the first of them {rejected}"
        return wrong

    place = work.settings.generators
    await _program(work, prompts.validator(work.problem), place, attempt)
    if all(verdict is None for verdict in verdicts):
        work.report.validator = ""
        return texts
    kept = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict]
    work.report.dropped.update(["invalid"] * (len(texts) - len(kept)))
    return kept


async def wrong_programs(work: Work) -> list[str]:
    """Flawed solutions that the model writes, each once."""
    after, messages = work.settings.generators + 1, prompts.wrong(work.problem)
    answers = await together(
        answer(work, messages, after + number) for number in range(work.settings.wrong)
    )
    found = [extract.program(text or "", work.problem.language) for text in answers]
    return sorted({program for program in found if program is not None})
