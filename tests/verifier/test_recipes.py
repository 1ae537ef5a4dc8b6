from __future__ import annotations

import pytest

from verifier import recipes
from verifier.v1 import verifier_pb2 as pb


@pytest.mark.parametrize("recipe", recipes.BUILT_IN.values(), ids=lambda recipe: recipe.name)
def test_built_in_recipes_are_valid(recipe: pb.Recipe) -> None:
    assert recipes.problem(recipe) is None


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (pb.Recipe(), "parts: at least 1 part, got 0"),
        (pb.Recipe(parts=[pb.RecipePart(name="beauty")]), "parts[0].name: one of accuracy"),
        (
            pb.Recipe(parts=[pb.RecipePart(name="format"), pb.RecipePart(name="format")]),
            "parts[1].name: part 'format' appears twice",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy", weight=float("nan"))]),
            "parts[0].weight: from -1e+06 to 1e+06, got nan",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy", options={"style": "r1"})]),
            "unknown option 'style'",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="format", options={"style": "haiku"})]),
            "one of r1_zero, r1, got 'haiku'",
        ),
    ],
)
def test_bad_inline_recipes_are_named(recipe: pb.Recipe, message: str) -> None:
    found = recipes.problem(recipe)
    assert found is not None
    assert found.startswith("inline_recipe")
    assert message in found


def test_absent_weight_is_one_and_zero_stays_zero() -> None:
    assert recipes.weight(pb.RecipePart(name="format")) == 1.0
    assert recipes.weight(pb.RecipePart(name="format", weight=0.0)) == 0.0


def test_digest_follows_the_content() -> None:
    zero = recipes.BUILT_IN["r1_zero"]
    changed = pb.Recipe()
    changed.CopyFrom(zero)
    assert recipes.digest(changed) == recipes.digest(zero)
    changed.parts[1].weight = 0.5
    assert recipes.digest(changed) != recipes.digest(zero)
    assert len(recipes.digest(zero)) == 16
