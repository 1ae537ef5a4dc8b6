"""The best rule-based peer, as its own documentation calls it: Math-Verify (Apache-2.0).

Its timeouts work in the main thread only, so this is called from there.
"""

from __future__ import annotations

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

_CONFIG = (
    LatexExtractionConfig(boxed_match_priority=0, try_extract_without_anchor=True),
    ExprExtractionConfig(),
)
"""Boxed answers first: its most accurate setting on marked answers."""


def math_verify(gold: str, response: str) -> bool:
    """Its verdict; the reference is put between dollar signs, as its README asks."""
    return bool(
        verify(
            parse(f"${gold}$", extraction_config=_CONFIG),
            parse(response, extraction_config=_CONFIG),
        )
    )
