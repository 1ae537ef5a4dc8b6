"""Is a chain of thought fit to learn from? Pure functions, linear time.

The filter of DeepSeek-R1's rejection sampling (arXiv 2501.12948, section 2.3.3),
which drops thoughts in mixed languages, with long paragraphs or with code blocks.
The paper gives no figures; those here are options of the part.

A code block is what a fence opens (three backticks anywhere, three tildes at the
start of a line), closed or not; `inline code` is none. A paragraph ends at a line
break, since thoughts are shown as plain text.

Not covered: code that is only indented, and paragraphs wrapped by hand. Without a
language nothing is said about languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from verifier import language as languages
from verifier.format import chain_of_thought
from verifier.length import MOST, Result, number_problem, words

PARAGRAPH_WORDS = 300
"""The default of `paragraph`, words in one paragraph: a page of a book without a break."""

LEAST_SHARE = 0.9
"""The default of `share`, words in the language over all words: names and quoted words stay well
below a tenth, a thought that goes on in another language for a sentence or two does not."""

OPTIONS = frozenset({"paragraph", "share"})

_FENCE = re.compile(r"```|^[ \t]{0,8}~~~", re.MULTILINE)


def check(response: str, language: str | None, options: Mapping[str, str]) -> Result:
    """1 when the chain of thought is readable, else 0 with the first reason against it.

    The options are some in which `problem` finds nothing. Raises ValueError for a
    language that `verifier.language.share` does not know.
    """
    thought = chain_of_thought(response)
    return (
        _code(thought)
        or _paragraph(thought, int(options.get("paragraph", PARAGRAPH_WORDS)))
        or _mixed(thought, language, float(options.get("share", LEAST_SHARE)))
        or Result(1.0, "readable", "")
    )


def _code(thought: str) -> Result | None:
    fence = _FENCE.search(thought)
    if fence is None:
        return None
    where = f"a code block opens at character {fence.start()} of the thinking"
    return Result(0.0, "code_in_thinking", where)


def _paragraph(thought: str, most: int) -> Result | None:
    for number, line in enumerate(thought.splitlines(), 1):
        # A word has a character at least: most lines need no count.
        if len(line) > most and (count := len(words(line))) > most:
            return Result(0.0, "long_paragraph", f"{count} words in line {number}, at most {most}")
    return None


def _mixed(thought: str, language: str | None, least: float) -> Result | None:
    share = languages.share(thought, language).value if language else None
    if share is None or share >= least:
        return None
    found = f"{100 * share:.1f} % of the words in {language}, at least {100 * least:g} %"
    return Result(0.0, "mixed_languages", found)


def problem(options: Mapping[str, str]) -> str | None:
    """What is wrong with the part's options, naming the option; None when nothing is."""
    return number_problem(options, "paragraph", 1, MOST, whole=True) or number_problem(
        options, "share", 0, 1
    )
