"""The interface through which the verifier uses the sandbox, within its process or over gRPC.

sandbox = await EmbeddedSandbox.start(slots=2)
result = await sandbox.run(pb.RunRequest(language="python", source="print(input())", ...))
await sandbox.close()
"""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, cast

import grpc

from sandbox import limits, tracing
from sandbox.cgroup import CgroupUnavailable
from sandbox.languages import Toolchains, find_toolchains
from sandbox.pool import Pool, QueueFull
from sandbox.probe import TIERS, Probe, probe
from sandbox.uids import NoUsersLeft
from sandbox.v1 import sandbox_pb2 as pb
from sandbox.v1 import sandbox_pb2_grpc as rpc

__all__ = [
    "EmbeddedSandbox",
    "NoSandbox",
    "QueueFull",
    "RemoteSandbox",
    "Sandbox",
    "SandboxUnavailable",
]

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)


class SandboxUnavailable(Exception):
    """The sandbox cannot start, or cannot be reached; the message names what is missing."""


class Sandbox(Protocol):
    """Runs programs. Cancelling a call stops its program."""

    async def run(self, request: pb.RunRequest) -> pb.RunResult:
        """Runs one program on all its inputs; raises QueueFull."""

    async def describe(self) -> pb.DescribeResponse:
        """What this sandbox can do."""

    async def close(self) -> None:
        """Ends it; nothing is left running."""


class EmbeddedSandbox:
    """The sandbox within this process. Make one by `start`; use it in that event loop only."""

    def __init__(self, pool: Pool, found: Probe, toolchains: Toolchains) -> None:
        self.pool, self.found, self._toolchains = pool, found, toolchains

    @classmethod
    async def start(
        cls,
        slots: int | None = None,
        require_tier: str = "T3",
        max_queued: int = limits.DEFAULT_MAX_QUEUED,
        tier: str | None = None,
    ) -> EmbeddedSandbox:
        """Probes the host and starts the slots (default: one for each core).

        `tier` asks for one tier where the host could give a stronger one. Raises
        SandboxUnavailable when no jail can be built, when `require_tier` ("T1", "T2", "T3") cannot
        be had, and for settings that no sandbox can have.
        """
        count = slots if slots is not None else min(cores(), limits.MAX_SLOTS)
        if not 1 <= count <= limits.MAX_SLOTS:
            raise SandboxUnavailable(f"slots must be from 1 to {limits.MAX_SLOTS}, got {count}")
        if max_queued < 0:
            raise SandboxUnavailable(f"max_queued must not be negative, got {max_queued}")
        for name, value in (("require_tier", require_tier), ("tier", tier or require_tier)):
            if value not in TIERS:
                raise SandboxUnavailable(f"{name} must be T1, T2 or T3, got '{value}'")
        found = await probe(tier)
        if found.confinement is None or found.tier < TIERS[require_tier]:
            raise SandboxUnavailable(
                f"tier {require_tier} is required and not available: {'; '.join(found.missing)}"
            )
        toolchains = await asyncio.to_thread(find_toolchains)
        if found.confinement.tier < 3:
            toolchains = toolchains.without_proc()
        try:
            pool = Pool(count, max_queued, found.confinement, found.hierarchies, toolchains)
        except (CgroupUnavailable, NoUsersLeft, OSError) as error:
            raise SandboxUnavailable(f"the slots cannot be made: {error}") from error
        return cls(pool, found, toolchains)

    async def run(self, request: pb.RunRequest) -> pb.RunResult:
        return await self.pool.submit(request)

    async def describe(self) -> pb.DescribeResponse:
        return pb.DescribeResponse(
            version=_version(),
            languages=[
                *(
                    pb.Language(name=name, toolchain=language.toolchain)
                    for name, language in self._toolchains.found.items()
                ),
                *(
                    pb.Language(name=name, missing=why)
                    for name, why in self._toolchains.missing.items()
                ),
            ],
            tier=self.found.tier,
            mechanisms=self.found.mechanisms,
            slots=self.pool.slots,
            default_limits=limits.default_limits(),
            max_limits=limits.max_limits(),
            max_source_bytes=limits.MAX_SOURCE_BYTES,
            max_runs=limits.MAX_RUNS,
            max_queued=self.pool.max_queued,
        )

    async def close(self) -> None:
        await self.pool.close()


class RemoteSandbox:
    """A sandbox server at `address`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        # One class serves both kinds of channel; only its stub file tells them apart.
        self._stub = cast("rpc.SandboxAsyncStub", rpc.SandboxStub(self._channel))

    async def run(self, request: pb.RunRequest) -> pb.RunResult:
        try:
            return await self._stub.Run(request, metadata=tuple(tracing.inject().items()))
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    async def describe(self) -> pb.DescribeResponse:
        try:
            return await self._stub.Describe(pb.DescribeRequest())
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        await self._channel.close()

    def _translated(self, error: grpc.aio.AioRpcError) -> Exception:
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return QueueFull(error.details())
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return SandboxUnavailable(f"no sandbox answers at {self._address}: {error.details()}")
        return SandboxUnavailable(
            f"the sandbox at {self._address} failed: {error.code().name}: {error.details()}"
        )


class NoSandbox:
    """Stands where no programs are to be run: it has no languages."""

    async def run(self, request: pb.RunRequest) -> pb.RunResult:
        raise SandboxUnavailable("there is no sandbox")

    async def describe(self) -> pb.DescribeResponse:
        return pb.DescribeResponse(version=_version())

    async def close(self) -> None:
        """Nothing to end."""


def cores() -> int:
    """That this process may run on."""
    return len(os.sched_getaffinity(0))


def _version() -> str:
    try:
        return version("touchstone-rl")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
