"""What the sandbox needs to know about a language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """`argv` starts the language's driver in the jail, where it speaks the protocol of
    driver.py; `shown` are the host's paths it needs to see, read-only; `hello` are the first
    bytes that the driver is sent."""

    name: str
    toolchain: str
    argv: tuple[str, ...]
    shown: tuple[str, ...]
    hello: bytes
