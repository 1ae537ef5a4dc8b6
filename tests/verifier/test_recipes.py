from __future__ import annotations

import pytest

from verifier import recipes, validate
from verifier.engine import compose, score_parts
from verifier.outcome import TaskOutcome
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
            "parts[0].options: none for part 'accuracy', got 'style'",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="format", options={"styl": "r1"})]),
            "parts[0].options: one of style, tags, token for part 'format', got 'styl'",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="format", options={"style": "haiku"})]),
            "parts[0].options[style]: one of r1_zero, r1, special_token, boxed, tags, got 'haiku'",
        ),
        (pb.Recipe(parts=[pb.RecipePart(name="length")]), "parts[0].options[max]: required"),
        (
            pb.Recipe(parts=[pb.RecipePart(name="reward_model", options={"view": "half"})]),
            "parts[0].options[view]: one of summary, whole, got 'half'",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy", values={"right": 1})]),
            "parts[0].values: a reason of a part or 'otherwise', got 'right'",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy", values={"match": float("inf")})]),
            "parts[0].values[match]: from -1e+06 to 1e+06, got inf",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy")], clip_low=1, clip_high=0),
            "clip_low: at most clip_high, 0, got 1",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy")], gated=float("nan")),
            "gated: from -1e+06 to 1e+06, got nan",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy")], gated=-1),
            "gated: for a recipe with a gate, got -1 and no part with gate",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy", values={"UNSPECIFIED": 1})]),
            "parts[0].values: a reason of a part or 'otherwise', got 'UNSPECIFIED'",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy")], description="x" * 65_536),
            "at most 65536 bytes, got 65552",
        ),
        (
            pb.Recipe(parts=[pb.RecipePart(name="accuracy")], escalate=9),
            "escalate: one of NEVER, NO_MATCH, UNDECIDED, UNSPECIFIED, got the number 9",
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


def test_a_digest_is_the_same_in_every_process() -> None:
    part = pb.RecipePart(name="accuracy", values={"match": 1, "accepted": 1, "otherwise": -1})
    assert recipes.digest(pb.Recipe(name="a", version="1", parts=[part])) == "e2a6a6381c5ff17a"


def verdict(item: pb.Item, outcome: TaskOutcome) -> pb.Verdict:
    recipe = validate.chosen_recipe(item)
    return compose(item, recipe, outcome, score_parts(item, recipe, outcome))


def found(reason: pb.Part.Reason.ValueType, score: float) -> TaskOutcome:
    return TaskOutcome(pb.Verdict.OK, reason, score)


RIGHT, WRONG = found(pb.Part.match, 1.0), found(pb.Part.no_match, 0.0)
NONE = found(pb.Part.no_answer, 0.0)
ZERO = "<think>two and two</think> <answer>4</answer>"
R1 = "<think>two and two</think> It is 4."
HALF = "<think>two and two 是四</think> It is 4."
"""Two words of five letters' scripts: English ones 3, and 2 Chinese characters, which are 1.3 words,
so 2: three of five."""


@pytest.mark.parametrize(
    ("recipe", "response", "outcome", "reward"),
    [
        # R_acc + R_format, the same weight.
        ("r1_zero", ZERO, RIGHT, 2.0),
        ("r1_zero", ZERO, WRONG, 1.0),
        ("r1_zero", "4", RIGHT, 1.0),
        ("r1_zero", "4", NONE, 0.0),
        # Equation 8: R_reasoning + R_general + R_language; the language's share of equation 7.
        ("r1_reasoning", R1, RIGHT, 3.0),
        ("r1_reasoning", HALF, WRONG, 1.6),
        ("r1_reasoning", "It is 4.", RIGHT, 2.0),
        ("r1_all_scenarios", R1, found(pb.Part.judged, 0.75), 2.75),
        # Equation 10: R_reward_model + R_format.
        ("r1_general", R1, found(pb.Part.judged, 0.75), 1.75),
        ("r1_general", "No tags.", found(pb.Part.judged, 0.25), 0.25),
        ("points", ZERO, RIGHT, 1.5),
        ("points", ZERO, WRONG, -0.5),
        ("points", "4", WRONG, -1.0),
        ("points", "4", NONE, 0.0),
        ("points", ZERO, NONE, 0.5),
        ("dapo", "4", RIGHT, 1.0),
        ("dapo", "4", WRONG, -1.0),
        ("dapo", "4", NONE, -1.0),
        # 65,536 characters are within; half of the buffer of 16,384 costs half a point; beyond, 1.
        ("dapo", "x" * 65_536, RIGHT, 1.0),
        ("dapo", "x" * 73_728, RIGHT, 0.5),
        ("dapo", "x" * 81_921, WRONG, -2.0),
        ("judge_only", "4", found(pb.Part.judged, 0.5), 0.5),
    ],
)
def test_built_in_rewards(recipe: str, response: str, outcome: TaskOutcome, reward: float) -> None:
    item = pb.Item(response=response, recipe=recipe, language="en", math=pb.MathTask(gold=["4"]))
    told = verdict(item, outcome)
    assert told.status == pb.Verdict.OK
    assert told.reward == pytest.approx(reward)


@pytest.mark.parametrize(
    ("reason", "reward"),
    [("no_program", 0.0), ("compile_error", 0.1), ("wrong_answer", 0.2), ("accepted", 1.0)],
)
def test_code_ladder(reason: str, reward: float) -> None:
    item = pb.Item(recipe="code_ladder", code=pb.CodeTask(language="python"))
    outcome = found(pb.Part.Reason.Value(reason), float(reason == "accepted"))
    assert verdict(item, outcome).reward == pytest.approx(reward)


def test_a_closed_gate_makes_the_reward_what_the_recipe_says() -> None:
    recipe = pb.Recipe(
        parts=[pb.RecipePart(name="accuracy"), pb.RecipePart(name="format", gate=True)], gated=-1
    )
    for response, reward in ((ZERO, 2.0), ("4", -1.0)):
        item = pb.Item(response=response, inline_recipe=recipe, math=pb.MathTask(gold=["4"]))
        assert verdict(item, RIGHT).reward == reward


def test_clipping() -> None:
    parts = [pb.RecipePart(name="accuracy", weight=10, values={"no_match": -1})]
    recipe = pb.Recipe(parts=parts, clip_low=-3, clip_high=4)
    item = pb.Item(response="4", inline_recipe=recipe, math=pb.MathTask(gold=["4"]))
    assert [verdict(item, one).reward for one in (RIGHT, WRONG, NONE)] == [4.0, -3.0, 0.0]


def test_a_status_of_the_task_counts_only_where_a_part_rests_on_it() -> None:
    undecided = TaskOutcome(pb.Verdict.UNDECIDED, pb.Part.undecided)
    item = pb.Item(response=ZERO, recipe="r1_zero", math=pb.MathTask(gold=["4"]))
    told = verdict(item, undecided)
    assert told.status == pb.Verdict.UNDECIDED
    assert not told.HasField("reward")
    item.inline_recipe.parts.add(name="format")
    assert verdict(item, undecided).reward == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parts = 3", "mine.toml.parts: a list, got 3"),
        ("[[parts]]\nname = 'accuracy'", "mine.toml: name: required"),
        ("name = ' '\n[[parts]]\nname = 'accuracy'", "mine.toml: name: required"),
        ("name = " + "[" * 5_000, "mine.toml: "),
        (f"name = {'9' * 5_000}", "mine.toml: "),
        (
            "name = 'a'\n[[parts]]\nname = 'accuracy'\nweight = nan",
            "mine.toml.parts[0].weight: from -1e+06 to 1e+06, got nan",
        ),
        (
            "name = 'a'\nclip_low = -inf\n[[parts]]\nname = 'accuracy'",
            "mine.toml.clip_low: from -1e+06 to 1e+06, got -inf",
        ),
        (
            "name = 'a'\n[[parts]]\nname = 'length'\noptions = { max = 5 }",
            "mine.toml.parts[0].options[max]: a text in quotes, got 5",
        ),
        (f"name = 'a'\ngated = {'9' * 400}", "mine.toml: "),
        ("name = 'a'\n[[parts]]\nname = 'beauty'", "mine.toml.parts[0].name: one of accuracy"),
        (
            "name = 'a'\n[[parts]]\nname = 'accuracy'\nwieght = 2",
            "mine.toml.parts[0].wieght: no such field, RecipePart has name, weight, options, values",
        ),
        (
            "name = 'a'\nescalate = 'never'\n[[parts]]\nname = 'accuracy'",
            "mine.toml.escalate: one of NEVER, NO_MATCH, UNDECIDED, got 'never'",
        ),
        ("name = ", "mine.toml: "),
    ],
)
def test_files_that_are_no_recipes(text: str, message: str) -> None:
    with pytest.raises(recipes.RecipeError) as caught:
        recipes.read(text, "mine.toml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "formula"),
    [
        (recipes.BUILT_IN["r1_zero"], "accuracy + format[style r1_zero]"),
        (
            recipes.BUILT_IN["judge_only"],
            "accuracy; a judge's accuracy where the rules are undecided",
        ),
        (
            pb.Recipe(
                parts=[
                    pb.RecipePart(name="accuracy", weight=2, values={"match": 1, "otherwise": -1}),
                    pb.RecipePart(name="format", weight=-0.5, gate=True),
                ],
                clip_high=1,
            ),
            "clip(2 accuracy[match = 1, otherwise = -1] - 0.5 format, -inf, 1); "
            "0 unless format = 1",
        ),
    ],
)
def test_formulas(recipe: pb.Recipe, formula: str) -> None:
    assert recipes.formula(recipe) == formula
