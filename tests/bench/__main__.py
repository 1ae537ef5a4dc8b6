"""`make bench`: each part beside its peer or its bare floor, in one run.

    python -m tests.bench [mathematics] [service] [programs] [sandbox] [text] [docker] [training] ...
    python -m tests.bench noop storm overload beside bad_requests chaos

Without names: the first five. The second line is the service under load and faults, some three
quarters of an hour (each has options of its own: `python -m tests.bench.chaos --help`). docker needs an engine and the image (`make docker-image`), engines
the demo's model (`make train-demo`) and SGLang and vLLM (`scripts/install-engines.sh`), training
takes hours (`python -m tests.bench.training CASE` has single cases). Each part
has a process of its own, so that what one pins or loads is not the next one's. Ends with one line
of JSON holding all figures.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.bench.parts import DEFAULT, PARTS, run


def main() -> None:
    chosen = sys.argv[1:] or DEFAULT
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"one of {', '.join(PARTS)}, got {', '.join(unknown)}")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as processes:
        figures = {name: processes.submit(run, name).result() for name in chosen}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
