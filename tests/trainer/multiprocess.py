"""A few processes that form a gloo group, for tests of what ranks do together.

They start once and run one function after the other, for starting torch takes longer than most
tests; and they are forked from a process that has imported it. A function that raises, or that
does not end in time, fails the test and ends the group: nothing here can wait for ever.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import pickle
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any

PRELOADED = [
    "tests.trainer.layouts",
    "trainer.zero",
    # What DeepSpeed imports at its first engine, which takes as long as all before.
    "deepspeed.runtime.engine",
    "torch._inductor.compile_fx",
]
"""Modules that ranks have from their start; those that are not installed are left out."""


class Ranks:
    """`with Ranks(2) as ranks: ranks.run(function, *args)` returns each rank's result, in order.

    The function is a module's own, and it and its arguments and results can be pickled.
    """

    def __init__(self, count: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        context = mp.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self._pipes: list[Connection] = []
        self._processes = []
        for rank in range(count):
            ours, theirs = context.Pipe()
            store = Path(self._folder.name) / "store"
            process = context.Process(target=_serve, args=(theirs, rank, count, store), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def run(self, function: Callable[..., Any], *args: Any, seconds: float = 60.0) -> list[Any]:
        """Raises AssertionError with the rank's traceback, TimeoutError naming the rank."""
        for pipe in self._pipes:
            pipe.send_bytes(pickle.dumps((function, args)))
        results, end = dict[int, Any](), time.monotonic() + seconds
        while missing := [n for n in range(len(self._pipes)) if n not in results]:
            # The first that fails, not the first that waits for it.
            pipes = {self._pipes[rank]: rank for rank in missing}
            ready = wait(list(pipes), max(0.0, end - time.monotonic()))
            if not ready:
                self.close()
                raise TimeoutError(
                    f"rank {missing[0]} did not end {function.__name__} in {seconds} s"
                )
            for pipe in ready:
                assert isinstance(pipe, Connection)
                done, result = pickle.loads(pipe.recv_bytes())  # noqa: S301 - our own child wrote it
                if not done:
                    self.close()
                    raise AssertionError(f"rank {pipes[pipe]}: {result}")
                results[pipes[pipe]] = result
        return [results[rank] for rank in sorted(results)]

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        self._folder.cleanup()

    def __enter__(self) -> Ranks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _serve(pipe: Connection, rank: int, count: int, store: Path) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        store=dist.FileStore(str(store), count),
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=60),
    )
    while True:
        try:
            function, args = pickle.loads(pipe.recv_bytes())  # noqa: S301 - the test wrote it
        except EOFError:
            return
        try:
            answer = True, function(*args)
        except Exception:  # noqa: BLE001 - told to the test, which fails with it
            answer = False, traceback.format_exc()
        pipe.send_bytes(pickle.dumps(answer))
