"""One HTML page of a run: its curves and what it wrote, beside another run if wanted.

`render` is pure: it reduces the runs to what a page can hold; `report.js` says which metrics make
which plot. Responses are hostile: data stands in a block of JSON that no parser takes for markup,
the page's script makes text nodes of it, and the page's policy admits no other script and no
network. What the constants below leave out, the page says.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from statistics import fmean
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from trainer.log import (
    RolloutRow,
    RunError,
    read_metrics,
    read_recipe,
    read_rollouts,
    rollouts_file,
    steps_with_rollouts,
    visible,
)
from trainer.monitor import FLAGGED

POINTS = 2_000
"""Of one curve: more than a screen has pixels for. Beyond, neighbours are averaged."""
SAMPLED_STEPS = 200
"""Steps whose samples are shown, evenly spaced, first and last among them: some megabytes."""
HEAD_CHARS, TAIL_CHARS = 3_000, 1_500
"""Of a text that is cut: how it begins, and how it ends, where the answer is."""

# All that the evaluation after the last step has.
_NO_STEP = ("eval/", "monitor/", "time/", "step")
# What ends or nests a script element, and what ends a line in some readers.
_UNSAFE = re.compile("[<>&\u2028\u2029]")


@dataclass(frozen=True)
class RunData:
    """What the page shows of one run."""

    name: str
    metrics: Sequence[Mapping[str, float | None]]
    recipe: Mapping[str, Any]
    """Dotted key to value."""
    samples: Sequence[Mapping[str, Any]]
    """See `pick`."""


def load(directory: Path) -> RunData:
    """A run's files. Raises RunError."""
    metrics = read_metrics(directory)
    steps = _spread(steps_with_rollouts(directory), SAMPLED_STEPS)
    samples = []
    for step in steps:
        try:
            samples.append(pick(step, read_rollouts(directory, step)))
        except ValueError as error:
            raise RunError(f"{rollouts_file(directory, step)}: {error}") from error
    return RunData(directory.resolve().name, metrics, read_recipe(directory), samples)


def pick(step: int, rows: Sequence[RolloutRow]) -> dict[str, Any]:
    """The best, the worst and any of a step's completions, each None where there is none; the last
    of them, and which of equals, by a draw that is the same every time."""
    shuffled = random.Random(step).sample(list(rows), len(rows))
    rewards = {n: row.reward for n, row in enumerate(shuffled) if row.reward is not None}
    best = max(rewards, key=rewards.__getitem__, default=None)
    worst = min(reversed(rewards), key=rewards.__getitem__, default=None)
    others = [n for n in range(len(shuffled)) if n not in (best, worst)] or range(len(shuffled))
    chosen = {"best": best, "worst": worst, "random": next(iter(others), None)}
    return {"step": step} | {
        kind: None if n is None else _shown(shuffled[n]) for kind, n in chosen.items()
    }


def _shown(row: RolloutRow) -> dict[str, Any]:
    told = asdict(row)
    parts = json.loads(told.pop("parts_json"))
    shown = {
        key: shorten(value) if isinstance(value, str) else value for key, value in told.items()
    }
    shown |= {"parts": parts}
    json.dumps(shown, allow_nan=False)  # raises ValueError here, where the file is known
    return shown


def shorten(text: str) -> str:
    """A text as it is shown: its middle left out if it is long, hidden characters as escapes."""
    left_out = len(text) - HEAD_CHARS - TAIL_CHARS
    if left_out > 0:
        note = f"\n[... {left_out:,} characters left out ...]\n"
        text = text[:HEAD_CHARS] + note + text[-TAIL_CHARS:]
    return visible(text)


def curve(
    metrics: Sequence[Mapping[str, float | None]], name: str, points: int = POINTS
) -> dict[str, list[float]]:
    """Steps `x` and values `y` of a metric, averaged over neighbours beyond so many points."""
    pairs = [(row["step"] or 0, value) for row in metrics if (value := row.get(name)) is not None]
    width = -(-len(pairs) // points) or 1
    parts = [pairs[start : start + width] for start in range(0, len(pairs), width)]
    return {
        "x": [fmean(step for step, _ in part) for part in parts],
        "y": [fmean(value for _, value in part) for part in parts],
    }


def render(run: RunData, against: RunData | None = None) -> str:
    """The page, of HTML in UTF-8."""
    runs = [(one, _steps(one.metrics)) for one in (run, against) if one is not None]
    data = [
        {
            "name": shorten(one.name),
            "steps": len(steps),
            "seconds": sum(row.get("time/step_s") or 0.0 for row in one.metrics),
            "flagged": next((row["step"] for row in one.metrics if row.get(FLAGGED)), None),
            "curves": {
                name: curve(one.metrics if name.startswith("eval/") else steps, name)
                for name in sorted({key for row in one.metrics for key in row} - {"step"})
            },
            "recipe": one.recipe,
            "samples": one.samples,
        }
        for one, steps in runs
    ]
    style, script, page = (
        resources.files("trainer").joinpath(f"report.{kind}").read_text("utf-8")
        for kind in ("css", "js", "html")
    )
    plotly = get_plotlyjs()
    return Template(page).substitute(
        title=html.escape(shorten(run.name)),
        hashes=admitted(plotly, script),
        style=style,
        plotly=plotly,
        script=script,
        data=inert(data),
    )


def admitted(*scripts: str) -> str:
    """A page's own scripts, as its policy admits them: by their hashes."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in scripts]
    return " ".join(f"'sha256-{one.decode()}'" for one in digests)


def inert(data: object) -> str:
    """JSON that no parser takes for markup."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _steps(metrics: Sequence[Mapping[str, float | None]]) -> list[Mapping[str, float | None]]:
    return [row for row in metrics if any(not key.startswith(_NO_STEP) for key in row)]


def _spread(steps: Sequence[int], most: int) -> list[int]:
    if len(steps) <= most:
        return list(steps)
    return [steps[round(n * (len(steps) - 1) / (most - 1))] for n in range(most)]
