"""Which path does what, control flow on one page.

    headers and body (body.py) -> items or a program -> places -> desk or sandbox -> JSON

Invariants: all work goes through the desk that gRPC has; a request beyond a limit is answered at
once; a failure of ours is never a score.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
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

from verifier import jsonl
from verifier.callers import Caller, Refused
from verifier.desk import Desk, Placed
from verifier.http import fusion, items, openapi, trainers
from verifier.http.body import Bodies
from verifier.http.who import caller_of, refusal
from verifier.http.words import RETRY, STOPPING, defect, told
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

JSON_LINES = "application/jsonl"

LINES = 64
"""Verdicts written in one turn of the event loop: some milliseconds."""


@dataclass
class Front:
    """The handlers. They share the desk with the gRPC service."""

    desk: Desk
    ready: bool = True
    """Not when the server is stopping."""
    bodies: Bodies = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = Bodies(self.desk.limits.message_bytes)

    async def verify(self, request: Request) -> Response:
        item = await self.bodies.read(request, items.read_item)
        verdict = await self._verdict(request, item)
        return Response(jsonl.write_verdict(verdict), media_type="application/json")

    async def verify_batch(self, request: Request) -> Response:
        parse = partial(items.read_batch, most=self.desk.limits.batch_items)
        return Lines(self._answers(request, await self.bodies.read(request, parse)))

    async def describe(self, request: Request) -> Response:
        found = json_format.MessageToDict(self.desk.about, preserving_proto_field_name=True)
        return JSONResponse(found)

    async def openrlhf(self, request: Request) -> Response:
        asked = trainers.asked(request.query_params)
        most = self.desk.limits.batch_items
        parse = partial(trainers.openrlhf_items, asked=asked, most=most)
        verdicts = await self._verdicts(request, await self.bodies.read(request, parse))
        return JSONResponse(trainers.openrlhf_answer(verdicts, asked))

    async def slime(self, request: Request) -> Response:
        asked = trainers.asked(request.query_params)
        parse = partial(trainers.slime_items, asked=asked)
        verdicts = await self._verdicts(request, await self.bodies.read(request, parse))
        return JSONResponse(trainers.rewards(verdicts, asked)[0])

    async def run_code(self, request: Request) -> Response:
        parse = partial(fusion.run_request, sandbox=self.desk.sandbox_info)
        asked = await self.bodies.read(request, parse)
        caller = caller_of(request)
        self._admit(caller, 1)
        result = await self.desk.run_program(caller, asked)
        return JSONResponse(fusion.run_answer(asked, result))

    async def submit(self, request: Request) -> Response:
        body, item = await self.bodies.read(request, fusion.submit_item)
        verdict = await self._verdict(request, item)
        return JSONResponse(fusion.submit_answer(body, item, verdict))

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(openapi.DESCRIPTION)

    async def healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        if not self.ready:
            raise HTTPException(503, STOPPING, RETRY)
        return JSONResponse({"status": "ready"})

    def _admit(self, caller: Caller, count: int) -> None:
        try:
            self.desk.admit(caller, count)
        except Refused as refused:
            raise refusal(refused) from refused

    async def _verdict(self, request: Request, item: pb.Item | Unreadable) -> pb.Verdict:
        caller = caller_of(request)
        self._admit(caller, 1)
        return pb.Verdict.FromString(await self.desk.answer(caller, item))

    async def _answers(
        self, request: Request, found: items.Items
    ) -> AsyncGenerator[list[Placed], None]:
        """The verdicts as they finish. Raises HTTPException before the first one, or not at all."""
        caller = caller_of(request)
        self._admit(caller, len(found))
        ready = self.desk.answers(caller, found)
        del found
        async with aclosing(ready):
            try:
                async for verdicts in ready:
                    yield verdicts
            except Refused as refused:  # of an answer that has begun, the connection ends
                raise refusal(refused) from refused

    async def _verdicts(self, request: Request, found: items.Items) -> list[pb.Verdict]:
        """The verdicts in the items' order."""
        places: dict[int, bytes] = {}
        async with aclosing(self._answers(request, found)) as ready:
            async for verdicts in ready:
                places.update(verdicts)
        return [pb.Verdict.FromString(places[place]) for place in range(len(found))]


class Lines(Response):
    """Verdicts as JSON Lines, each with its item's index, as they finish."""

    def __init__(self, verdicts: AsyncGenerator[list[Placed], None]) -> None:
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
                for first in range(0, len(some), LINES):
                    lines = "".join(map(_line, some[first : first + LINES])).encode()
                    await send({"type": "http.response.body", "body": lines, "more_body": True})
                    await asyncio.sleep(0)  # a quick reader would let nobody else have a turn
                some = await anext(ready, None)
            await send({"type": "http.response.body", "body": b""})


def _line(answer: Placed) -> str:
    index, raw = answer
    verdict = jsonl.write_verdict(pb.Verdict.FromString(raw)).translate(_BREAKS)
    return f'{{"index": {index}, "verdict": {verdict}}}\n'


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
