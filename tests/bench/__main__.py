"""`make bench`: each part beside its peer or its bare floor, in one run.

    python -m tests.bench [mathematics] [service] [sandbox] [docker]

Ends with one line of JSON holding all figures.
"""

from __future__ import annotations

import json
import sys

from rich.console import Console

from tests.bench import docker, mathematics, sandbox, service

PARTS = {
    "mathematics": mathematics.main,
    "service": service.main,
    "sandbox": sandbox.main,
    "docker": docker.main,
}


def main() -> None:
    console = Console(width=120)
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"one of {', '.join(PARTS)}, got {', '.join(unknown)}")
    figures = {name: PARTS[name](console) for name in chosen}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
