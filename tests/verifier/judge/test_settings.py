from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.judge.settings import (
    BreakerSettings,
    CacheSettings,
    EndpointSettings,
    JudgeSettings,
    RewardModelSettings,
    SettingsError,
    load,
    parse,
)

ONE = '[[endpoints]]\nurl = "http://localhost:8000/v1"\nmodel = "m"\n'


def test_the_least_that_can_be_said() -> None:
    endpoint = EndpointSettings("http://localhost:8000/v1", "m")
    assert parse(ONE) == JudgeSettings(endpoints=(endpoint,))


def test_everything(tmp_path: Path) -> None:
    path = tmp_path / "judge.toml"
    path.write_text(
        """
concurrency = 64
requests_per_minute = 600
timeout_seconds = 30
attempts = 3
temperature = 0.7
structured = "guided_choice"
budget_usd_per_day = 20
budget_tokens_per_day = 1_000_000
budget_usd_per_call = 0.1
budget_tokens_per_call = 100_000
canary_share = 0.01
verdict = "digit"

[[endpoints]]
url = "https://api.example.org/v1/"
model = "deepseek-v3"
api_key_env = "EXAMPLE_KEY"
usd_per_million_prompt = 0.27
usd_per_million_completion = 1.1

[[endpoints]]
url = "http://10.0.0.2:30000/v1"
model = "local"

[breaker]
failures = 3
cooldown_seconds = 10

[cache]
path = "judge.sqlite"
bytes = 1_048_576
"""
    )
    settings = load(path)
    assert settings == JudgeSettings(
        endpoints=(
            EndpointSettings("https://api.example.org/v1", "deepseek-v3", "EXAMPLE_KEY", 0.27, 1.1),
            EndpointSettings("http://10.0.0.2:30000/v1", "local"),
        ),
        concurrency=64,
        requests_per_minute=600.0,
        timeout_seconds=30.0,
        attempts=3,
        temperature=0.7,
        structured="guided_choice",
        budget_usd_per_day=20.0,
        budget_tokens_per_day=1_000_000,
        budget_usd_per_call=0.1,
        budget_tokens_per_call=100_000,
        canary_share=0.01,
        verdict="digit",
        breaker=BreakerSettings(3, 10.0),
        cache=CacheSettings("judge.sqlite", 1_048_576),
    )
    defaults = parse(ONE)
    same = [
        f.name for f in fields(settings) if getattr(settings, f.name) == getattr(defaults, f.name)
    ]
    assert same == ["reward_models"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^endpoints: 1 to 16 tables \[\[endpoints\]\], got nothing$"),
        ("endpoints = []", r"^endpoints: 1 to 16 tables .*, got '0 of them'$"),
        ("endpoints = 3", r"^endpoints: 1 to 16 tables .*, got 3$"),
        (ONE * 17, r"got '17 of them'$"),
        ("endpoints = [1]", r"^endpoints\[0\]: a table, got 1$"),
        (
            '[[endpoints]]\nurl = "http://a/v1"',
            r"^endpoints\[0\]\.model: .*not empty, got nothing$",
        ),
        ('[[endpoints]]\nmodel = " "\nurl = "http://a"', r"^endpoints\[0\]\.model: .*got ' '$"),
        (ONE + "prize = 3", r"^endpoints\[0\]\.prize: unknown key, known are url, model, "),
        (
            "concurency = 3\n" + ONE,
            r"^concurency: unknown key, known are endpoints, .*concurrency, ",
        ),
        ("[breaker]\nopen = 3\n" + ONE, r"^breaker\.open: unknown key, known are failures, "),
        ("breaker = 3\n" + ONE, r"^breaker: a table, got 3$"),
        ("concurrency = 0\n" + ONE, r"^concurrency: a whole number from 1 to 4096, got 0$"),
        ("concurrency = 3.0\n" + ONE, r"^concurrency: a whole number .*, got 3\.0$"),
        ("concurrency = true\n" + ONE, r"^concurrency: a whole number .*, got True$"),
        ('attempts = "3"\n' + ONE, r"^attempts: a whole number from 1 to 100, got '3'$"),
        (
            "timeout_seconds = 0\n" + ONE,
            r"^timeout_seconds: a number above 0 and at most 86400, got 0$",
        ),
        ("timeout_seconds = nan\n" + ONE, r"^timeout_seconds: .*, got nan$"),
        ("temperature = true\n" + ONE, r"^temperature: a number from 0 to 2, got True$"),
        ("temperature = 2.1\n" + ONE, r"^temperature: a number from 0 to 2, got 2\.1$"),
        ("canary_share = -0.1\n" + ONE, r"^canary_share: a number from 0 to 1, got -0\.1$"),
        (
            'structured = "json"\n' + ONE,
            r"^structured: one of json_schema, guided_choice, none, got 'json'$",
        ),
        ("structured = [1]\n" + ONE, r"^structured: one of .*, got \[1\]$"),
        (
            "budget_usd_per_day = 1\n" + ONE,
            r"^cache\.path: a file, since budget_usd_per_day must outlive",
        ),
        ("budget_tokens_per_day = 0\n" + ONE, r"^cache\.path: a file, since budget_tokens_per_day"),
        ("[cache]\nbytes = 1\n" + ONE, r"^cache\.bytes: a whole number from 1048576 to .*, got 1$"),
        ("a = = 1", r"^no TOML: "),
        ("reward_models = 3", r"^reward_models: 1 to 16 tables \[reward_models\.NAME\], got 3$"),
        ("[reward_models]", r"^reward_models: 1 to 16 tables .*, got '0 of them'$"),
        (
            '[reward_models]\nmodel = "rm"',
            r"^reward_models\.model: a table \[reward_models\.NAME\], got 'rm'$",
        ),
        ("[reward_models.helpful]", r"^reward_models\.helpful\.model: .*, got nothing$"),
        ('[reward_models."a, b"]', r"^reward_models: names of .*, got 'a, b'$"),
        ('[reward_model]\nmodel = "rm"', r"^reward_model: unknown key, known are endpoints, rew"),
    ],
)
def test_what_cannot_stand_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse(text)


def test_reward_models_have_names() -> None:
    text = (
        '[reward_models.helpful]\nmodel = "h"\n[reward_models.safe]\nmodel = "s"\ndevice = "cuda"'
    )
    assert parse(text).reward_models == (
        ("helpful", RewardModelSettings("h")),
        ("safe", RewardModelSettings("s", device="cuda")),
    )


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://a/v1", "http://", "http://user:key@a/v1", "http://a/v1?key=1",
     "http://a/v1#x", "http://a:99999/v1", "http://[::1/v1", "http://a:x/v1"],
)  # fmt: skip
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^endpoints\[0\]\.url: a base URL such as"):
        parse(f'[[endpoints]]\nurl = "{url}"\nmodel = "m"')


def test_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "judge.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=str(path)):
        load(path)
    path.write_text("")
    with pytest.raises(SettingsError, match=rf"{path}: endpoints: "):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.toml")


@given(st.text())
def test_any_text_is_settings_or_an_error(text: str) -> None:
    with pytest.raises(SettingsError):
        parse(text)
