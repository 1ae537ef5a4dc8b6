"""The front over a real server: each body, each refusal, the same verdicts as over gRPC."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from google.protobuf import json_format

from tests.verifier.support import ADD, SLEEP, code_item, math_item, new_programs, wait_for
from verifier import jsonl
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

Front = tuple[EmbeddedServer, str]


def as_json(item: pb.Item) -> dict[str, Any]:
    return json_format.MessageToDict(item, preserving_proto_field_name=True)


def lines(response: httpx2.Response) -> dict[int, dict[str, Any]]:
    read = [json.loads(line) for line in response.text.splitlines()]
    found = {line["index"]: line["verdict"] for line in read}
    assert len(found) == len(read)
    return found


def untimed(verdict: dict[str, Any]) -> dict[str, Any]:
    """Without what differs between two runs of the same."""
    told = {name: value for name, value in verdict.items() if name != "timing"}
    told.get("provenance", {}).pop("cache_hit", None)
    for test in told.get("evidence", {}).get("code", {}).get("tests", []):
        for name in ("cpu_ms", "wall_ms", "memory_bytes"):
            test.pop(name, None)
    return told


def test_the_verdicts_are_those_of_grpc(front: Front, http: httpx2.Client) -> None:
    zero = "<think>two and two make four</think> <answer>\\boxed{4}</answer>"
    items = [
        math_item("right", "2+2"),
        math_item("wrong", "5"),
        code_item("accepted", ADD),
        code_item("rejected", "print(3)\n"),
        pb.Item(id="recipe", response=zero, math=pb.MathTask(gold=["4"]), recipe="r1_zero"),
        pb.Item(id="no task", response="4"),
        pb.Item(
            id="🙂 \x85\u2028\u2029",
            response="B",
            choice=pb.ChoiceTask(gold="B", options=["x", "y"]),
        ),
    ]
    with VerifierClient(front[0].address) as client:
        wanted = [untimed(json.loads(jsonl.write_verdict(each))) for each in client.verify(items)]
    answer = http.post("/v1/verify_batch", json={"items": [as_json(item) for item in items]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jsonl"
    found = lines(answer)
    assert [untimed(found[place]) for place in range(len(items))] == wanted
    for item, verdict in zip(items, wanted, strict=True):
        answer = http.post("/v1/verify", json=as_json(item))
        assert answer.status_code == 200
        assert untimed(answer.json()) == verdict
    with VerifierClient(front[0].address) as client:
        told = json_format.ParseDict(http.get("/v1/describe").json(), pb.DescribeResponse())
        assert told == client.describe()


def test_a_batch_keeps_every_id_in_its_place_and_a_bad_item_costs_only_itself(
    http: httpx2.Client,
) -> None:
    items: list[Any] = [as_json(math_item(f"item-{n}", str(n % 3), gold="1")) for n in range(3000)]
    items[7] = {"id": "seven", "response": "4", "math": {"gold": "4"}}
    items[8] = {"id": "eight", "nonsense": 1}
    items[9] = ["no item"]
    items[10] = {"id": "\ud800", "response": "\udfff", "math": {"gold": ["4"]}}
    body = json.dumps({"items": items})
    found = lines(
        http.post("/v1/verify_batch", content=body, headers={"Content-Type": "application/json"})
    )
    assert sorted(found) == list(range(3000))
    messages = [found[place]["evidence"]["message"] for place in (7, 8, 9, 10)]
    assert messages[0] == "items[7].math.gold: a list, got '4'"
    assert messages[1].startswith("items[8].nonsense: no such field, Item has id, ")
    assert messages[2] == "items[9]: an object, got ['no item']"
    assert "items[10]" in messages[3]
    assert [found[place]["id"] for place in (7, 8)] == ["seven", "eight"]
    for place, verdict in found.items():
        if place in (7, 8, 9, 10):
            assert (verdict["status"], verdict["reward"]) == ("INVALID", None)
        else:
            assert verdict["id"] == f"item-{place}"
            assert verdict["reward"] == float(place % 3 == 1)
    assert lines(http.post("/v1/verify_batch", json={"items": []})) == {}


def test_verdicts_come_as_they_finish(http: httpx2.Client) -> None:
    items = [as_json(code_item("slow", SLEEP)), as_json(math_item("quick", "4"))]
    asked = {"json": {"items": items}, "timeout": 20}  # less than the slow one takes
    with http.stream("POST", "/v1/verify_batch", **asked) as answer:
        first = json.loads(next(answer.iter_lines()))
    assert (first["index"], first["verdict"]["reward"]) == (1, 1.0)


def test_health(http: httpx2.Client) -> None:
    assert http.get("/healthz").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {"status": "ready"}
    assert http.head("/readyz").status_code == 200
    assert http.get("/openapi.json").json()["openapi"].startswith("3.1")


JSON = {"Content-Type": "application/json"}
GOOD = b'{"response": "\\\\boxed{4}", "math": {"gold": ["4"]}}'

REFUSED = [
    ("/v1/verify", {}, GOOD, 415, "content-type: application/json in UTF-8 is wanted, got none"),
    ("/v1/verify", {"Content-Type": "text/plain"}, GOOD, 415, "got 'text/plain'"),
    ("/v1/verify", {"Content-Type": "application/json; charset=latin-1"}, GOOD, 415, "latin-1"),
    ("/v1/verify", JSON | {"Content-Encoding": "gzip"}, GOOD, 415, "content-encoding: none is understood, got 'gzip'"),
    ("/v1/verify", JSON, b"", 400, "body: not JSON: Expecting value"),
    ("/v1/verify", JSON, GOOD[:-1], 400, f"got {len(GOOD) - 1} bytes"),
    ("/v1/verify", JSON, b'{"id": "\xff"}', 400, "body: not UTF-8 at byte 8 of 11"),
    ("/v1/verify", JSON, b'{"id": "a", "id": "b"}', 400, "body: each key once in an object, got 'id' twice"),
    ("/v1/verify", JSON, b'{"meta": {"a": "b", "a": "b"}}', 400, "got 'a' twice"),
    ("/v1/verify", JSON, b'{"code": {"tests": [{"weight": NaN}]}}', 400, "NaN is no JSON"),
    ("/v1/verify", JSON, b"[" * 200_000, 400, "body: not JSON: nested too deep"),
    ("/v1/verify", JSON, b'{"a":' * 200_000, 400, "body: not JSON: nested too deep"),
    ("/v1/verify", JSON, b"9" * 100_000, 400, "body: not JSON"),
    ("/v1/verify", JSON, b"[1]", 400, "body: an item as a JSON object is wanted, got [1]"),
    ("/v1/verify", JSON, b'{"respnse": "4"}', 400, "respnse: no such field, Item has id,"),
    ("/v1/verify", JSON, b'{"math": {"gold": [4]}}', 400, "math.gold[0]: a text in quotes, got 4"),
    ("/v1/verify", JSON, b'{"math": {"gold": ["4"]}, "choice": {"gold": "A"}}', 400, "multiple"),
    ("/v1/verify", JSON, b'{"deadline_ms": -1}', 400, "deadline_ms"),
    ("/v1/verify", JSON, b'{"deadline_ms": 1e400}', 400, "deadline_ms"),
    ("/v1/verify", JSON, b'{"id": "\\ud800"}', 400, "id"),
    ("/v1/verify_batch", JSON, b"{}", 400, 'body: {"items": [...]} is wanted, got {}'),
    ("/v1/verify_batch", JSON, b'{"items": {}}', 400, "items: a list is wanted, got {}"),
    ("/v1/verify_batch", JSON, b'{"items": [' + b",".join([b"0"] * 16_385) + b"]}", 400, "items: at most 16384 items, got 16385"),
    ("/openrlhf", JSON, b'{"query": ["a"], "prompts": ["a"]}', 400, "labels: Field required"),
    ("/openrlhf", JSON, b'{"query": "a", "prompts": [], "labels": []}', 400, "query: Input should be a valid list, got 'a'"),
    ("/openrlhf", JSON, b'{"query": ["a"], "prompts": [], "labels": []}', 400, "lists of one length, got 1, 0 and 0"),
    ("/openrlhf", JSON, json.dumps({name: ["4"] * 16_385 for name in ("query", "prompts", "labels")}).encode(), 400, "query: at most 16384 queries, got 16385"),
    ("/slime", JSON, b'{"response": "", "label": "{\\"math\\": {}, \\"math\\": {}}"}', 400, "got 'math' twice"),
    ("/openrlhf?on_failure=mask", JSON, b"{}", 400, "on_failure: one of raise, none, zero, got 'mask'"),
    ("/openrlhf?recpe=r1", JSON, b"{}", 400, "query: recipe and on_failure are known, got 'recpe'"),
    ("/slime", JSON, b'{"prompt": "a", "label": "4"}', 400, "response: Field required"),
    ("/slime", JSON, b'{"response": "\\ud83d", "label": "4"}', 400, "got \\ud83d alone"),
    ("/slime?recipe=r9", JSON, b'{"response": "", "label": "4"}', 422, "INVALID: recipe: one of "),
    ("/slime", JSON, b'{"response": "", "label": null}', 422, "INVALID: label: a reference answer"),
    ("/slime", JSON, b'{"response": "", "label": {"response": "4"}}', 422, "label: is given by the body itself, got 'response'"),
    ("/slime", JSON, b'{"response": "", "label": {"math": {"gld": ["4"]}}}', 422, "label.math.gld: no such field"),
    ("/run_code", JSON, b'{"code": "print(1)", "language": "cobol"}', 400, "language: one of "),
    ("/run_code", JSON, b'{"code": " ", "language": "python"}', 400, "code: must not be empty"),
    ("/run_code", JSON, b'{"code": "0", "language": "python", "files": {"a.txt": "YQ=="}}', 400, "files: none can be given, got 'a.txt'"),
    ("/run_code", JSON, b'{"code": "0", "language": "python", "fetch_files": ["a"]}', 400, "fetch_files: must be empty, got 'a'"),
    ("/run_code", JSON, b'{"code": "0", "language": "python", "run_timeout": 1e9}', 400, "run_timeout: 0.01 to 120 seconds, got 1000000000.0"),
    ("/run_code", JSON, b'{"code": "0", "language": "python", "memory_limit_MB": 1}', 400, "memory_limit_MB: 32 to 8192 or -1, got 1"),
    ("/run_code", JSON, b'{"language": "python"}', 400, "code: Field required"),
    ("/submit", JSON, b'{"dataset": "d", "id": 1, "completion": "", "config": {"dataset_type": "HumanEvalDataset"}}', 400, "config.dataset_type: CommonOJDataset is known, got 'HumanEvalDataset'"),
    ("/submit", JSON, b'{"dataset": "d", "id": 1, "completion": "", "config": {"dataset_type": "CommonOJDataset"}}', 400, "config.provided_data.test: required"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "headers", "body", "status", "said"), REFUSED)
def test_what_is_refused_is_named(
    http: httpx2.Client, path: str, headers: dict[str, str], body: bytes, status: int, said: str
) -> None:
    answer = http.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json().keys() == {"error"}
    assert said in answer.json()["error"]


def test_paths_and_methods(http: httpx2.Client) -> None:
    assert http.get("/v2/verify").json() == {"error": "path: no such path, got '/v2/verify'"}
    answer = http.get("/v1/verify")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json() == {"error": "method: POST is wanted, got 'GET'"}


def raw(front: Front, data: bytes, seconds: float = 20.0) -> bytes:
    """What the server says to these bytes until it hangs up, or is silent for two seconds."""
    host, _, port = front[1].removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        said = connection.recv(65_536)
        connection.settimeout(2)
        try:
            while more := connection.recv(65_536):
                said += more
        except TimeoutError:
            pass
        return said


def test_chunked_bodies_and_kept_connections(front: Front) -> None:
    head = b"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, GOOD[n : n + 1]) for n in range(len(GOOD)))
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    assert raw(front, chunked).count(b'"reward": 1.0') == 1
    assert raw(front, chunked * 3).count(b'"reward": 1.0') == 3
    bad = head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    assert raw(front, bad).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:99", 200), ("127.0.0.9", 200), ("[::1]:80", 200), ("evil.example:80", 421), ("10.0.0.1", 421), ("", 421), ("[", 421)],
)  # fmt: skip
def test_a_name_that_was_made_to_lead_here_is_refused(
    http: httpx2.Client, host: str, status: int
) -> None:
    answer = http.get("/healthz", headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.json()["error"].startswith("host: localhost or a loopback address is wanted")


def test_what_is_no_http(front: Front, http: httpx2.Client) -> None:
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", b"GARBAGE\r\n\r\n"):
        said = raw(front, data)
        assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b'{"error": "request: no HTTP/1.1' in said
    long = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"
    assert b"headers: at most 65536 bytes" in raw(front, long)
    endless = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 3_000_000
    with suppress(ConnectionError):  # what it says may be lost when it hangs up on the rest
        assert raw(front, endless).startswith(b"HTTP/1.1 400 ")
    assert http.get("/healthz").status_code == 200


def test_openrlhf(http: httpx2.Client) -> None:
    """Its own body: the query has the prompt and the tokens that end a turn."""
    prompt = "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n"
    zero = "<think>two and two</think> <answer>\\boxed{4}</answer>"
    body = {
        "query": [f"{prompt}{zero}<|im_end|>\n", f"{prompt}\\boxed{{5}}</s>", f"another{zero}", f"{prompt}B"],
        "prompts": [prompt, prompt, "another", prompt],
        "labels": [
            "4",
            ["4", "four"],
            '{"math": {"gold": ["4"]}, "recipe": "dapo"}',
            {"choice": {"gold": "B", "options": ["x", "y"]}, "inline_recipe": {"parts": [{"name": "accuracy", "weight": 3}]}},
        ],
    }  # fmt: skip
    answer = http.post("/openrlhf", params={"recipe": "r1_zero"}, json=body)
    assert answer.status_code == 200
    assert answer.json() == {
        "rewards": [2.0, 0.0, 1.0, 3.0],
        "scores": [1.0, 0.0, 1.0, 1.0],
        "extra_logs": {"accuracy": [1.0, 0.0, 1.0, 1.0]},
    }
    other = http.post("/openrlhf", json=body | {"prompts": ["else"] * 4})
    assert other.status_code == 422
    assert "query[0]: begins with prompts[0], got" in other.json()["error"]
    empty: dict[str, list[str]] = {"query": [], "prompts": [], "labels": []}
    assert http.post("/openrlhf", json=empty).json() == {
        "rewards": [],
        "scores": [],
        "extra_logs": {},
    }


def test_a_verdict_without_a_reward_is_what_the_address_asks_for(http: httpx2.Client) -> None:
    body = {"query": ["\\boxed{4}"] * 2, "prompts": [""] * 2, "labels": ["4", ""]}
    assert http.post("/openrlhf", json=body).status_code == 422
    answers = {
        word: http.post("/openrlhf", params={"on_failure": word}, json=body).json()
        for word in ("none", "zero")
    }
    assert answers["none"]["rewards"] == answers["none"]["scores"] == [1.0, None]
    assert answers["zero"]["rewards"] == answers["zero"]["scores"] == [1.0, 0.0]
    late = {"math": {"gold": ["4"]}, "deadline_ms": 0}
    answer = http.post("/slime", json={"response": "4", "label": late})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["error"].startswith("TIMEOUT: deadline_ms: already over")
    answer = http.post("/slime?on_failure=none", json={"response": "4", "label": late})
    assert (answer.status_code, answer.json()) == (200, None)


@pytest.mark.parametrize(
    ("label", "reward"),
    [("4", 1.0), (4, 1.0), (4.0, 1.0), (["5", 4], 1.0), ("{1, 2}", 0.0), ({"math": {"gold": ["4"]}}, 1.0)],
)  # fmt: skip
def test_slime(http: httpx2.Client, label: Any, reward: float) -> None:
    for prompt in ("2+2?", [{"role": "user", "content": "2+2?"}]):
        body = {"prompt": prompt, "response": "It is \\boxed{4}.<|endoftext|>", "label": label}
        answer = http.post("/slime", json=body)
        assert (answer.status_code, answer.json()) == (200, reward)


def run(http: httpx2.Client, code: str, language: str = "python", **fields: Any) -> dict[str, Any]:
    """As verl asks."""
    body = {"compile_timeout": 10, "run_timeout": 10, "code": code, "stdin": "", "language": language, "files": {}, "fetch_files": []}  # fmt: skip
    answer = http.post("/run_code", json=body | fields)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def test_sandbox_fusion_runs_a_program(http: httpx2.Client) -> None:
    told = run(http, ADD, stdin="3 4\n")
    assert 0 < told["run_result"].pop("execution_time") < 30
    assert told == {
        "status": "Success",
        "message": "",
        "compile_result": None,
        "run_result": {"status": "Finished", "return_code": 0, "stdout": "7\n", "stderr": ""},
        "executor_pod_name": None,
        "files": {},
    }
    failed = run(http, "import sys\nprint(1)\nsys.exit(3)")
    assert (failed["status"], failed["run_result"]["return_code"]) == ("Failed", 3)
    raised = run(http, "1 / 0")
    assert raised["status"] == "Failed"
    assert "ZeroDivisionError" in raised["run_result"]["stderr"]
    syntax = run(http, "print(")
    assert (syntax["status"], syntax["run_result"]["return_code"]) == ("Failed", 1)
    assert "SyntaxError" in syntax["run_result"]["stderr"]
    late = run(http, "while True: pass", run_timeout=0.3)
    assert late["status"] == "Failed"
    assert late["run_result"]["status"] == "TimeLimitExceeded"
    assert late["run_result"]["return_code"] is None
    large = run(http, "a = bytearray(1 << 30)\nprint(len(a))", memory_limit_MB=64)
    assert large["status"] == "Failed"
    assert large["run_result"]["return_code"] != 0


def test_sandbox_fusion_compiles(http: httpx2.Client) -> None:
    languages = {each["language"] for each in http.get("/v1/describe").json()["toolchains"]}
    if "cpp" not in languages:
        pytest.skip("no C++ compiler")
    good = run(http, "#include <iostream>\nint main() { std::cout << 7; }", "cpp")
    assert good["status"] == "Success"
    assert good["compile_result"]["return_code"] == 0
    assert good["run_result"]["stdout"] == "7"
    bad = run(http, "int main() { return x; }", "cpp")
    assert (bad["status"], bad["run_result"]) == ("Failed", None)
    assert (bad["compile_result"]["status"], bad["compile_result"]["return_code"]) == (
        "Finished",
        1,
    )
    assert "not declared" in bad["compile_result"]["stderr"]
    if "javascript" in languages:
        assert run(http, "console.log(7)", "nodejs")["run_result"]["stdout"] == "7\n"


@pytest.mark.parametrize(
    ("program", "run_all", "accepted", "statuses"),
    [
        (ADD, False, True, ["Success", "Success"]),
        ("print(3)\n", False, False, ["Success", "Success"]),
        ("print(0)\n", False, False, ["Success"]),
        ("print(0)\n", True, False, ["Success", "Success"]),
        ("1/0\n", False, False, ["Failed"]),
        ("print(\n", False, False, ["Failed"]),
        ("", False, False, []),
    ],
)
def test_sandbox_fusion_grades(
    http: httpx2.Client, program: str, run_all: bool, accepted: bool, statuses: list[str]
) -> None:
    tests = [{"input": {"stdin": f"{n} 2\n"}, "output": {"stdout": f"{n + 2}\n"}} for n in (1, 2)]
    body = {
        "dataset": "mine",
        "id": 17,
        "completion": f"So:\n```python\n{program}```\n" if program else "I do not know.",
        "config": {
            "language": "python",
            "dataset_type": "CommonOJDataset",
            "provided_data": {"test": json.dumps(tests) if run_all else tests},
            "extra": {"run_all_cases": run_all},
        },
    }
    answer = http.post("/submit", json=body)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["id"], told["accepted"]) == (17, accepted)
    assert [test["exec_info"]["status"] for test in told["tests"]] == statuses
    assert [test["test_info"] for test in told["tests"]] == tests[: len(statuses)]
    assert all(test["passed"] for test in told["tests"]) or not accepted
    if program:
        assert told["extracted_code"].strip() == program.strip()


SLOW = {
    "/v1/verify": as_json(code_item("x", SLEEP)),
    "/v1/verify_batch": {"items": [as_json(code_item("x", SLEEP))] * 20},
    "/slime": {"response": f"```python\n{SLEEP}```", "label": {"code": as_json(code_item("", ""))["code"]}},
    "/run_code": {"code": SLEEP, "language": "python"},
}  # fmt: skip


@pytest.mark.alone
@pytest.mark.parametrize("path", SLOW)
def test_the_work_of_a_client_that_is_gone_ends_within_a_second(
    front: Front, http: httpx2.Client, path: str
) -> None:
    working = new_programs(front[0])
    host, _, port = front[1].removeprefix("http://").rpartition(":")
    body = json.dumps(SLOW[path]).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        wait_for(lambda: bool(working()))
    wait_for(lambda: not working(), 1.0)
    assert http.post("/v1/verify", json=as_json(code_item("next", ADD))).json()["reward"] == 1.0


@pytest.mark.parametrize(
    "end", [" " * 900_000, "</s>" * 200_000, "<|a" * 300_000, "<|im_end|> \n<eos>"]
)
def test_tokens_behind_a_response_cost_no_time(http: httpx2.Client, end: str) -> None:
    began = time.monotonic()
    answer = http.post("/slime", json={"response": "\\boxed{4}" + end, "label": "4"})
    assert (answer.status_code, answer.json()) == (200, 1.0)
    assert time.monotonic() - began < 30  # quadratic, it would be hours
