"""Who may ask: a TOML file of callers, each with the hash of its token, never the token.

    [[caller]]
    name = "trainer"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    items_in_flight = 20000
    items_per_minute = 600000
    priority = "high"

A key that is not known is an error, and so is a value of another type; the message names the key
and what may stand there. It never shows what stands beside `sha256`, or beside a key that is not
known: it may be a token.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verifier.callers import Caller, Priority
from verifier.security.names import WANTED, is_name
from verifier.settings import ListenError

PREFIX = "ts_"
"""By which scanners for leaked secrets, and people, know a token."""

TOKEN_BYTES = 32
"""Random bytes of a token: nobody guesses them, so a plain hash is enough to keep."""

TOKEN_CHARS = 256
"""A longer one is none of ours, and is not hashed."""

CALLERS = 1_000
"""Of one file. A call's token is compared with all of them, which takes 0.2 ms at most."""

HASHES = 4
"""Of one caller: the old token and the new one while they are exchanged, on some machines."""

ITEMS = 10**12
"""The largest limit that can be written: more items than a year has."""

KEYS = ("name", "sha256", "items_in_flight", "items_per_minute", "priority")


class TokensError(ListenError):
    """A file of callers that cannot be used; the message names the field."""


@dataclass(frozen=True)
class Grant:
    """What one caller may do."""

    name: str
    digests: tuple[bytes, ...]
    """SHA-256 of its tokens, any of which is good."""

    items_in_flight: int | None = None
    """Its own bound below the server's; None: the server's alone."""

    items_per_minute: int | None = None
    """Items, on average; None: as many as it likes."""

    priority: Priority = Priority.normal
    """The highest it may ask for."""

    def caller(self, asked: Priority) -> Caller:
        """With the priority that it asks for, or the highest that it may have."""
        return Caller(self.name, min(asked, self.priority), self.items_in_flight)


@dataclass(frozen=True)
class Tokens:
    """Everybody who may ask."""

    grants: tuple[Grant, ...]

    def of(self, token: str) -> Grant | None:
        """Whose token this is. Takes the same time for every token of the same length."""
        if len(token) > TOKEN_CHARS:
            return None
        given = digest(token)
        found = None
        for grant in self.grants:
            for known in grant.digests:
                if hmac.compare_digest(known, given):
                    found = grant
        return found


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def fresh() -> str:
    """A new token."""
    return PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def lines(name: str, token: str) -> str:
    """What a file of callers needs for this token."""
    return f'[[caller]]\nname = "{_escaped(name)}"\nsha256 = "{digest(token).hex()}"\n'


def load(path: Path) -> Tokens:
    """Callers from the file of `--tokens`. Raises TokensError, which names the file."""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise TokensError(f"--tokens: {error}") from error
    except UnicodeDecodeError as error:
        raise TokensError(f"--tokens: {path}: not UTF-8 at byte {error.start}") from error
    except TokensError as error:
        raise TokensError(f"--tokens: {path}: {error}") from error


def parse(text: str) -> Tokens:
    """Callers from the text of a TOML file. Raises TokensError."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TokensError(f"no TOML: {error}") from error
    for key in given:
        if key != "caller":
            raise TokensError(f"{key}: unknown key, known is caller")
    tables = given.get("caller")
    if not isinstance(tables, list) or not 1 <= len(tables) <= CALLERS:
        got = f"{len(tables)} of them" if isinstance(tables, list) else _kind(tables)
        raise TokensError(f"caller: 1 to {CALLERS} tables [[caller]], got {got}")
    names: dict[str, str] = {}
    hashes: dict[bytes, str] = {}
    grants = []
    for place, table in enumerate(tables):
        where = f"caller[{place}]"
        grant = _grant(where, table)
        first = names.setdefault(grant.name, where)
        if first != where:
            raise TokensError(f"{where}.name: another one's than {first}'s, got {grant.name!r}")
        for known in grant.digests:
            first = hashes.setdefault(known, where)
            if first != where:
                raise TokensError(f"{where}.sha256: another one than {first}'s, got the same")
        grants.append(grant)
    return Tokens(tuple(grants))


def _grant(where: str, table: object) -> Grant:
    if not isinstance(table, Mapping):
        raise TokensError(f"{where}: a table, got {_kind(table)}")
    for key in table:
        if key not in KEYS:
            raise TokensError(f"{where}.{key}: unknown key, known are {', '.join(KEYS)}")
    name = table.get("name")
    if not isinstance(name, str) or not is_name(name):
        got = repr(name[:200]) if isinstance(name, str) else _kind(name)
        raise TokensError(f"{where}.name: {WANTED}, got {got}")
    priority = table.get("priority", Priority.normal.name)
    if not isinstance(priority, str) or priority not in Priority.__members__:
        got = repr(priority[:200]) if isinstance(priority, str) else _kind(priority)
        raise TokensError(f"{where}.priority: one of {', '.join(Priority.__members__)}, got {got}")
    return Grant(
        name,
        _digests(f"{where}.sha256", table.get("sha256")),
        _items(f"{where}.items_in_flight", table.get("items_in_flight")),
        _items(f"{where}.items_per_minute", table.get("items_per_minute")),
        Priority[priority],
    )


def _digests(where: str, value: object) -> tuple[bytes, ...]:
    texts = value if isinstance(value, list) else [value]
    if not 1 <= len(texts) <= HASHES:
        raise TokensError(f"{where}: one hash or a list of 1 to {HASHES}, got {len(texts)}")
    found = []
    for text in texts:
        if not isinstance(text, str) or not re.fullmatch("[0-9a-fA-F]{64}", text):
            got = f"{len(text)} characters" if isinstance(text, str) else _kind(text)
            raise TokensError(f"{where}: 64 hexadecimal digits, got {got}")
        found.append(bytes.fromhex(text))
    return tuple(found)


def _items(where: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= ITEMS:
        got = str(value) if isinstance(value, int | float) else _kind(value)
        raise TokensError(f"{where}: a whole number from 1 to {ITEMS}, got {got[:200]}")
    return value


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
