"""The prompt files: whole, hashed, filled in one pass."""

from __future__ import annotations

from importlib import resources

import pytest

from verifier.judge import modes, prompts

MODES = (
    modes.REFERENCE,
    modes.RUBRIC,
    modes.SCALE,
    modes.HELPFUL,
    modes.HARMLESS,
    modes.COMPARE_HELPFUL,
    modes.COMPARE_HARMLESS,
)
COMMON = {"rules", "repair", "master_keys", "evasions"}
FILES = {
    file.name.removesuffix(".txt")
    for file in resources.files("verifier.judge").joinpath("texts").iterdir()
}


def test_every_file_is_a_modes_or_common() -> None:
    assert {mode.prompt for mode in MODES} | COMMON == FILES


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.prompt)
def test_a_prompt_names_every_label_and_its_key_and_no_other_example(mode: modes.Mode) -> None:
    sections = prompts.load(mode.prompt).sections
    for label in mode.labels:
        assert f'"{label}"' in sections["user"] + sections["json"]
    assert f'"{mode.key}"' in sections["json"]
    # A judge that copies the form has given no verdict.
    form = next(line for line in sections["json"].splitlines() if line.startswith("{"))
    assert not any(f'"{label}"' in form for label in mode.labels)
    if mode is not modes.RUBRIC:
        digits = sections["digit"]
        places = [digits.index(f"{place} ") for place in range(1, len(mode.labels) + 1)]
        assert places == sorted(places)
        for place, label in enumerate(mode.labels, 1):
            told = digits[places[place - 1] :].split(",")[0].rstrip(".")
            assert told.split()[-1] == label


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.prompt)
def test_the_rules_stand_in_every_prompt(mode: modes.Mode) -> None:
    assert prompts.load(mode.prompt).sections["system"].count("{{rules}}") == 1


def test_versions_are_the_file_and_a_hash_of_its_own() -> None:
    versions = {prompts.load(mode.prompt).version for mode in MODES}
    assert len({version.split()[1] for version in versions}) == len(MODES)
    for version in versions:
        name, digest = version.split()
        assert name.removesuffix(".txt") in FILES
        assert len(digest) == 16
        assert int(digest, 16) >= 0


def test_a_version_changes_with_any_text_that_a_judge_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prompts.load("reference").version
    real = prompts._text
    for changed in ("reference", "rules", "repair"):
        prompts.load.cache_clear()
        monkeypatch.setattr(
            prompts, "_text", lambda name, c=changed: real(name) + " " * (name == c)
        )
        assert prompts.load("reference").version != before
    prompts.load.cache_clear()
    monkeypatch.setattr(prompts, "_text", lambda name: real(name) + " " * (name == "helpful"))
    assert prompts.load("reference").version == before
    prompts.load.cache_clear()


def test_what_a_text_says_in_double_braces_is_no_place() -> None:
    prompt = prompts.load("reference")
    values = {
        "question": "{{answer}} {{rules}} {{code}}",
        "reference": "r",
        "answer": "a",
        "code": "c",
    }
    _, user = prompts.messages(prompt, "json", values)
    assert "{{answer}} {{rules}} {{code}}" in user.content


def test_every_place_is_filled() -> None:
    for mode in MODES:
        for reply in ("json", "digit"):
            if reply == "digit" and mode is modes.RUBRIC:
                continue
            names = (
                "question",
                "reference",
                "rubric",
                "criteria",
                "answer",
                "a",
                "b",
                "code",
                "count",
            )
            messages = prompts.messages(prompts.load(mode.prompt), reply, dict.fromkeys(names, "@"))
            assert [message.role for message in messages] == ["system", "user"]
            assert not any("{{" in message.content for message in messages)


def test_a_repair_is_the_same_prompt_and_what_was_wrong() -> None:
    prompt = prompts.load("harmless")
    values = {"question": "q", "answer": "a", "code": "c"}
    system, user = prompts.messages(prompt, "json", values)
    again_system, again_user = prompts.messages(prompt, "json", values, "a key appears twice")
    assert again_system == system
    assert again_user.content.startswith(user.content)
    assert "a key appears twice" in again_user.content[len(user.content) :]
