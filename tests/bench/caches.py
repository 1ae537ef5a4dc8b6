"""What identical items cost the second time, and in a server that was started anew.

    python -m tests.bench.caches

512 programs of three tests, each another one, and 64 symbolic questions, each as one batch: to a
server with an empty file, to the same server again, and to a new one that has the file alone. The
programs are the same ones in all three; every reward is compared with the first.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.verifier.support import code_item, math_item
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

PROGRAMS = [
    code_item(str(n), f"a, b = map(int, input().split())\nprint(a + b + {n % 2})\n# {n}\n")
    for n in range(512)
]
QUESTIONS = [
    math_item(str(n), rf"\frac{{{n}}}{{{n - 1}}}", rf"\sum_{{j=0}}^{{\infty}}\frac{{1}}{{{n}^j}}")
    for n in range(3, 67)
]
WARM = [code_item("warm", "print(1)\n"), math_item("warm", "1", r"\lim_{x\to 0}\frac{\sin x}{x}")]
SETS = {"512 programs": PROGRAMS, "64 symbolic questions": QUESTIONS}


def main() -> None:
    """Prints a table in Markdown: milliseconds for a batch."""
    rows: dict[str, list[str]] = {name: [] for name in SETS}
    rewards: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for batches in (2, 1):
            path = Path(folder) / "kept.sqlite"
            server = EmbeddedServer("--log-level", "warning", "--cache", str(path))
            with server, VerifierClient(server.address) as client:
                client.verify(WARM)
                for _ in range(batches):
                    for name, items in SETS.items():
                        began = time.perf_counter()
                        verdicts = client.verify(items)
                        took = 1000 * (time.perf_counter() - began)
                        rows[name].append(f"{took:,.0f} ms, {hits(verdicts)} hits")
                        told = [verdict.reward for verdict in verdicts]
                        assert rewards.setdefault(name, told) == told
    print("| batch | first time | again | a new server with the file |\n|---|---|---|---|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def hits(verdicts: list[pb.Verdict]) -> int:
    return sum(verdict.provenance.cache_hit for verdict in verdicts)


if __name__ == "__main__":
    main()
