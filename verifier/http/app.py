"""Which path does what, control flow on one page.

    headers and body (body.py) -> items or a program -> places -> engine or sandbox -> JSON

Invariants: all work goes through the engine and the admission that gRPC has; a request beyond a
limit is answered at once; a failure of ours is never a score.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.client import QueueFull, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as sb
from verifier import jsonl
from verifier.engine import Engine
from verifier.http import fusion, items, openapi, trainers
from verifier.http.body import Bodies
from verifier.http.words import RETRY, STOPPING, defect, told
from verifier.service import Admission, answers, describe
from verifier.v1 import verifier_pb2 as pb

JSON_LINES = "application/jsonl"

LINES = 64
"""Verdicts written in one turn of the event loop: some milliseconds."""


@dataclass
class Front:
    """The handlers. They share the engine and the admission with the gRPC service."""

    engine: Engine
    admission: Admission
    ready: bool = True
    """Not when the server is stopping."""
    bodies: Bodies = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = Bodies(self.engine.limits.message_bytes)

    async def verify(self, request: Request) -> Response:
        item = await self.bodies.read(request, items.read_item)
        with self._place():
            verdict = await self.engine.verify(item)
        return Response(jsonl.write_verdict(verdict), media_type="application/json")

    async def verify_batch(self, request: Request) -> Response:
        parse = partial(items.read_batch, most=self.engine.limits.batch_items)
        return Lines(self._answers(await self.bodies.read(request, parse)))

    async def describe(self, request: Request) -> Response:
        found = json_format.MessageToDict(describe(self.engine), preserving_proto_field_name=True)
        return JSONResponse(found)

    async def openrlhf(self, request: Request) -> Response:
        asked = trainers.asked(request.query_params)
        most = self.engine.limits.batch_items
        parse = partial(trainers.openrlhf_items, asked=asked, most=most)
        verdicts = await self._verdicts(await self.bodies.read(request, parse))
        return JSONResponse(trainers.openrlhf_answer(verdicts, asked))

    async def slime(self, request: Request) -> Response:
        asked = trainers.asked(request.query_params)
        parse = partial(trainers.slime_items, asked=asked)
        verdicts = await self._verdicts(await self.bodies.read(request, parse))
        return JSONResponse(trainers.rewards(verdicts, asked)[0])

    async def run_code(self, request: Request) -> Response:
        parse = partial(fusion.run_request, sandbox=self.engine.sandbox_info)
        asked = await self.bodies.read(request, parse)
        with self._place():
            try:
                result = await self.engine.sandbox.run(asked)
            except QueueFull as error:
                raise HTTPException(429, f"sandbox: {error}", RETRY) from error
            except SandboxUnavailable as error:
                result = sb.RunResult(status=sb.RunResult.SANDBOX_ERROR, message=str(error))
        return JSONResponse(fusion.run_answer(asked, result))

    async def submit(self, request: Request) -> Response:
        body, item = await self.bodies.read(request, fusion.submit_item)
        with self._place():
            verdict = await self.engine.verify(item)
        return JSONResponse(fusion.submit_answer(body, item, verdict))

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(openapi.DESCRIPTION)

    async def healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        if not self.ready:
            raise HTTPException(503, STOPPING, RETRY)
        return JSONResponse({"status": "ready"})

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self.admission.try_take(1):
            raise HTTPException(429, self.admission.refusal(1), RETRY)
        try:
            yield
        finally:
            self.admission.give_back(1)

    async def _answers(self, found: items.Items) -> AsyncGenerator[pb.Verdicts, None]:
        """The verdicts as they finish. Raises HTTPException before the first one, or not at all."""
        count = len(found)
        if not self.admission.try_take(count):
            raise HTTPException(429, self.admission.refusal(count), RETRY)
        ready = answers(self.engine, self.admission, found)
        del found
        async with aclosing(ready):
            async for verdicts in ready:
                yield verdicts

    async def _verdicts(self, found: items.Items) -> list[pb.Verdict]:
        """The verdicts in the items' order."""
        places: dict[int, pb.Verdict] = {}
        async with aclosing(self._answers(found)) as ready:
            async for verdicts in ready:
                places |= {each.index: each.verdict for each in verdicts.verdicts}
        return [places[place] for place in range(len(found))]


class Lines(Response):
    """Verdicts as JSON Lines, each with its item's index, as they finish."""

    def __init__(self, verdicts: AsyncGenerator[pb.Verdicts, None]) -> None:
        super().__init__(media_type=JSON_LINES)
        del self.headers["content-length"]
        self._verdicts = verdicts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._verdicts) as ready:
            # Whether there is room is known with the first of them, and then the status.
            some = await anext(ready, None)
            head = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **head})
            while some is not None:
                for first in range(0, len(some.verdicts), LINES):
                    lines = "".join(map(_line, some.verdicts[first : first + LINES])).encode()
                    await send({"type": "http.response.body", "body": lines, "more_body": True})
                    await asyncio.sleep(0)  # a quick reader would let nobody else have a turn
                some = await anext(ready, None)
            await send({"type": "http.response.body", "body": b""})


def _line(answer: pb.IndexedVerdict) -> str:
    verdict = jsonl.write_verdict(answer.verdict).translate(_BREAKS)
    return f'{{"index": {answer.index}, "verdict": {verdict}}}\n'


_BREAKS = {number: f"\\u{number:04x}" for number in (0x85, 0x2028, 0x2029)}
"""Many a client's readers of lines take these for the end of one; JSON need not escape them."""


def application(front: Front) -> Starlette:
    """The application of these handlers."""
    handlers: dict[str, tuple[str, Callable[[Request], Any]]] = {
        "/v1/verify": ("POST", front.verify),
        "/v1/verify_batch": ("POST", front.verify_batch),
        "/v1/describe": ("GET", front.describe),
        "/openrlhf": ("POST", front.openrlhf),
        "/slime": ("POST", front.slime),
        "/run_code": ("POST", front.run_code),
        "/submit": ("POST", front.submit),
        "/openapi.json": ("GET", front.openapi),
        "/healthz": ("GET", front.healthz),
        "/readyz": ("GET", front.readyz),
    }
    return Starlette(
        routes=[Route(path, call, methods=[method]) for path, (method, call) in handlers.items()],
        exception_handlers={HTTPException: told, Exception: defect},
    )
