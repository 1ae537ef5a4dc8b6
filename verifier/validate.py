"""What an item must be before any work is done on it. Pure.

Every message names the field, the limit and what was received.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from google.protobuf.message import Message

from verifier import language, recipes
from verifier.choice import verify as choice
from verifier.code import asserts, checkers, compare, grading, judges
from verifier.instructions import verify as instructions
from verifier.judge import verify as judge
from verifier.limits import BANNED, JUDGE_BYTES, MAX_WEIGHT, Limits
from verifier.math.policy import MAX_NUMBER_DIGITS, MAX_NUMBERS, MAX_ROUNDING
from verifier.parts import rating_part, rests_on_task, target_language
from verifier.v1 import verifier_pb2 as pb

JUDGED_TASKS = ("judge", "preference")
"""The tasks that only a server with a judge verifies."""

VERIFIED_TASKS = ("math", "code", "choice", "instructions", *JUDGED_TASKS)
"""The tasks that have a verifier, by their field's name."""


@dataclass(frozen=True)
class Offers:
    """What a server has beside rules and a sandbox."""

    judge: bool = False
    reward_models: tuple[str, ...] = ()
    """Their names."""


def problem(
    item: pb.Item, limits: Limits, toolchains: Collection[str], offers: Offers = Offers()
) -> str | None:
    """Why the item cannot be verified, or None when it can.

    `toolchains` are the languages of programs that the sandbox runs.
    """
    # Most items are smaller than any of their texts may be.
    if item.ByteSize() > min(limits.response_bytes, limits.prompt_bytes):
        found = _sizes(item, limits)
        if found:
            return found
    task = item.WhichOneof("task")
    found = _recipe(item, offers) or _task(task, item, offers)
    if found:
        return found
    assert task is not None
    given = getattr(item, task)
    return _enums(given, task) or _checked(given, limits, toolchains) or _speed(item)


def _checked(given: Message, limits: Limits, toolchains: Collection[str]) -> str | None:
    """What is wrong with a task."""
    match given:
        case pb.ChoiceTask():
            return _choice(given.SerializeToString())
        case pb.MathTask():
            return _math(given, limits)
        case pb.CodeTask():
            return _code(given, limits, toolchains)
        case pb.InstructionsTask():
            return instructions.problem(given)
        case pb.JudgeTask() | pb.PreferenceTask():
            return judge.problem(given)
    raise TypeError(f"no such task: {type(given).__name__}")


@lru_cache(maxsize=4096)
def _choice(task: bytes) -> str | None:
    """Kept: the responses to one question all bring it."""
    return choice.problem(pb.ChoiceTask.FromString(task))


def _sizes(item: pb.Item, limits: Limits) -> str | None:
    texts = [
        ("response", item.response, limits.response_bytes),
        ("prompt", item.prompt, limits.prompt_bytes),
    ]
    if item.HasField("preference"):
        rivals = [("rival", item.preference.rival)]
        rivals += [(f"rivals[{n}]", text) for n, text in enumerate(item.preference.rivals)]
        texts += [(f"preference.{name}", text, limits.response_bytes) for name, text in rivals]
    for field, text, most in texts:
        size = len(text.encode()) if len(text) * 4 > most else len(text)
        if size > most:
            return f"{field}: at most {most} bytes, got {size}"
    return None


def _recipe(item: pb.Item, offers: Offers) -> str | None:
    choice = item.WhichOneof("recipe_choice")
    if choice is None and not item.language:
        return None
    if choice == "recipe" and item.recipe not in recipes.BUILT_IN:
        return f"recipe: one of {', '.join(recipes.BUILT_IN)}, got {item.recipe!r}"
    if choice == "inline_recipe":
        found = recipes.problem(item.inline_recipe)
        if found:
            return found
    if item.language and language.primary(item.language) is None:
        return f"language: one of {', '.join(language.SCRIPTS)}, got {item.language!r}"
    recipe = chosen_recipe(item)
    names = [part.name for part in recipe.parts] if recipe else []
    field, name = ("recipe", f" {item.recipe!r}") if choice == "recipe" else ("inline_recipe", "")
    if "language" in names and target_language(item) is None:
        why = "got none, and the prompt does not tell it"
        return f"language: required by {field}{name}, {why}"
    lacks = "which this server has not (--judge with"
    if (rating := rating_part(recipe)) is not None:
        if not offers.reward_models:
            return f"{field}:{name} needs a reward model, {lacks} [reward_models.NAME])"
        if found := _rating(rating, offers.reward_models):
            return f"{field}:{name} part 'reward_model': {found}"
    if recipe and recipe.escalate > pb.Recipe.NEVER and not offers.judge:
        return f"{field}:{name} asks a judge, {lacks} [[endpoints]])"
    return None


def chosen_recipe(item: pb.Item) -> pb.Recipe | None:
    """The recipe an item asks for; None when it asks for none. The name must be known."""
    choice = item.WhichOneof("recipe_choice")
    if choice == "recipe":
        return recipes.BUILT_IN[item.recipe]
    return item.inline_recipe if choice == "inline_recipe" else None


def _rating(part: pb.RecipePart, known: tuple[str, ...]) -> str | None:
    if "model" not in part.options:
        if len(known) == 1:
            return None
        return f"options[model]: required where there are several, {', '.join(known)}, got none"
    if (given := part.options["model"]) in known:
        return None
    return f"options[model]: one of {', '.join(known)}, got {given[:40]!r}"


def _task(task: str | None, item: pb.Item, offers: Offers) -> str | None:
    if task is None:
        return f"task: exactly one of {', '.join(VERIFIED_TASKS)} is required, got none"
    if task not in VERIFIED_TASKS:
        return f"{task}: this server has verifiers for {', '.join(VERIFIED_TASKS)} only"
    if task in JUDGED_TASKS and not offers.judge and rests_on_task(chosen_recipe(item)):
        return f"{task}: this server has no judge (--judge with [[endpoints]])"
    return None


def _enums(message: Message, path: str) -> str | None:
    """An enum's number that this version does not know, in a task or below it."""
    if message.DESCRIPTOR in _PLAIN:
        return None
    for field, value in message.ListFields():
        name = f"{path}.{field.name}"
        if field.enum_type is not None and value not in field.enum_type.values_by_number:
            known = ", ".join(sorted(field.enum_type.values_by_name))
            return f"{name}: one of {known}, got the number {value}"
        if field.message_type is not None and isinstance(value, Message):
            found = _enums(value, name)
            if found:
                return found
    return None


_PLAIN = frozenset({pb.ChoiceTask.DESCRIPTOR})
"""Messages without an enum, however deep."""

_WHOLE = re.compile(rf"[0-9]{{1,{MAX_NUMBER_DIGITS}}}")


def _math(task: pb.MathTask, limits: Limits) -> str | None:
    if not 1 <= len(task.gold) <= limits.golds:
        return f"math.gold: 1 to {limits.golds} references, got {len(task.gold)}"
    if task.policy.rounding > MAX_ROUNDING:
        return f"math.policy.rounding: at most {MAX_ROUNDING}, got {task.policy.rounding}"
    if len(task.policy.numbers) > MAX_NUMBERS:
        return f"math.policy.numbers: at most {MAX_NUMBERS}, got {len(task.policy.numbers)}"
    for place, number in enumerate(task.policy.numbers):
        if not _WHOLE.fullmatch(number):
            limit = f"1 to {MAX_NUMBER_DIGITS} digits and nothing else"
            return f"math.policy.numbers[{place}]: {limit}, got {number[:40]!r}"
    for place, gold in enumerate(task.gold):
        if not gold.strip():
            return f"math.gold[{place}]: must not be empty"
        if len(gold) > limits.answer_chars:
            most = limits.answer_chars
            return f"math.gold[{place}]: at most {most} characters, got {len(gold)}"
    return None


def _code(task: pb.CodeTask, limits: Limits, toolchains: Collection[str]) -> str | None:
    if not toolchains:
        return "code: this server runs no programs (it was started without a sandbox)"
    if task.language not in toolchains:
        return f"code.language: one of {', '.join(sorted(toolchains))}, got {task.language[:40]!r}"
    if not 1 <= len(task.tests) <= limits.tests:
        return f"code.tests: 1 to {limits.tests} tests, got {len(task.tests)}"
    # All of the task is more than its tests, and counted at once.
    size = task.ByteSize()
    if size > limits.test_bytes:
        size = sum(test.ByteSize() for test in task.tests)
    if size > limits.test_bytes:
        return f"code.tests: at most {limits.test_bytes} bytes together, got {size}"
    if task.checker and task.checker not in checkers.CHECKERS:
        return f"code.checker: one of {', '.join(checkers.CHECKERS)}, got {task.checker[:40]!r}"
    for field in ("absolute", "relative"):
        value = getattr(task.tolerance, field)
        if not 0 <= value < math.inf:
            return f"code.tolerance.{field}: at least 0 and finite, got {value:g}"
    if task.HasField("program") and not task.program.strip():
        return "code.program: must not be empty when given"
    if task.HasField("reference_program") and not task.reference_program.strip():
        return "code.reference_program: must not be empty when given"
    if len(task.banned) > BANNED:
        return f"code.banned: at most {BANNED} names, got {len(task.banned)}"
    found = _judges(task, toolchains)
    if found:
        return found
    parts = task.entry_point.split(".")
    if task.entry_point and (
        len(parts) > 2 or not all(p.isidentifier() and not keyword.iskeyword(p) for p in parts)
    ):
        return f"code.entry_point: a name or Class.method, got {task.entry_point[:40]!r}"
    kinds = set()
    for place, test in enumerate(task.tests):
        found = _test(test, task.entry_point)
        if found:
            return f"code.tests[{place}]{found}"
        kind = grading.kind(test)
        kinds.add(kind)
        if kind != "stdio" and task.language != "python":
            return f"code.tests[{place}]: stdin and stdout for {task.language}, got {kind}"
    for name, given in (
        ("checker_program", task.HasField("checker_program")),
        ("interactor", task.HasField("interactor")),
    ):
        if given and kinds != {"stdio"}:
            got = ", ".join(sorted(kinds))
            return f"code.{name}: for tests with stdin and stdout alone, got {got}"
    return None


FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")


def _judges(task: pb.CodeTask, toolchains: Collection[str]) -> str | None:
    given: dict[str, pb.JudgeProgram] = {}
    if task.HasField("checker_program"):
        given["checker_program"] = task.checker_program
    if task.HasField("interactor"):
        given["interactor"] = task.interactor
    chosen = [*given, *(["checker"] if task.checker else [])]
    if len(chosen) > 1:
        return f"code: one of checker, checker_program and interactor, got {' and '.join(chosen)}"
    for name, program in given.items():
        if not program.source.strip():
            return f"code.{name}.source: must not be empty"
        for file in program.files:
            if not FILE_NAME.fullmatch(file):
                return (
                    f"code.{name}.files: names of at most 60 letters, digits, '_', '-' and '.', "
                    f"got {file[:40]!r}"
                )
        taken = judges.RUN_FILES.intersection(program.files)
        if taken:
            own = ", ".join(sorted(judges.RUN_FILES))
            return f"code.{name}.files: {own} are the files of its run, got {min(taken)!r}"
        language = judges.language_of(program)
        if language not in toolchains:
            known = ", ".join(sorted(toolchains))
            return f"code.{name}.language: one of {known}, got {language[:40]!r}"
        size = program.ByteSize()
        if size > JUDGE_BYTES:
            return f"code.{name}: at most {JUDGE_BYTES} bytes, got {size}"
    return None


def _speed(item: pb.Item) -> str | None:
    recipe = chosen_recipe(item)
    if recipe is None or all(part.name != "speed" for part in recipe.parts):
        return None
    if not item.HasField("code"):
        field, task = item.WhichOneof("recipe_choice"), item.WhichOneof("task")
        return f"{field}: its speed part is for code, got a {task} task"
    measurable = {grading.kind(test) for test in item.code.tests} & {"stdio", "call"}
    if not measurable or item.code.HasField("interactor"):
        return "code: the recipe's speed part needs tests with stdin or calls and no interactor"
    if not item.code.HasField("reference_program"):
        return "code.reference_program: required by the speed part of the recipe, got none"
    return None


def _test(test: pb.CodeTest, entry_point: str) -> str | None:
    """What is wrong with a test; begins with the field's path below the test."""
    stdio = test.HasField("stdin") or test.HasField("stdout")
    call = test.HasField("expected_json") or bool(test.args_json)
    source = test.HasField("source")
    if stdio + call + source != 1:
        kinds = "stdin and stdout, args_json and expected_json, or source"
        got = [
            name for name, given in (("stdio", stdio), ("call", call), ("source", source)) if given
        ]
        return f": exactly one of {kinds}, got {' and '.join(got) or 'none'}"
    if test.HasField("weight") and not 0 < test.weight <= MAX_WEIGHT:
        return f".weight: above 0 and at most {MAX_WEIGHT:g}, got {test.weight:g}"
    if stdio and not test.HasField("stdout"):
        return ".stdout: required beside stdin, got none"
    if source and not test.source.strip():
        return ".source: must not be empty"
    if source and (error := asserts.turn(test.source).error):
        return f".source: not Python ({error})"
    return _call(test, entry_point) if call else None


def _call(test: pb.CodeTest, entry_point: str) -> str | None:
    if not entry_point:
        return ": code.entry_point is required by tests with args_json, got none"
    if not test.HasField("expected_json"):
        return ".expected_json: required beside args_json, got none"
    texts = [(f"args_json[{n}]", text) for n, text in enumerate(test.args_json)]
    for field, text in [*texts, ("expected_json", test.expected_json)]:
        try:
            compare.parse(text)
        except ValueError as error:
            return f".{field}: not JSON ({error}), got {text[:40]!r}"
    return None
