"""A chat server that does what a script says, over real HTTP: good answers and every fault.

    with ChatServer(in_order([error(429, retry_after="1"), says("yes")])) as server:
        settings = JudgeSettings(endpoints=(EndpointSettings(server.url, "judge"),))

It runs in a thread with a loop of its own, so that the test's loop is free. A connection is closed
after its answer, but for those that `keep_alive`. `requests` are those that came, `connections` is
how many they came on, `most_at_once` how many were being answered at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

Messages = Sequence[Mapping[str, str]]

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    number: int
    """From 0, in the order of coming."""
    at: float
    """On the monotonic clock."""
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Play:
    """What one request gets."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    """Before the first byte."""
    drip: int = 0
    """Bytes of the body at a time, one after each `drip_s`; 0: all at once."""
    drip_s: float = 0.02
    sent: int | None = None
    """Bytes of the body after which the connection is reset."""
    silent: bool = False
    """Nothing is ever answered."""
    raw: bytes | None = None
    """What is sent in place of all of that, again and again until the client goes away."""


Script = Callable[[Request], Play]


def completion(
    text: str | None,
    prompt_tokens: int = 10,
    completion_tokens: int = 5,
    finish: str = "stop",
    top: Sequence[tuple[str, float]] = (),
    **message: object,
) -> dict[str, Any]:
    """A chat completion; `top` are the first token's most likely ones with their logprobs."""
    listed = [{"token": token, "logprob": logprob, "bytes": None} for token, logprob in top]
    first = {"token": top[0][0], "logprob": top[0][1], "top_logprobs": listed} if top else None
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "judge",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "logprobs": {"content": [first]} if first else None,
                "finish_reason": finish,
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def says(text: str | None, wait_s: float = 0.0, **details: Any) -> Play:
    """A good answer."""
    return Play(json.dumps(completion(text, **details)).encode(), wait_s=wait_s)


def error(status: int, message: str = "no", retry_after: str | None = None) -> Play:
    body = json.dumps({"error": {"message": message, "type": "error", "code": status}})
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Play(body.encode(), status, headers=headers)


SILENT = Play(silent=True)
RESET = Play(sent=0)


def always(play: Play) -> Script:
    return lambda request: play


def in_order(plays: Iterable[Play]) -> Script:
    """The plays one after another, then the last one again and again."""
    left = list(plays)
    return lambda request: left[min(request.number, len(left) - 1)]


def judging(policy: Callable[[Messages], str]) -> Script:
    """A judge that says what the policy makes of the messages."""
    return lambda request: says(policy(request.body["messages"]))


class ChatServer:
    def __init__(self, script: Script, keep_alive: bool = False) -> None:
        self.script, self.keep_alive = script, keep_alive
        self.connections = 0
        self.requests: list[Request] = []
        self.at_once = 0
        self.most_at_once = 0
        self.unanswered = 0
        """Requests whose client went away before the answer was whole."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ChatServer:
        self._thread.start()
        start = asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=4096)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._exchange(reader, writer)
            while self.keep_alive:
                await self._exchange(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        path, body = head[0].split(" ")[1], json.loads(raw)
        request = Request(len(self.requests), time.monotonic(), path, headers, body)
        self.requests.append(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        playing = asyncio.ensure_future(self._play(self.script(request), writer))
        # A client that keeps its connection says nothing more before it has its answer.
        gone = asyncio.ensure_future(_gone(reader))
        try:
            await asyncio.wait([playing, gone], return_when=asyncio.FIRST_COMPLETED)
            self.unanswered += not playing.done()
        finally:
            self.at_once -= 1
            for task in (playing, gone):
                task.cancel()
            await asyncio.gather(playing, gone, return_exceptions=True)

    async def _play(self, play: Play, writer: asyncio.StreamWriter) -> None:
        if play.silent:
            await asyncio.sleep(3_600)
        await asyncio.sleep(play.wait_s)
        while play.raw is not None:
            writer.write(play.raw)
            await writer.drain()
            await asyncio.sleep(0)
        given = {
            "Content-Type": play.content_type,
            "Content-Length": str(len(play.body)),
            "Connection": "keep-alive" if self.keep_alive else "close",
            **play.headers,
        }
        lines = [f"HTTP/1.1 {play.status} Scripted", *(f"{k}: {v}" for k, v in given.items())]
        body = play.body if play.sent is None else play.body[: play.sent]
        if play.sent != 0:
            writer.write("\r\n".join([*lines, "", ""]).encode())
        step = play.drip or max(1, len(body))
        for start in range(0, len(body), step):
            writer.write(body[start : start + step])
            await writer.drain()
            if play.drip:
                await asyncio.sleep(play.drip_s)
        if play.sent is not None:
            # Closed with a linger of 0, a socket sends a reset.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()


async def _gone(reader: asyncio.StreamReader) -> None:
    while not (reader.at_eof() or reader.exception()):
        await asyncio.sleep(0.005)
