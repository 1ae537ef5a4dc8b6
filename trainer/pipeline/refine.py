"""A chat model that rewrites thoughts and writes summaries, behind any OpenAI-compatible endpoint.

    answers.jsonl      {"key": "<hash of all that was asked>", "answer": ...}, a line each

Invariants: an answer that came is on the disk before the next is waited for, so that a stage that
was killed asks nothing twice; answers stand at their questions' places whatever came first.

The texts are ours. Their first line names the task, and what it is about stands between tags, so
that anything can tell what is asked.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx2
import tenacity
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from trainer.config import Section, Url
from trainer.log import RunError, writing
from trainer.pipeline.rows import filled
from trainer.pipeline.stage import StageFailed

log = logging.getLogger(__name__)

REWRITE = """\
[task: rewrite-reasoning]
Below are a question and somebody's reasoning about it. Rewrite the reasoning {language}.

- Keep every step, every number and every formula, wrong turns and second looks too: this is a \
person thinking aloud, not a solution for a textbook.
- Write in the first person, in plain words and short paragraphs, without headings, lists or \
blocks of code.
- Add no step that is not there, and do not answer the question anew.

Reply with the rewritten reasoning and nothing else.

<question>
{question}
</question>
<reasoning>
{reasoning}
</reasoning>"""
SUMMARISE = """\
[task: write-summary]
Below are a question, somebody's reasoning about it and the answer that came of it. Write the \
reply that the asker gets to see, {language}: the solution in a few clear steps, as the reasoning \
has it, and its answer at the end{answer_form}. The answer is taken over as it is, even where you \
would give another one.

Reply with that text and nothing else.

<question>
{question}
</question>
<reasoning>
{reasoning}
</reasoning>
<answer>
{answer}
</answer>"""
THINK_UP = """\
[task: write-reasoning]
Below are a request and the reply that somebody gave. Write what went through that person's head \
between reading the one and writing the other: what is asked for, what matters in it, how the \
reply is planned. First person, a few short paragraphs, {language}.

Reply with these thoughts and nothing else.

<question>
{question}
</question>
<reply>
{reply}
</reply>"""

BOXED = ", inside \\boxed{}"
"""How the paper's summaries of mathematics give their answer (listing 1)."""

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that may be others the next time."""

REFUSED = frozenset({400, 413, 422})
"""Statuses of a question that will not do, too long most often: it has no answer, others may."""


class Refiner(Section):
    """A chat model."""

    url: Url
    """Up to /v1, as http://127.0.0.1:30000/v1."""
    model: str
    """As the endpoint calls it."""
    api_key_env: str = ""
    """Environment variable that holds the key; empty: none is sent."""
    concurrency: PositiveInt = 16
    """Questions at once."""
    temperature: NonNegativeFloat = 0.0
    """Of its answers."""
    max_tokens: PositiveInt = 16384
    """Longest answer; one that was cut off counts as none."""
    timeout_seconds: PositiveFloat = 600.0
    """How long one answer may take."""
    wait_seconds: PositiveFloat = 3600.0
    """How long an endpoint that is away, or full, is tried again."""


class Asker:
    """Puts questions to the model; made by `asker`."""

    def __init__(
        self, told: Refiner, headers: Mapping[str, str], known: dict[str, str], file: IO[bytes]
    ) -> None:
        self._told, self._headers, self._known, self._file = told, headers, known, file

    def rewritten(self, texts: Sequence[tuple[str, str, str]]) -> list[str]:
        """Of each question, reasoning and language (empty: the question's) the reasoning in that
        language; empty where no answer came that was not cut off."""
        return self.answers([
            filled(REWRITE, question=question, reasoning=reasoning, language=_in(language))
            for question, reasoning, language in texts
        ])  # fmt: skip

    def summaries(self, texts: Sequence[tuple[str, str, str, str, bool]]) -> list[str]:
        """Of each question, reasoning, answer and language the reply; boxed or not."""
        return self.answers([
            filled(
                SUMMARISE, question=question, reasoning=reasoning, answer=answer,
                language=_in(language), answer_form=BOXED if boxed else "",
            )
            for question, reasoning, answer, language, boxed in texts
        ])  # fmt: skip

    def thoughts(self, texts: Sequence[tuple[str, str, str]]) -> list[str]:
        """Of each request, reply and language what may have been thought between the two."""
        return self.answers([
            filled(THINK_UP, question=question, reply=reply, language=_in(language))
            for question, reply, language in texts
        ])  # fmt: skip

    def answers(self, questions: Sequence[str]) -> list[str]:
        """In the order of the questions. Raises StageFailed for an endpoint that refuses, or stays
        away."""
        keys = [self._key(question) for question in questions]
        asked = dict(zip(keys, questions, strict=True))
        missing = {key: text for key, text in asked.items() if key not in self._known}
        if missing:
            # Not by threads: what waits for an answer in one cannot be broken off.
            asyncio.run(self._ask_all(missing))
        return [self._known[key] for key in keys]

    async def _ask_all(self, questions: Mapping[str, str]) -> None:
        told, left = self._told, iter(questions.items())

        async def ask(client: httpx2.AsyncClient) -> None:
            for key, question in left:
                self._keep(key, await self._ask(client, question))

        async with httpx2.AsyncClient(
            base_url=told.url.rstrip("/") + "/",
            headers=self._headers,
            timeout=told.timeout_seconds,
            limits=httpx2.Limits(max_connections=told.concurrency),
        ) as client:
            count = min(told.concurrency, len(questions))
            asking = [asyncio.create_task(ask(client)) for _ in range(count)]
            try:
                await asyncio.gather(*asking)
            finally:
                for one in asking:
                    one.cancel()
                await asyncio.gather(*asking, return_exceptions=True)

    def _body(self, question: str) -> dict[str, Any]:
        told = self._told
        messages = [{"role": "user", "content": question}]
        sampling = {"temperature": told.temperature, "max_tokens": told.max_tokens}
        return {"model": told.model, "messages": messages, **sampling}

    def _key(self, question: str) -> str:
        return hashlib.sha256(json.dumps(self._body(question)).encode()).hexdigest()

    def _keep(self, key: str, answer: str | None) -> None:
        self._known[key] = answer or ""
        if answer is None:
            return
        line = json.dumps({"key": key, "answer": answer}).encode() + b"\n"
        with writing(Path(self._file.name)):
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def _ask(self, client: httpx2.AsyncClient, question: str) -> str | None:
        told = self._told
        tries = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=30),
            stop=tenacity.stop_after_delay(told.wait_seconds),
            reraise=True,
        )
        try:
            return await tries(self._once, client, question)
        except _Again as error:
            raise StageFailed(
                f"refiner.url: {told.url}: {error}; tried for refiner.wait_seconds = "
                f"{told.wait_seconds:g}"
            ) from error

    async def _once(self, client: httpx2.AsyncClient, question: str) -> str | None:
        try:
            answer = await client.post("chat/completions", json=self._body(question))
        except httpx2.HTTPError as error:
            raise _Again(f"{type(error).__name__}: {error}") from error
        if answer.status_code in RETRIED:
            raise _Again(f"status {answer.status_code}: {answer.text[:300]}")
        if answer.status_code in REFUSED:
            log.warning("refiner: status %d: %s", answer.status_code, answer.text[:300])
            return None
        if answer.status_code != httpx2.codes.OK:
            raise StageFailed(
                f"refiner.url: {self._told.url}: status {answer.status_code}: {answer.text[:300]}"
            )
        try:
            choice = answer.json()["choices"][0]
            text, finish = choice["message"]["content"] or "", choice.get("finish_reason")
            cut = finish == "length" or not isinstance(text, str)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise _Again(f"no chat completion: {answer.text[:300]!r}") from error
        # Half of a surrogate pair, which JSON can hold, is no text.
        return "" if cut else text.encode("utf-8", "replace").decode().strip("\n")


class _Again(Exception):
    """What may go better the next time."""


@contextmanager
def asker(told: Refiner, answers: Path) -> Iterator[Asker]:
    """The model, with the answers that came in an earlier life.

    Raises StageFailed where the key's variable is not set.
    """
    headers = {}
    if told.api_key_env:
        if not (key := os.environ.get(told.api_key_env)):
            raise StageFailed(f"refiner.api_key_env: {told.api_key_env} is not set")
        headers["Authorization"] = f"Bearer {key}"
    with writing(answers):
        answers.parent.mkdir(parents=True, exist_ok=True)
        known, end = _read(answers)
        # Without a buffer: what a full disk did not take is not tried again at the end.
        file = answers.open("r+b" if answers.exists() else "w+b", buffering=0)
        file.truncate(end)  # a line that a kill has torn
        file.seek(end)
    with file:
        yield Asker(told, headers, known, file)


def _read(path: Path) -> tuple[dict[str, str], int]:
    """The answers in a file, and where its last whole line ends. Raises RunError."""
    known = dict[str, str]()
    if not path.exists():
        return known, 0
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    for number, line in enumerate(content[:end].splitlines(), 1):
        try:
            row = json.loads(line)
            known[str(row["key"])] = str(row["answer"])
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{path}, line {number}: damaged; without it, its answer is asked for again"
            ) from error
    return known, end


def _in(language: str) -> str:
    return f"in the language {language!r} (BCP 47)" if language else "in the question's language"
