"""Recipes: how the parts of a verdict become one reward.

reward = sum over parts of weight x score. A recipe is plain data
(`verifier.v1.Recipe`); this module knows the built-in ones and what a valid
one looks like.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from verifier.format import Style
from verifier.limits import MAX_WEIGHT
from verifier.v1 import verifier_pb2 as pb

PARTS: dict[str, frozenset[str]] = {
    "accuracy": frozenset(),
    "format": frozenset({"style"}),
    "language": frozenset(),
    "speed": frozenset(),
}
"""The parts that can be scored, each with the options it knows."""


def _recipe(name: str, description: str, *parts: pb.RecipePart) -> pb.Recipe:
    return pb.Recipe(name=name, version="1", description=description, parts=parts)


BUILT_IN: dict[str, pb.Recipe] = {
    recipe.name: recipe
    for recipe in (
        _recipe(
            "r1_zero",
            "Accuracy and format with the same weight (DeepSeek-R1-Zero, section 2.2.2).",
            pb.RecipePart(name="accuracy", weight=1.0),
            pb.RecipePart(name="format", weight=1.0, options={"style": Style.R1_ZERO.value}),
        ),
        _recipe(
            "r1_reasoning",
            "Accuracy, format and language consistency, summed (DeepSeek-R1, equations 7 to 9).",
            pb.RecipePart(name="accuracy", weight=1.0),
            pb.RecipePart(name="format", weight=1.0, options={"style": Style.R1.value}),
            pb.RecipePart(name="language", weight=1.0),
        ),
    )
}


def problem(recipe: pb.Recipe) -> str | None:
    """What is wrong with an inline recipe, naming the field; None when nothing is."""
    if not recipe.parts:
        return "inline_recipe.parts: at least 1 part, got 0"
    seen = set()
    for place, part in enumerate(recipe.parts):
        field = f"inline_recipe.parts[{place}]"
        if part.name not in PARTS:
            return f"{field}.name: one of {', '.join(PARTS)}, got {part.name!r}"
        if part.name in seen:
            return f"{field}.name: part {part.name!r} appears twice"
        seen.add(part.name)
        if part.HasField("weight") and not abs(part.weight) <= MAX_WEIGHT:
            return f"{field}.weight: from {-MAX_WEIGHT:g} to {MAX_WEIGHT:g}, got {part.weight:g}"
        for key in part.options:
            if key not in PARTS[part.name]:
                return f"{field}.options: unknown option {key!r} of part {part.name!r}"
        style = part.options.get("style", Style.R1_ZERO.value)
        if style not in {member.value for member in Style}:
            known = ", ".join(member.value for member in Style)
            return f"{field}.options[style]: one of {known}, got {style!r}"
    return None


def weight(part: pb.RecipePart) -> float:
    """The weight of a part; absent means 1."""
    return part.weight if part.HasField("weight") else 1.0


@lru_cache(maxsize=1024)
def _digest(canonical: bytes) -> str:
    return hashlib.sha256(canonical).hexdigest()[:16]


def digest(recipe: pb.Recipe) -> str:
    """First 16 hex digits of the SHA-256 of the recipe's deterministic serialisation."""
    return _digest(recipe.SerializeToString(deterministic=True))
