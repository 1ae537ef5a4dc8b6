"""One item's dealings with the sandbox: requests, budgets, and what failure of which side means.

Invariants: a sandbox that failed is never the program's fault; a result with a gap in it is the
sandbox's failure; the wall time of an item counts from its first run, not from its wait.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.client import QueueFull, Sandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as sb
from verifier.v1 import verifier_pb2 as pb


class SandboxFailed(Exception):
    """The sandbox, or a checker, could not do its part; says nothing about the program."""

    def __init__(self, status: pb.Verdict.Status.ValueType, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Runs:
    """The runs of one item's program, and what they gather on the way."""

    sandbox: Sandbox
    item_id: str
    language: str
    program: str
    limits: pb.CodeLimits
    budget_ms: int | None
    """Wall time that all runs together may take once they run."""
    deadline: float | None = None
    """On time.monotonic()'s clock; set when the first run starts."""
    queued_ms: float = 0.0
    tier: str = ""
    diagnostics: str = ""
    toolchain: str = ""
    compile_failed: bool = False

    async def run(self, request: sb.RunRequest) -> sb.RunResult:
        """Runs the program as `request` says; its outcomes are empty when it does not compile.

        Raises SandboxFailed for everything but a program's own doing.
        """
        request.language = self.language
        request.source = self.program
        copy_limits(self.limits, request.limits)
        result = await self._ask(request)
        self.tier = tier_name(result.tier) or self.tier
        self.toolchain = result.toolchain or self.toolchain
        self.diagnostics = result.diagnostics or self.diagnostics
        self.compile_failed = result.compile_failed
        if result.compile_failed:
            del result.outcomes[:]
            return result
        if not result.other_compile_failed:
            _complete(request, result.outcomes)
        return result

    async def judge(self, request: sb.RunRequest, field: str) -> sb.RunResult:
        """Runs a program that is not the item's own: a checker, of that field of the task."""
        return await self._ask(request, f"code.{field}.")

    async def _ask(self, request: sb.RunRequest, path: str = "code.") -> sb.RunResult:
        request.id = self.item_id
        if self.budget_ms is not None:
            request.deadline_ms = self.left_ms()
        try:
            result = await self.sandbox.run(request)
        except (QueueFull, SandboxUnavailable) as error:
            raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, str(error)) from error
        self.queued_ms += result.queued_ms
        if self.budget_ms is not None and self.deadline is None:
            self.deadline = time.monotonic() + (self.budget_ms - result.ran_ms) / 1000
        if result.status == sb.RunResult.TIMEOUT:
            message = f"deadline_ms: {self.budget_ms} ms passed before all tests had run"
            raise SandboxFailed(pb.Verdict.TIMEOUT, message)
        if result.status == sb.RunResult.INVALID:
            message = result.message
            for inner, outer in _FIELDS.items():
                if message.startswith(inner):
                    message = outer + message.removeprefix(inner)
            if path == "code." and message.startswith("source "):
                message = "program" + message.removeprefix("source")
            raise SandboxFailed(pb.Verdict.INVALID, path + message)
        if result.status != sb.RunResult.OK:
            raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, result.message)
        return result

    def left_ms(self) -> int:
        """What is left of the budget, which must be set."""
        assert self.budget_ms is not None
        if self.deadline is None:
            return self.budget_ms
        return max(0, int(1000 * (self.deadline - time.monotonic())))


_FIELDS = {
    "dialogues.": "interactor.",
    "commands.command[0].": "",
    "calls.": "",
}
"""How the sandbox's contract calls what this one calls otherwise."""


def _complete(request: sb.RunRequest, outcomes: Sequence[sb.Outcome]) -> None:
    """Raises SandboxFailed for a gap in what the sandbox tells."""
    work = (
        request.inputs.stdin,
        request.calls.arguments,
        request.snippets.source,
        request.dialogues.command,
    )
    wanted = sum(map(len, work))  # exactly one of them has any
    endings = [outcome.ending for outcome in outcomes]
    # In a dialogue the program is stopped when the interactor has seen enough.
    unstarted = endings[:1] == [sb.Outcome.NOT_RUN] and not request.HasField("dialogues")
    if len(endings) != wanted or sb.Outcome.UNSPECIFIED in endings or unstarted:
        message = f"the sandbox told of {len(endings)} runs, not all with an end, for {wanted}"
        raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, message)


def copy_limits(asked: pb.CodeLimits, limits: sb.Limits) -> None:
    """The limits that are given, under the same names."""
    for limit, value in asked.ListFields():
        setattr(limits, limit.name, value)


def tier_name(tier: sb.Tier.ValueType) -> str:
    """ "T3", "T2" or "T1"; empty when there is none."""
    return sb.Tier.Name(tier) if tier else ""
