"""Recipes: how the parts of a verdict become one reward.

    reward = clip(sum over parts of weight x score), or `gated` where a gate is closed

A recipe is plain data (`verifier.v1.Recipe`). Built-in ones are the TOML files beside this module,
with the message's own field names; one that is sent along is held to the same schema. This module
knows what a valid recipe looks like, and no part's insides.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from math import isfinite, isnan

from verifier import jsonl
from verifier.limits import MAX_WEIGHT
from verifier.parts import PARTS
from verifier.v1 import verifier_pb2 as pb

REASONS = frozenset(pb.Part.Reason.keys()) - {"UNSPECIFIED"}
OTHERWISE = "otherwise"
"""In a part's `values`: every reason that is not named there."""

MAX_BYTES = 65_536
"""Of a recipe: a hundred times the longest built-in one; the last ones seen are kept in memory."""


class RecipeError(Exception):
    """A file that is no recipe: which, and why."""


def read(text: str, source: str) -> pb.Recipe:
    """A recipe from TOML. Raises RecipeError."""
    try:
        given = tomllib.loads(text, parse_float=_float)
    # The reader gives up by these too: at numbers that are too long, or brackets nested too deep.
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{source}: {error}") from error
    try:
        recipe = jsonl.parsed(given, pb.Recipe(), source)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    if not recipe.name.strip():
        raise RecipeError(f"{source}: name: required, got none")
    if found := problem(recipe, source):
        raise RecipeError(found)
    return recipe


def _float(text: str) -> float | str:
    """Numbers that are none as JSON writes them, so that `problem` can name their fields."""
    value = float(text)
    if isfinite(value):
        return value
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _built_in() -> dict[str, pb.Recipe]:
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml")]
    found = (read(file.read_text("utf-8"), file.name) for file in files)
    return {recipe.name: recipe for recipe in sorted(found, key=lambda recipe: recipe.name)}


def problem(recipe: pb.Recipe, path: str = "inline_recipe") -> str | None:
    """What is wrong with a recipe, naming the field; None when nothing is."""
    if (size := recipe.ByteSize()) > MAX_BYTES:
        return f"{path}: at most {MAX_BYTES} bytes, got {size}"
    if not recipe.parts:
        return f"{path}.parts: at least 1 part, got 0"
    seen = set()
    for place, part in enumerate(recipe.parts):
        field = f"{path}.parts[{place}]"
        if part.name in seen:
            return f"{field}.name: part {part.name!r} appears twice"
        seen.add(part.name)
        if found := _part(part, field):
            return found
    for name in ("clip_low", "clip_high", "gated"):
        if found := _number(getattr(recipe, name), f"{path}.{name}"):
            return found
    if recipe.gated and not any(part.gate for part in recipe.parts):
        return f"{path}.gated: for a recipe with a gate, got {recipe.gated:g} and no part with gate"
    if recipe.HasField("clip_low") and recipe.HasField("clip_high"):
        low, high = recipe.clip_low, recipe.clip_high
        if low > high:
            return f"{path}.clip_low: at most clip_high, {high:g}, got {low:g}"
    if recipe.escalate not in pb.Recipe.Escalation.values():
        known = ", ".join(sorted(pb.Recipe.Escalation.keys()))
        return f"{path}.escalate: one of {known}, got the number {recipe.escalate}"
    return None


def _part(part: pb.RecipePart, field: str) -> str | None:
    if part.name not in PARTS:
        return f"{field}.name: one of {', '.join(PARTS)}, got {part.name!r}"
    kind = PARTS[part.name]
    if part.HasField("weight") and (found := _number(part.weight, f"{field}.weight")):
        return found
    for key in part.options:
        if key not in kind.options:
            known = f"one of {', '.join(sorted(kind.options))}" if kind.options else "none"
            return f"{field}.options: {known} for part {part.name!r}, got {key!r}"
    if found := kind.problem(part.options):
        return f"{field}.{found}"
    for key, value in part.values.items():
        if key != OTHERWISE and key not in REASONS:
            return f"{field}.values: a reason of a part or {OTHERWISE!r}, got {key!r}"
        if found := _number(value, f"{field}.values[{key}]"):
            return found
    return None


def _number(value: float, field: str) -> str | None:
    if abs(value) <= MAX_WEIGHT:
        return None
    return f"{field}: from {-MAX_WEIGHT:g} to {MAX_WEIGHT:g}, got {value:g}"


def weight(part: pb.RecipePart) -> float:
    """The weight of a part; absent means 1."""
    return part.weight if part.HasField("weight") else 1.0


def valued(wanted: pb.RecipePart, score: float, reason: pb.Part.Reason.ValueType) -> float:
    """A part's score as the recipe counts it."""
    if not wanted.values:
        return score
    values: Mapping[str, float] = wanted.values
    return values.get(pb.Part.Reason.Name(reason), values.get(OTHERWISE, score))


def reward(recipe: pb.Recipe | None, parts: Sequence[pb.Part]) -> float:
    """Of parts that all have a score, in the recipe's order. Pure."""
    total = sum(part.weight * part.score for part in parts)
    if recipe is None:
        return total
    gates = zip(recipe.parts, parts, strict=True)
    if any(wanted.gate and part.score < 1.0 for wanted, part in gates):
        return recipe.gated
    if recipe.HasField("clip_low"):
        total = max(total, recipe.clip_low)
    if recipe.HasField("clip_high"):
        total = min(total, recipe.clip_high)
    return total


ASKED = {
    pb.Recipe.UNDECIDED: "; a judge's accuracy where the rules are undecided",
    pb.Recipe.NO_MATCH: "; a judge's accuracy where the rules are undecided or find no match",
}
"""Of a formula: what `escalate` adds."""


def formula(recipe: pb.Recipe) -> str:
    """The reward as a person writes it: "accuracy + 0.5 format[style r1_zero]"."""
    terms = [_term(part) for part in recipe.parts]
    text = terms[0] + "".join(
        f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:]
    )
    low = f"{recipe.clip_low:g}" if recipe.HasField("clip_low") else ""
    high = f"{recipe.clip_high:g}" if recipe.HasField("clip_high") else ""
    if low or high:
        text = f"clip({text}, {low or '-inf'}, {high or 'inf'})"
    if gates := [part.name for part in recipe.parts if part.gate]:
        text += f"; {recipe.gated:g} unless {' and '.join(gates)} = 1"
    return text + ASKED.get(recipe.escalate, "")


def _term(part: pb.RecipePart) -> str:
    factor = weight(part)
    sign = {1.0: "", -1.0: "-"}.get(factor, f"{factor:g} ")
    told = [f"{key} {value}" for key, value in sorted(part.options.items())]
    ordered = sorted(part.values.items(), key=lambda pair: (pair[0] == OTHERWISE, -pair[1]))
    told += [f"{key} = {value:g}" for key, value in ordered]
    return f"{sign}{part.name}{'[' + ', '.join(told) + ']' if told else ''}"


@lru_cache(maxsize=1024)
def _digest(canonical: bytes) -> str:
    return hashlib.sha256(canonical).hexdigest()[:16]


def digest(recipe: pb.Recipe) -> str:
    """First 16 hex digits of the SHA-256 of the recipe's deterministic serialisation."""
    return _digest(recipe.SerializeToString(deterministic=True))


BUILT_IN: dict[str, pb.Recipe] = _built_in()
"""By name."""
