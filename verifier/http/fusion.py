"""SandboxFusion's words for what the sandbox and the code verifier do. Pure.

verl's `sandbox_fusion` asks POST /run_code for every test; POST /submit grades a completion
against tests sent along (`config.provided_data`). Names, statuses and shapes are those of
bytedance/SandboxFusion (`sandbox/server/sandbox_api.py`, `sandbox/datasets/types.py`).
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from sandbox.v1 import sandbox_pb2 as sb
from verifier.http.body import load_sound, model
from verifier.http.trainers import failure
from verifier.http.words import shown
from verifier.limits import MIB
from verifier.v1 import verifier_pb2 as pb

NAMES = {"nodejs": "javascript"}
"""Languages that are called otherwise here."""

INTERPRETED = frozenset({"python", "bash", "php", "ruby", "javascript", "typescript"})
"""There, errors of syntax come from running them, and there is no compile_result."""

STDIO = "CommonOJDataset"
"""The dataset type whose tests are a standard input and a standard output."""

SIGNALLED = 128
"""Added to a signal's number, as a shell does."""

_ENDINGS = {
    sb.Outcome.CPU_LIMIT: "TimeLimitExceeded",
    sb.Outcome.WALL_LIMIT: "TimeLimitExceeded",
}
_SIGNALS = {sb.Outcome.MEMORY_LIMIT: 9, sb.Outcome.OUTPUT_LIMIT: 25}
"""What ends a program elsewhere that goes over such a limit: SIGKILL, SIGXFSZ."""

_TIME_LIMITS = (pb.Part.cpu_limit, pb.Part.wall_limit)


class RunCode(BaseModel):
    """The body of /run_code."""

    code: str
    language: str
    stdin: str | None = None
    compile_timeout: float = 10
    run_timeout: float = 10
    memory_limit_MB: int = -1
    files: dict[str, str | None] = {}
    fetch_files: list[str] = []
    args: list[str] = []


class SubmitConfig(BaseModel):
    """How a completion is graded."""

    language: str | None = None
    dataset_type: str | None = None
    run_timeout: float | None = None
    compile_timeout: float | None = None
    custom_extract_logic: str | None = None
    provided_data: dict[str, Any] | None = None
    extra: dict[str, Any] = {}


class Submit(BaseModel):
    """The body of /submit."""

    dataset: str
    id: int | str
    completion: str
    config: SubmitConfig


class StdioTest(BaseModel):
    """One test of `provided_data`."""

    input: dict[str, str] = Field(default={"stdin": ""})
    output: dict[str, str]


class Command(BaseModel):
    """How a command ended."""

    status: str
    execution_time: float | None = None
    """Seconds."""
    return_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class RunAnswer(BaseModel):
    """The answer of /run_code."""

    status: str
    message: str = ""
    compile_result: Command | None = None
    run_result: Command | None = None
    executor_pod_name: str | None = None
    files: dict[str, str] = {}


class TestAnswer(BaseModel):
    """One test of the answer of /submit."""

    passed: bool
    exec_info: RunAnswer
    test_info: StdioTest


class SubmitAnswer(BaseModel):
    """The answer of /submit."""

    id: int | str
    accepted: bool
    extracted_code: str
    tests: list[TestAnswer]


def run_request(raw: bytes, sandbox: sb.DescribeResponse) -> sb.RunRequest:
    """What a body asks of the sandbox. Raises HTTPException for what it cannot do."""
    body = model(RunCode)(raw)
    language = NAMES.get(body.language, body.language)
    known = [each.name for each in sandbox.languages if not each.missing]
    if language not in known:
        names = ", ".join(sorted(known)) or "none (the server was started without a sandbox)"
        raise HTTPException(400, f"language: one of {names}, got {shown(body.language)}")
    if body.files:
        raise HTTPException(400, f"files: none can be given, got {shown(min(body.files))}")
    for field in ("fetch_files", "args"):
        given = getattr(body, field)
        if given:
            raise HTTPException(400, f"{field}: must be empty, got {shown(given[0])}")
    highest = sandbox.max_limits
    seconds = _within("run_timeout", body.run_timeout, 0.01, highest.cpu_seconds, "seconds")
    limits = sb.Limits(cpu_seconds=seconds)
    if body.memory_limit_MB != -1:
        most = highest.memory_bytes / MIB
        limits.memory_bytes = MIB * int(
            _within("memory_limit_MB", body.memory_limit_MB, 32, most, "or -1")
        )
    if not body.code.strip():
        raise HTTPException(400, "code: must not be empty, got nothing but white space")
    return sb.RunRequest(
        language=language,
        source=body.code,
        inputs=sb.Inputs(stdin=[(body.stdin or "").encode()]),
        limits=limits,
    )


def _within(field: str, value: float, low: float, high: float, unit: str) -> float:
    if not low <= value <= high:
        raise HTTPException(400, f"{field}: {low:g} to {high:g} {unit}, got {shown(value)}")
    return value


def run_answer(asked: sb.RunRequest, result: sb.RunResult) -> dict[str, Any]:
    """What it did, in SandboxFusion's words. Raises HTTPException where it was no such request."""
    if result.status == sb.RunResult.INVALID:
        raise HTTPException(400, result.message)
    if result.status != sb.RunResult.OK:
        return RunAnswer(status="SandboxError", message=result.message).model_dump()
    if result.compile_failed:
        return _not_compiled(asked.language, result.diagnostics).model_dump()
    outcome = result.outcomes[0]
    ran = _command(outcome)
    compiled = None
    if asked.language not in INTERPRETED:
        seconds = result.compile_cpu_us / 1e6
        compiled = _compiler(0, result.diagnostics, seconds)
    return RunAnswer(
        status="Success" if ran.status == "Finished" and ran.return_code == 0 else "Failed",
        message=sb.Outcome.Ending.Name(outcome.ending) if outcome.ending in _SIGNALS else "",
        compile_result=compiled,
        run_result=ran,
    ).model_dump()


def _not_compiled(language: str, diagnostics: str) -> RunAnswer:
    said = _compiler(1, diagnostics)
    if language in INTERPRETED:
        return RunAnswer(status="Failed", run_result=said)
    return RunAnswer(status="Failed", compile_result=said)


def _compiler(code: int, diagnostics: str, seconds: float | None = None) -> Command:
    return Command(
        status="Finished",
        execution_time=seconds,
        return_code=code,
        stdout="",
        stderr=diagnostics,
    )


def _command(outcome: sb.Outcome) -> Command:
    code: int | None = outcome.exit_code
    if outcome.ending in _ENDINGS:
        code = None
    elif outcome.ending != sb.Outcome.EXITED:
        code = SIGNALLED + _SIGNALS.get(outcome.ending, outcome.signal)
    return Command(
        status=_ENDINGS.get(outcome.ending, "Finished"),
        execution_time=outcome.wall_us / 1e6,
        return_code=code,
        stdout=outcome.stdout.decode(errors="replace"),
        stderr=outcome.stderr.decode(errors="replace"),
    )


def submit_item(raw: bytes) -> tuple[Submit, pb.Item]:
    """A body and its completion as an item. Raises HTTPException for what cannot be graded here."""
    body = model(Submit)(raw)
    config = body.config
    if config.dataset_type != STDIO:
        raise HTTPException(
            400, f"config.dataset_type: {STDIO} is known, got {shown(config.dataset_type)}"
        )
    if config.custom_extract_logic:
        raise HTTPException(400, "config.custom_extract_logic: must be empty, it is code to run")
    if config.provided_data is None or "test" not in config.provided_data:
        raise HTTPException(400, "config.provided_data.test: required, there are no datasets here")
    if not config.language:
        raise HTTPException(400, "config.language: required, got none")
    task = pb.CodeTask(
        language=NAMES.get(config.language, config.language),
        run_all=bool(config.extra.get("run_all_cases", False)),
    )
    for place, test in enumerate(_tests(config.provided_data["test"])):
        path = f"config.provided_data.test[{place}]"
        for side, needed in ((test.input, "stdin"), (test.output, "stdout")):
            if side.keys() != {needed}:
                got = ", ".join(sorted(side)) or "none"
                raise HTTPException(400, f"{path}: {needed} and no files, got {shown(got)}")
        task.tests.add(stdin=test.input["stdin"], stdout=test.output["stdout"])
    if config.run_timeout is not None:
        task.limits.cpu_seconds = config.run_timeout
    return body, pb.Item(id=str(body.id), response=body.completion, code=task)


def _tests(given: Any) -> list[StdioTest]:
    if isinstance(given, str):  # as a column of a table has it
        given = load_sound(given.encode())
    if not isinstance(given, list):
        raise HTTPException(400, f"config.provided_data.test: a list, got {shown(given)}")
    found = []
    for place, one in enumerate(given):
        try:
            found.append(StdioTest.model_validate(one))
        except ValueError:
            wanted = '{"input": {"stdin": text}, "output": {"stdout": text}}'
            path = f"config.provided_data.test[{place}]"
            raise HTTPException(400, f"{path}: {wanted} is wanted, got {shown(one)}") from None
    return found


def submit_answer(body: Submit, item: pb.Item, verdict: pb.Verdict) -> dict[str, Any]:
    """The verdict in SandboxFusion's words. Raises HTTPException where there is none."""
    if verdict.status != pb.Verdict.OK:
        raise failure(verdict)
    evidence = verdict.evidence.code
    tests = [
        TestAnswer(
            passed=result.reason == pb.Part.accepted,
            exec_info=_test_run(result),
            test_info=_test_info(test),
        )
        for test, result in zip(item.code.tests, evidence.tests, strict=False)
        if result.reason != pb.Part.not_run
    ]
    if verdict.parts[0].reason == pb.Part.compile_error:
        info = _test_info(item.code.tests[0])
        run = _not_compiled(item.code.language, evidence.diagnostics)
        tests = [TestAnswer(passed=False, exec_info=run, test_info=info)]
    return SubmitAnswer(
        id=body.id,
        accepted=verdict.reward == 1,
        extracted_code=verdict.extracted,
        tests=tests,
    ).model_dump()


def _test_info(test: pb.CodeTest) -> StdioTest:
    return StdioTest(input={"stdin": test.stdin}, output={"stdout": test.stdout})


def _test_run(result: pb.TestResult) -> RunAnswer:
    late = result.reason in _TIME_LIMITS
    ended = result.reason in (pb.Part.accepted, pb.Part.wrong_answer)
    ran = Command(
        status="TimeLimitExceeded" if late else "Finished",
        execution_time=result.wall_ms / 1000,
        return_code=0 if ended else None if late else 1,
        stdout=result.got if ended else "",
        stderr="" if ended or late else result.got,
    )
    status = "Success" if ended else "Failed"
    return RunAnswer(status=status, message=result.detail, run_result=ran)
