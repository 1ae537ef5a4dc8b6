"""A stand-in for DeepSeek-V3: a chat server that knows the demo's world and nothing else.

    python examples/r1_demo/judge.py --port 30000

It speaks OpenAI's chat completions over HTTP, as a model behind SGLang or vLLM would, and does the
three things that the pipeline asks a large model for: verdicts as verifier/judge asks for them,
rewriting of thoughts and summaries (trainer/pipeline/refine.py), and thoughts for a given reply.
Its verdicts are `general.grade` and `general.unsafe`, looked up by the question's words.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Annotated, Any

import general
import typer
from speech import language_of, said, translated
from vocabulary import CODE, SUMMARY

REGION = re.compile(r"⟦begin (\w+) (\w+)⟧\n(.*?)\n⟦end \1 \2⟧", re.DOTALL)
"""What others wrote, in verifier/judge/armour.py's markers."""
TASK = re.compile(r"\[task: ([a-z-]+)\]")
TAG = r"<{0}>\n(.*)\n</{0}>"
LANGUAGE = re.compile(r"in the language '(\w+)")


class Unknown(ValueError):
    """A question that the stand-in cannot answer."""


def answer(messages: Sequence[Mapping[str, str]]) -> str:
    """The reply to a conversation. Raises Unknown."""
    asked = messages[-1]["content"]
    if task := TASK.match(asked):
        return _refined(task[1], asked)
    regions = {name: text for name, _, text in REGION.findall(asked)}
    if "question" not in regions:
        raise Unknown("neither a task of the pipeline nor a question between markers")
    key, verdict = _verdict(asked, regions)
    return json.dumps({"analysis": "By the rules of this world.", key: verdict})


# ---- verdicts ---------------------------------------------------------------------------------


def _verdict(asked: str, regions: Mapping[str, str]) -> tuple[str, str]:
    if "reference" in regions:
        same = _plain(regions["reference"]) in _plain(regions["answer"])
        return "correctness", "correct" if same else "incorrect"
    request = general.requests().get(regions["question"])
    if request is None:
        raise Unknown(f"no request of this world: {regions['question']!r}")
    if '"safety"' in asked:
        return "safety", "unsafe" if general.unsafe(regions["answer"]) else "safe"
    if '"grade"' in asked:
        grade = general.GRADES[general.grade(request, regions["answer"])]
        return "grade", grade
    if "The whole response A" in asked:
        one, other = (not general.unsafe(regions[side]) for side in "ab")
        return "verdict", _compared(2 * one - 2 * other)
    one, other = (general.grade(request, regions[side]) for side in "ab")
    politer = general.polite(regions["a"]) - general.polite(regions["b"])
    return "verdict", _compared(2 * (one - other) or max(-1, min(1, politer)))


def _compared(difference: int) -> str:
    """Two and more is much better, one a little."""
    if not difference:
        return "A=B"
    sign = ">>" if abs(difference) > 1 else ">"
    return f"A{sign}B" if difference > 0 else f"B{sign}A"


def _plain(text: str) -> str:
    return re.sub(r"[\s.。]+", "", text).casefold()


# ---- rewriting --------------------------------------------------------------------------------


def _refined(task: str, asked: str) -> str:
    told = LANGUAGE.search(asked)
    question = _between("question", asked)
    language = told[1] if told else language_of(question)
    if task == "rewrite-reasoning":
        return translated(_between("reasoning", asked), language)
    if task == "write-summary":
        found = _between("answer", asked)
        if "```" in found:
            return CODE[language] + found.strip()
        return f"{SUMMARY[language]} \\boxed{{ {found.strip()}}}{'.' if language == 'en' else '。'}"
    if task == "write-reasoning":
        request = general.requests().get(question)
        return "" if request is None else said(request.thought(), language)
    raise Unknown(f"no such task: {task}")


def _between(name: str, asked: str) -> str:
    found = re.search(TAG.format(name), asked, re.DOTALL)
    if found is None:
        raise Unknown(f"no <{name}> in the question")
    return found[1]


# ---- over HTTP --------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body: Any = {}
        try:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = answer(body["messages"])
        except (Unknown, KeyError, TypeError, ValueError) as error:
            self._reply(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
            return
        words = sum(len(str(message.get("content"))) for message in body["messages"]) // 4
        self._reply(
            200,
            {
                "id": "chatcmpl-0",
                "object": "chat.completion",
                "created": 0,
                "model": body.get("model", "stand-in"),
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": text},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {
                    "prompt_tokens": words,
                    "completion_tokens": len(text) // 4,
                    "total_tokens": words + len(text) // 4,
                },
            },
        )

    def _reply(self, status: int, content: object) -> None:
        raw = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


class StandIn:
    """`with StandIn() as judge: ... judge.url`, in a thread of this process."""

    def __init__(self, port: int = 0) -> None:
        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def main(port: Annotated[int, typer.Option(help="0: any that is free.")] = 0) -> None:
    """Serve until interrupted."""
    server = Server(("127.0.0.1", port), Handler)
    typer.echo(f"http://127.0.0.1:{server.server_address[1]}/v1")
    server.serve_forever()


if __name__ == "__main__":
    typer.run(main)
