"""A response on its way to a judge: data, never instruction. Pure functions, linear time.

Every text that others wrote stands in a region of its own between two marker lines. What keeps it
there:

- All that this module writes into a region stands in ⟦ ⟧, and these two characters are themselves
  escaped in the text, so neither a marker nor a note about an escape can be forged.
- A marker carries a code made from the hash of all regions: nobody can write it into a text that
  is hashed, and equal questions still have equal prompts, so a cache finds them.
- Control and invisible characters are shown by their numbers; control tokens of chat templates,
  which many servers would read as such inside a message, are broken by a space.
- The quotation mark that opens a JSON object is shown as “: a judge that copies a verdict out of a
  region copies what is no JSON.
- A text beyond its cap loses its middle, and the region says how much.

Texts that hold nothing to judge never reach a judge: `nothing_in` and `is_master_key`. The keys
are those of arXiv 2507.08794 and others of their kind, compared with the whole answer; a longer
answer that begins with one is an answer.

Not covered: persuasion. A judge that believes what it reads between the markers can be talked into
a verdict; that it is never *told* one, in the words that carry authority, is all that is kept here.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import regex

from verifier.thinking import said_from

QUESTION_CHARS = 24_000
"""Of a question: some 6,000 tokens, more than any question of the usual sets."""
ANSWER_CHARS = 24_000
"""Of a final summary: ten times DeepSeek-R1's mean answer to a general question."""
WHOLE_CHARS = 96_000
"""Of a whole response, reasoning included: some 24,000 tokens, which leaves room in the 32,768 of
a usual judge."""
PAIR_CHARS = WHOLE_CHARS // 2
"""Of each of two whole responses in one prompt."""
REFERENCE_CHARS = 8_000
"""Of a reference or a rubric: cut ones would be other ones, so longer ones are refused, and three
times as many are shown, for what escapes add."""
ESCAPE_CHARS = 10
"""Of the longest escape of a character."""
KEY_CHARS = 400
"""Of an answer that can be a master key or evasive: the longest phrase of the lists has
under 50, and there may be several, each on a line."""
CODE_DIGITS = 32
"""Of a marker's code: 128 bits, beyond any search for a text that holds its own code."""


@dataclass(frozen=True)
class Regions:
    """Texts in their markers, ready to be put into a prompt; `code` is in every marker."""

    code: str
    shown: Mapping[str, str]


def regions(texts: Mapping[str, tuple[str, int]]) -> Regions:
    """Each text, named, in its markers; with a text goes the most characters shown of it."""
    safe = {name: shown(text, cap) for name, (text, cap) in texts.items()}
    digest = hashlib.sha256()
    for name, text in safe.items():
        # Lengths first: no other split of the same characters has the same code.
        digest.update(f"{len(name)} {len(text)} {name}{text}".encode())
    code = digest.hexdigest()[:CODE_DIGITS]
    return Regions(
        code,
        {
            name: f"⟦begin {name} {code}⟧\n{text}\n⟦end {name} {code}⟧"
            for name, text in safe.items()
        },
    )


# U+FE0F follows every other emoji and asks for colour, no more.
_UNSEEN = (
    r"[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}"
    r"\N{BRAILLE PATTERN BLANK}\U0001D159]--[\n\t\ufe0f]"
)
_INVISIBLE = regex.compile(rf"[{_UNSEEN}]", regex.V1)
_ESCAPED = regex.compile(rf"[[{_UNSEEN}]⟦⟧]", regex.V1)
_VISIBLE = regex.compile(rf"[^\s[{_UNSEEN}]]", regex.V1)
_CONTROL_TOKEN = regex.compile(
    r"<(?=[|｜]|/?(?:s|bos|eos|pad|unk|think|start_of_turn|end_of_turn|extra_id_\d+)>)|\[(?=/?(?:INST|SYS)\])"
    r"|<(?=</?SYS>>)",
    regex.IGNORECASE,
)
_OBJECT = regex.compile(r'\{[ \t\r\n]*+"')


def shown(text: str, cap: int) -> str:
    """The text as it stands in a region: harmless, and at most `cap` characters and a note."""
    text = text.replace("\r\n", "\n")
    left, half = len(text) - cap, cap // 2
    if left > 0:
        head, tail = _harmless(text[: cap - half]), _harmless(text[-half:])
    else:
        head = tail = _harmless(text)
        left = len(head) - cap
        if left <= 0:
            return head
    # Cut again, for a text of invisible characters has grown.
    return f"{head[: cap - half]}\n⟦some {left} characters left out⟧\n{tail[-half:]}"


def _harmless(text: str) -> str:
    text = _ESCAPED.sub(lambda found: f"⟦U+{ord(found.group()):04X}⟧", text)
    text = _CONTROL_TOKEN.sub(lambda found: found.group() + " ", text)
    return _OBJECT.sub(lambda found: found.group()[:-1] + "“", text)


def summary(response: str) -> str:
    """What a response says in the end, without `<answer>` tags around all of it.

    Empty where reasoning was begun and never ended.
    """
    begin = said_from(response)
    text = "" if begin is None else response[begin:].strip()
    if text.startswith("<answer>") and text.endswith("</answer>"):
        text = text[len("<answer>") : -len("</answer>")].strip()
    return text


def plain(text: str) -> str:
    """The words of a text and nothing else: how answers are compared with the lists below."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return " ".join(_WORDS.findall(text.replace("’", "'")))


_WORDS = regex.compile(r"[\p{L}\p{N}\p{M}']++")
_CONTENT = regex.compile(r"[\p{L}\p{N}]|[\p{S}--\p{ASCII}]", regex.V1)


def nothing_in(answer: str) -> bool:
    """Whether there is no text at all: nothing but white space and invisible characters."""
    return not _VISIBLE.search(answer)


def is_master_key(answer: str) -> bool:
    """Whether the whole answer is a phrase, or several lines of phrases, that fool judges.

    Marks without a letter, a number or a symbol beyond ASCII are of this kind.
    """
    if nothing_in(answer):
        return False
    return not _CONTENT.search(answer) or _all_lines_in(answer, MASTER_KEYS)


def is_evasive(answer: str) -> bool:
    """Whether the whole answer says that there is none."""
    return _all_lines_in(answer, EVASIONS)


def _all_lines_in(answer: str, phrases: frozenset[str]) -> bool:
    if len(answer) > KEY_CHARS:
        return False
    lines = [words for line in answer.splitlines() if (words := plain(line))]
    return bool(lines) and all(line in phrases for line in lines)


def _phrases(name: str) -> frozenset[str]:
    text = resources.files("verifier.judge").joinpath("texts", f"{name}.txt").read_text("utf-8")
    return frozenset(plain(line) for line in text.splitlines())


MASTER_KEYS = _phrases("master_keys")
"""Openers that announce an answer and give none, each on a line, without regard to case or
punctuation."""

EVASIONS = _phrases("evasions")
"""Answers that give none, each on a line. Not `none`, `unknown` or `no solution`: these are right
answers to some questions."""
