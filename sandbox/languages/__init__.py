"""The languages that the sandbox runs, one file each."""

from __future__ import annotations

from sandbox.languages import python
from sandbox.languages.base import Language

LANGUAGES: dict[str, Language] = {python.LANGUAGE.name: python.LANGUAGE}
