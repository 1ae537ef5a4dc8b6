"""The file of callers: what it says, and that whatever is wrong in it is named and not shown."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from verifier.callers import Caller, Callers, Priority, Refused
from verifier.security import tokens
from verifier.security.names import NAME_CHARS
from verifier.security.quota import Quota
from verifier.security.tokens import TokensError

HASH = "ab" * 32


def parsed(text: str) -> tokens.Grant:
    return tokens.parse(f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\n{text}').grants[0]


def test_a_caller_is_read() -> None:
    grant = parsed('items_in_flight = 5\nitems_per_minute = 60\npriority = "high"')
    assert grant == tokens.Grant("a", (bytes.fromhex(HASH),), 5, 60, Priority.high)
    assert parsed("") == tokens.Grant("a", (bytes.fromhex(HASH),), None, None, Priority.normal)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "caller: 1 to 1000 tables [[caller]], got nothing"),
        ("caller = 1", "caller: 1 to 1000 tables [[caller]], got a int"),
        ("callers = 1", "callers: unknown key, known is caller"),
        ("[[caller]\n", "no TOML: "),
        ("[[caller]]", "caller[0].name: 1 to 128 printable ASCII characters, got nothing"),
        ('[[caller]]\nname = "a\\n"', "caller[0].name: 1 to 128 printable ASCII characters, got 'a\\n'"),
        ('[[caller]]\nname = "a"', "caller[0].sha256: 64 hexadecimal digits, got nothing"),
        ('[[caller]]\nname = "a"\nsha256 = "ts_secret"', "caller[0].sha256: 64 hexadecimal digits, got 9 characters"),
        ('[[caller]]\nname = "a"\nsha256 = []', "caller[0].sha256: one hash or a list of 1 to 4, got 0"),
        ('[[caller]]\nname = "a"\ntoken = "ts_secret"', "caller[0].token: unknown key, known are name, sha256, items_in_flight, items_per_minute, priority"),
        (f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\nitems_in_flight = 0', "caller[0].items_in_flight: a whole number from 1 to 1000000000000, got 0"),
        (f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\nitems_per_minute = 1.5', "caller[0].items_per_minute: a whole number from 1 to 1000000000000, got 1.5"),
        (f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\nitems_per_minute = true', "caller[0].items_per_minute: a whole number"),
        (f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\npriority = "top"', "caller[0].priority: one of low, normal, high, got 'top'"),
        (f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\n' * 2, "caller[1].name: another one's than caller[0]'s, got 'a'"),
        (f'[[caller]]\nname = "a"\nsha256 = "{HASH}"\n[[caller]]\nname = "b"\nsha256 = "{HASH}"', "caller[1].sha256: another one than caller[0]'s, got the same"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(TokensError) as caught:
        tokens.load(file)
    assert str(caught.value).startswith(f"--tokens: {file}: {said}")
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match=r"--tokens: .*No such file"):
        tokens.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(TokensError, match=r"--tokens: .*bytes.toml: not UTF-8 at byte 0"):
        tokens.load(tmp_path / "bytes.toml")


def test_the_command_prints_a_token_and_what_the_file_needs() -> None:
    command = [sys.executable, "-m", "verifier.cli", "token", 'a "b\\c']
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    (token,) = made.stdout.split()
    assert token not in made.stderr
    assert len(token) >= 43
    table = tomllib.loads(made.stderr)["caller"][0]
    assert table["name"] == 'a "b\\c'
    grant = tokens.parse(made.stderr).of(token)
    assert grant is not None
    assert grant.name == 'a "b\\c'
    assert len({tokens.fresh() for _ in range(100)}) == 100


def known(**more: object) -> tuple[Callers, str]:
    """Callers of whom one, "a", has the token."""
    token = tokens.fresh()
    digest = tokens.digest(token)
    return Callers(tokens.Tokens((tokens.Grant("a", (digest,), **more),))), token  # type: ignore[arg-type]


def test_a_token_says_who_asks_and_not_the_client() -> None:
    callers, token = known(items_in_flight=7)
    for scheme in ("Bearer", "bearer"):
        said = {"authorization": f"{scheme} {token}", "touchstone-client": "somebody"}
        assert callers.identify(said, "ipv4:1.2.3.4:5") == Caller("a", Priority.normal, 7)


@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        (None, "authorization: 'Bearer' and a token are wanted, got nothing"),
        ("TOKEN", "authorization: 'Bearer' and a token are wanted, got something else"),
        ("Basic TOKEN", "authorization: 'Bearer' and a token are wanted, got something else"),
        ("Bearer TOKEN.", "authorization: no such token here"),
        ("Bearer ", "authorization: no such token here"),
        ("Bearer " + "x" * 1_000_000, "authorization: no such token here"),
    ],
)
def test_without_a_good_token_nobody_is_let_in(authorization: str | None, said: str) -> None:
    callers, token = known()
    metadata = (
        {} if authorization is None else {"authorization": authorization.replace("TOKEN", token)}
    )
    with pytest.raises(Refused) as caught:
        callers.identify(metadata, "peer", certified="somebody")
    assert (caught.value.code, str(caught.value)) == ("UNAUTHENTICATED", said)


@pytest.mark.parametrize("cap", list(Priority))
@pytest.mark.parametrize("asked", list(Priority))
def test_a_priority_is_capped(cap: Priority, asked: Priority) -> None:
    callers, token = known(priority=cap)
    said = {"authorization": f"Bearer {token}", "touchstone-priority": asked.name}
    assert callers.identify(said, "peer").priority == min(cap, asked)
    assert Callers().identify(said, "peer").priority == asked


def test_what_a_client_calls_itself_is_bounded() -> None:
    callers = Callers()
    assert (
        callers.identify({"touchstone-client": "x" * NAME_CHARS}, "peer").name == "x" * NAME_CHARS
    )
    assert callers.identify({"touchstone-client": ""}, "peer").name == "peer"
    for bad in ("x" * (NAME_CHARS + 1), "a\nb", "a\x1b[2J", "h\xf6hle", "\x00"):
        with pytest.raises(Refused) as caught:
            callers.identify({"touchstone-client": bad}, "peer")
        assert caught.value.code == "INVALID_ARGUMENT"
        assert str(caught.value).startswith(
            "touchstone-client: 1 to 128 printable ASCII characters, got '"
        )
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 200
    with pytest.raises(Refused) as caught:
        callers.identify({"touchstone-priority": "urgent"}, "peer")
    assert (caught.value.code, str(caught.value)) == (
        "INVALID_ARGUMENT",
        "touchstone-priority: one of low, normal, high, got 'urgent'",
    )


def test_a_certificate_says_who_asks_where_there_are_no_tokens() -> None:
    callers = Callers()
    assert callers.identify({"touchstone-client": "x"}, "peer", "node-7") == Caller("node-7")
    for bad in ("", "a\nb"):
        with pytest.raises(Refused) as caught:
            callers.identify({"touchstone-client": "x"}, "peer", bad)
        assert caught.value.code == "PERMISSION_DENIED"


def test_names_of_clients_are_not_kept() -> None:
    callers, token = known(items_per_minute=10**9)
    said = {"authorization": f"Bearer {token}"}
    for number in range(1000):
        callers.charge(callers.identify({**said, "touchstone-client": f"c{number}"}, "peer"), 1)
        Callers.charge(callers, Caller(f"c{number}"), 1)
    assert list(callers._quotas) == ["a"]


def test_a_quota_holds_on_average_and_lets_every_batch_in_at_last() -> None:
    quota = Quota(60, now=0.0)
    assert quota.take(50, 0.0) == 0.0
    assert quota.take(20, 0.0) == pytest.approx(10.0)  # 10 are left, one comes each second
    assert quota.take(20, 9.9) > 0
    assert quota.take(20, 10.0) == 0.0
    assert quota.take(600, 10.0) == pytest.approx(60.0)  # ten minutes' worth: when it is full
    assert quota.take(600, 70.0) == 0.0
    assert quota.take(1, 70.0) == pytest.approx(541.0)  # and then it is paid off
    assert quota.take(1, 611.0) == 0.0
    assert quota.take(61, 10**6) == 0.0  # never more than a minute's is saved
    assert quota.take(60, 10**6) == pytest.approx(61.0)


def test_a_used_up_quota_is_refused_with_the_time_to_come_again() -> None:
    callers, token = known(items_per_minute=60)
    caller = callers.identify({"authorization": f"Bearer {token}"}, "peer")
    callers.charge(caller, 60)
    with pytest.raises(Refused) as caught:
        callers.charge(caller, 30)
    assert caught.value.code == "RESOURCE_EXHAUSTED"
    assert str(caught.value) == "items_per_minute of 'a': at most 60, 30 more came"
    assert 29 < caught.value.retry_seconds <= 30


def test_new_tokens_take_effect_and_a_used_up_quota_stays_so() -> None:
    callers, token = known(items_per_minute=60)
    said = {"authorization": f"Bearer {token}"}
    caller = callers.identify(said, "peer")
    callers.charge(caller, 60)
    both = (tokens.digest(token), tokens.digest("new"))
    callers.replace(tokens.Tokens((tokens.Grant("a", both, items_per_minute=60),)))
    assert callers.identify({"authorization": "Bearer new"}, "peer") == caller
    with pytest.raises(Refused):
        callers.charge(caller, 30)
    callers.replace(tokens.Tokens((tokens.Grant("a", both[1:], items_per_minute=600),)))
    callers.charge(caller, 30)
    with pytest.raises(Refused):
        callers.identify(said, "peer")
