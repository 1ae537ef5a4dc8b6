"""Bodies that nobody would send on purpose: 10,000 for each RPC and each path of the HTTP front.

    python -m tests.bench.bad_requests [--bodies N] [--seed S] [PATH ...] [-- OPTIONS OF SERVE]

Valid messages of every task with bytes or values changed, put in, taken out and doubled, cut short,
with lengths and numbers that are huge, nested deep, not UTF-8; random bytes; and some as they were.
An answer is a verdict (INVALID ones say why) or an error of the caller's that says what was wrong.
All else is a failure: any other error, an error without a text, an INTERNAL verdict, no answer
within SECONDS. A tenth as many bodies go first; after them and at the end the server's memory,
descriptors and processes are counted, and at the end it must still be the same server and give the
right verdict. Ends with one line of JSON; the exit status is 1 where something is amiss.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import httpx2
from google.protobuf import json_format
from rich.console import Console
from rich.table import Table

from tests.bench import processes
from tests.verifier.http.test_any_json import PATHS, check
from tests.verifier.support import ADD, code_item, math_item
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

BODIES, AT_ONCE, SECONDS = 10_000, 32, 30.0
RPCS = ("Verify", "VerifyBatch", "VerifyStream", "Describe")
GROWTH, DESCRIPTORS = 0.1, 8
"""What a server may hold more than after the first tenth: memory as a share, open files."""

REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)

OK, INVALID, REFUSED = "verdict", "INVALID", "refused"
Ask = Callable[[bytes], Awaitable[str]]


def seeds() -> list[pb.Item]:
    """A valid item of every task and with every kind of field."""
    with_all = math_item("all", "4", prompt="2 + 2?", language="en", deadline_ms=5000)
    with_all.inline_recipe.parts.add(name="accuracy", weight=1.0, gate=True)
    with_all.inline_recipe.parts.add(
        name="format", options={"style": "r1"}, values={"otherwise": 0}
    )
    with_all.math.policy.rounding = 3
    with_all.math.policy.numbers.extend(["2", "2"])
    with_all.meta["finish"] = "length"
    options = ["red", "green"]
    call = pb.CodeTask(language="python", entry_point="f", program="def f(x): return x")
    call.tests.add(args_json=["[1, 2]"], expected_json="[1, 2]", weight=2.0, hidden=True)
    call.limits.cpu_seconds = 1
    constraint = pb.Constraint(id="length_constraints:number_words", kwargs='{"num_words": 3}')
    return [
        with_all,
        *[math_item(f"m{n}", answer) for n, answer in enumerate(("4", r"\frac{8}{2}", "x", "{{"))],
        pb.Item(id="recipe", response="<think>a</think><answer>4</answer>", recipe="r1_zero"),
        pb.Item(id="choice", response="(B)", choice=pb.ChoiceTask(gold="B", options=options)),
        pb.Item(response="a b c", instructions=pb.InstructionsTask(constraints=[constraint])),
        pb.Item(response="a", judge=pb.JudgeTask(mode=pb.JudgeTask.RUBRIC, rubric="Be kind.")),
        pb.Item(response="a", preference=pb.PreferenceTask(rival="b")),
        pb.Item(id="call", code=call),
        code_item("stdin", ADD),
    ]


VARINTS = (b"\xff\xff\xff\xff\x0f", b"\xff" * 9 + b"\x01", b"\xff" * 11, b"\x80\x80\x80\x80\x08")
"""Lengths of 4 GB, of 2^64 - 1, of too many bytes, of 2 GB."""


def bent(rng: random.Random, raw: bytes) -> bytes:
    """A message with some of its bytes not as they were."""
    data = bytearray(raw)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 2, 8, 64)))
        match rng.randrange(8):
            case 0:
                data[at:end] = b""
            case 1:
                data[at:at] = data[at:end]
            case 2:
                data[at:end] = rng.randbytes(end - at)
            case 3:
                data[at:at] = rng.choice(VARINTS)
            case 4:
                del data[at:]
            case 5:
                data[at:at] = rng.choice((b"\xff\xfe", b"\x0b" * 200, b"\x00", b"\x32\x02" * 100))
            case 6:
                data[at:end] = rng.choice(VARINTS)
            case 7 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def message(rng: random.Random, items: list[pb.Item], whole: bool) -> bytes:
    """The bytes of an item or, with `whole`, of a batch."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.choice((0, 1, 3, 16, 200, 5_000)))
    chosen = rng.choices(items, k=rng.randrange(4) if whole else 1)
    if rng.random() < 0.3:  # sound as messages, and nothing else
        chosen = [otherwise(rng, item) for item in chosen]
        sound = pb.Batch(items=chosen) if whole else chosen[0]
        return sound.SerializeToString()
    if not whole:
        return bent(rng, chosen[0].SerializeToString())
    if rng.random() < 0.5:  # the batch is sound and an item is not
        raws = [bent(rng, item.SerializeToString()) for item in chosen]
        return b"".join(b"\x0a" + _varint(len(raw)) + raw for raw in raws)
    return bent(rng, pb.Batch(items=chosen).SerializeToString())


def otherwise(rng: random.Random, item: pb.Item) -> pb.Item:
    """The item with some value in it that is another, or none; as it is where that cannot be."""
    value = json_format.MessageToDict(item, preserving_proto_field_name=True)
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = changed(rng, value)
    try:
        return json_format.ParseDict(value, pb.Item(), ignore_unknown_fields=True)
    # Whatever the reader makes of it, as the values are meant to be wrong; protobuf has a
    # SystemError for a field's name that is not UTF-8.
    except (
        json_format.ParseError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        SystemError,
    ):
        return item


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 2**64, 10**400, "", "4", "python", "\ud800", "\x00", "{}", [], {},
    [[]], {"": ""}, [None], "x" * 10_000, {"gold": ["4"]}, [[[[[[[[[[[[]]]]]]]]]]]],
)  # fmt: skip


def changed(rng: random.Random, value: Any) -> Any:
    """A JSON value with something in it replaced, left out or under another name."""
    if rng.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return rng.choice(VALUES)
    if isinstance(value, list):
        place = rng.randrange(len(value))
        new = list(value)
        new[place : place + 1] = [changed(rng, value[place])] * rng.choice((0, 1, 1, 1, 2))
        return new
    new = dict(value)
    name = rng.choice(list(new))
    kept = new.pop(name)
    if rng.random() < 0.8:
        other = rng.choice((*value, "id", "items", "nonsense"))
        new[name if rng.random() < 0.8 else other] = changed(rng, kept)
    return new


DEEP = ("[" * 100_000, '{"a":' * 50_000, "[" * 900 + "]" * 900, '{"response": ' * 500 + "1")


def text(rng: random.Random, values: list[Any]) -> bytes:
    """The bytes of a JSON body, or of none."""
    what = rng.random()
    if what < 0.05:
        return rng.randbytes(rng.choice((0, 1, 3, 16, 200)))
    if what < 0.06:
        return rng.choice(DEEP).encode()
    value = rng.choice(values)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        value = changed(rng, value)
    raw = json.dumps(value).encode()
    return bent(rng, raw) if what < 0.4 else raw


def bodies_of(path: str) -> list[Any]:
    """Valid values of a path of the HTTP front."""
    items = [json_format.MessageToDict(one, preserving_proto_field_name=True) for one in seeds()]
    tasks = [
        {name: one[name] for name in ("math", "choice", "instructions", "code") if name in one}
        for one in items
    ]
    program = {"code": "print(input())", "language": "python", "stdin": "3", "run_timeout": 2}
    match path:
        case "/v1/verify":
            return items
        case "/v1/verify_batch":
            return [{"items": items[at : at + 2]} for at in range(len(items))]
        case "/openrlhf":
            return [
                {"query": ["q \\boxed{4}"], "prompts": ["q"], "labels": [label]}
                for label in ("4", *tasks)
            ]
        case "/slime":
            return [{"prompt": "q", "response": "(B)", "label": label} for label in ("4", *tasks)]
        case "/run_code":
            return [program, program | {"files": {"a": "YQ=="}, "memory_limit_MB": 64}]
    cases = {"test": [{"input": {"stdin": "3"}, "output": {"stdout": "3"}}]}
    config = {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": cases}
    completion = "```python\nprint(input())\n```"
    return [{"dataset": "a", "id": 1, "completion": completion, "config": config}]


def judged(verdict: pb.Verdict) -> str:
    status = pb.Verdict.Status.Name(verdict.status)
    if status in ("UNSPECIFIED", "INTERNAL"):
        return f"a verdict that is {status}: {verdict.evidence.message}"
    if (status == "OK") != verdict.HasField("reward"):
        return f"{status} and its reward do not fit together"
    if status == "INVALID" and not verdict.evidence.message:
        return "INVALID without a word"
    return INVALID if status == "INVALID" else OK


def over_grpc(channel: grpc.aio.Channel, plain: grpc.Channel, rpc: str) -> Ask:
    """Sends a body to an RPC; what came. Streams go over the plain channel: grpc.aio forgets what a
    server said that ended a stream while the client was still sending."""
    name = f"/verifier.v1.Verifier/{rpc}"
    unary: Any = channel.unary_unary(name)
    batch: Any = channel.unary_stream(name)
    both: Any = plain.stream_stream(name)

    def streamed(raw: bytes) -> list[bytes]:
        return list(both(iter([raw, raw[: len(raw) // 2]]), timeout=SECONDS))

    async def ask(raw: bytes) -> str:
        try:
            if rpc == "Describe":
                pb.DescribeResponse.FromString(await unary(raw, timeout=SECONDS))
                return OK
            if rpc == "Verify":
                return judged(pb.Verdict.FromString(await unary(raw, timeout=SECONDS)))
            if rpc == "VerifyBatch":
                answers = [came async for came in batch(raw, timeout=SECONDS)]
            else:
                answers = await asyncio.to_thread(streamed, raw)
            worst = OK
            for came in answers:
                for one in pb.Verdicts.FromString(came).verdicts:
                    said = judged(one.verdict)
                    worst = said if worst in (OK, INVALID) and said != OK else worst
            return worst
        except grpc.RpcError as error:
            text = error.details() or ""
            named = error.code() in REFUSALS and text and not text.startswith("Exception")
            return REFUSED if named else f"{error.code().name}: {text[:200]!r}"

    return ask


def over_http(client: httpx2.AsyncClient, path: str) -> Ask:
    async def ask(raw: bytes) -> str:
        try:
            answer = await client.post(
                path, content=raw, headers={"Content-Type": "application/json"}
            )
            check(path, answer)
        except (httpx2.HTTPError, AssertionError, ValueError, KeyError) as error:
            return f"{type(error).__name__}: {str(error)[:300]!r}"
        return OK if answer.status_code == 200 else REFUSED

    return ask


async def all_of(ask: Ask, make: Callable[[], bytes], count: int) -> Counter[str]:
    """Sends so many bodies, AT_ONCE at a time."""
    came: Counter[str] = Counter()
    left = count

    async def sender() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            raw = make()
            said = await ask(raw)
            came[said if said in (OK, INVALID, REFUSED) else "failures"] += 1
            if said not in (OK, INVALID, REFUSED) and came["failures"] <= 5:
                print(f"{said}\n    of {len(raw)} bytes {raw[:300]!r}", file=sys.stderr)

    await asyncio.gather(*[sender() for _ in range(min(AT_ONCE, count))])
    return came


def held(pid: int) -> dict[str, int]:
    own = processes.lasting(pid)
    return {
        "rss": processes.tree_rss(pid),
        "descriptors": processes.descriptors(pid),
        "processes": len(own),
    }


async def fuzz(
    server: EmbeddedServer, http: str, names: tuple[str, ...], bodies: int, seed: int
) -> dict[str, dict[str, int]]:
    items = seeds()
    options = [("grpc.max_send_message_length", 1 << 28)]
    figures: dict[str, dict[str, int]] = {}
    plain = grpc.insecure_channel(server.address, options=options)
    async with (
        grpc.aio.insecure_channel(server.address, options=options) as channel,
        httpx2.AsyncClient(base_url=http, timeout=SECONDS) as client,
    ):
        for turn, count in enumerate((bodies // 10, bodies)):
            for name in names:
                rng = random.Random(f"{seed} {turn} {name}")
                if name in RPCS:
                    whole = name not in ("Verify", "Describe")
                    make = lambda: message(rng, items, whole)  # noqa: B023, E731
                    came = await all_of(over_grpc(channel, plain, name), make, count)
                else:
                    values = bodies_of(name)
                    make = lambda: text(rng, values)  # noqa: B023, E731
                    came = await all_of(over_http(client, name), make, count)
                figures[name] = {one: came[one] for one in (OK, INVALID, REFUSED, "failures")}
            if turn == 0:
                await asyncio.sleep(1.0)
                figures["before"] = held(server.pid)
    return figures


def main(
    console: Console,
    bodies: int = BODIES,
    seed: int = 1,
    names: tuple[str, ...] = (*RPCS, *PATHS),
    options: tuple[str, ...] = (),
) -> dict[str, dict[str, int]]:
    front = ("--log-level", "error", "--http", "127.0.0.1:0")
    with EmbeddedServer(*front, *options) as server:
        assert server._process is not None
        assert server._process.stdout is not None
        http = server._process.stdout.readline().strip().removeprefix("http at ")
        figures = asyncio.run(fuzz(server, http, names, bodies, seed))
        with VerifierClient(server.address) as client:
            rewards = [
                one.reward for one in client.verify([math_item("a", "4"), code_item("b", ADD)])
            ]
        figures["after"] = held(server.pid)
        figures["right_afterwards"] = {
            "yes": int(rewards == [1.0, 1.0] and os.path.exists(f"/proc/{server.pid}"))
        }
    before, after = figures["before"], figures["after"]
    table = Table("bodies to", OK, INVALID, REFUSED, "failures")
    for name in names:
        table.add_row(
            name, *(f"{figures[name][one]:,}" for one in (OK, INVALID, REFUSED, "failures"))
        )
    console.print(table)
    growth = after["rss"] / before["rss"] - 1
    console.print(
        f"memory {before['rss'] / 2**20:.0f} MiB, then {after['rss'] / 2**20:.0f} ({growth:+.1%}); "
        f"descriptors {before['descriptors']}, then {after['descriptors']}; "
        f"processes {before['processes']}, then {after['processes']}; "
        f"right verdicts afterwards: {'yes' if figures['right_afterwards']['yes'] else 'no'}"
    )
    return figures


def passed(figures: dict[str, dict[str, int]]) -> bool:
    before, after = figures["before"], figures["after"]
    return (
        not any(one.get("failures") for one in figures.values())
        and bool(figures["right_afterwards"]["yes"])
        and after["rss"] < (1 + GROWTH) * before["rss"]
        and after["descriptors"] <= before["descriptors"] + DESCRIPTORS
        and after["processes"] <= before["processes"]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("paths", nargs="*", help=f"of {', '.join((*RPCS, *PATHS))}; default: all")
    parser.add_argument("--bodies", type=int, default=BODIES, help="for each RPC and path")
    parser.add_argument("--seed", type=int, default=1)
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked = parser.parse_args(sys.argv[1:cut])
    if unknown := set(asked.paths) - {*RPCS, *PATHS}:
        parser.error(f"one of {', '.join((*RPCS, *PATHS))}, got {', '.join(unknown)}")
    shown = main(
        Console(width=120),
        asked.bodies,
        asked.seed,
        tuple(asked.paths) or (*RPCS, *PATHS),
        tuple(sys.argv[cut + 1 :]),
    )
    print(json.dumps(shown))
    sys.exit(0 if passed(shown) else 1)
