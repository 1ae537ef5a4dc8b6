"""One self-contained HTML page of verdicts: `render` is pure.

Verdicts are hostile: programs, outputs and prompts come from models. Hence
- data stands in blocks of JSON that no parser takes for markup, and the page's
  script makes text nodes of it, never markup;
- the page's policy admits our style and our script by their hashes, nothing
  else, and no network;
- texts are cut at `TEXT_CHARS`, with a note.

The list's rows are one block, read at start; details stand in blocks of
`CHUNK` and are read when one is shown, so that a large page opens fast. What
samples of one problem share (prompt, tests) is stored once.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib import resources
from string import Template
from typing import Any

from google.protobuf import json_format

from verifier.v1 import verifier_pb2 as pb
from verifier.view.highlight import Highlighter, utf16

CHUNK = 50
"""Details in one block: reading one takes milliseconds."""
TEXT_CHARS = 100_000
"""Characters kept of one text."""
SHORT_CHARS = 300
"""Characters kept of a text in the list; the details have more."""
SHARED_CHARS = 64_000_000
"""Of all prompts and whole inputs together; beyond, those of the verdicts must do."""

# What ends or nests a script element, what ends a line in some readers, and
# what UTF-8 cannot hold: written as JSON escapes. A NUL is one already.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def render(
    verdicts: Sequence[pb.Verdict],
    items: Sequence[pb.Item | None] | None = None,
    title: str = "verdicts",
) -> str:
    """The page, of HTML in UTF-8.

    `items` are by place, None where there is none for a verdict.
    """
    joined = list(items) if items is not None else [None] * len(verdicts)
    if len(joined) != len(verdicts):
        raise ValueError(f"items: one for each of {len(verdicts)} verdicts, got {len(joined)}")
    highlighter, shared = Highlighter(), _Shared()
    rows, details = [], []
    for verdict, item in zip(verdicts, joined, strict=True):
        value = json_format.MessageToDict(verdict, preserving_proto_field_name=True)
        rows.append(_row(value, item))
        details.append(_detail(value, item, highlighter, shared))
    chunks = [details[start : start + CHUNK] for start in range(0, len(details), CHUNK)]
    blocks = [block("rows", rows)]
    blocks += [block(f"details-{n}", chunk) for n, chunk in enumerate(chunks)]
    blocks += [block(f"shared-{n}", text) for n, text in enumerate(shared.values)]
    package = resources.files(__name__)
    style, script, page = (
        package.joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js", "html")
    )
    return Template(page).substitute(
        title=html.escape(title),
        policy=policy(style, script),
        style=style,
        script=script,
        chunk=CHUNK,
        blocks="\n".join(blocks),
    )


def policy(style: str, script: str) -> str:
    """The content security policy: these two texts, inline, and nothing else."""
    digests = [hashlib.sha256(text.encode()).digest() for text in (style, script)]
    styles, scripts = (f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    return (
        f"default-src 'none'; style-src {styles}; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'"
    )


def block(name: str, value: object) -> str:
    """A script element that holds JSON, whatever the texts in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    safe = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return f'<script type="application/json" id="{name}">{safe}</script>'


class _Shared:
    """Values that several verdicts name, each once, while there is room."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}
        self._left = SHARED_CHARS

    def place(self, value: Any) -> int | None:
        """Where the value stands; None where there is no room for it."""
        key = json.dumps(value, ensure_ascii=False)
        if key not in self._places:
            if len(key) > self._left:
                return None
            self._left -= len(key)
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]


def _row(value: dict[str, Any], item: pb.Item | None) -> dict[str, Any]:
    """What the list and the filters need of a verdict in its JSON mapping."""
    evidence = value.get("evidence", {})
    code, provenance = evidence.get("code", {}), value.get("provenance", {})
    language = item.code.language if item is not None and item.HasField("code") else ""
    return {
        "id": _short(value.get("id", "")),
        "status": _short(value.get("status", "UNSPECIFIED")),
        "reward": value.get("reward"),
        "parts": [
            [_short(part.get("name", "")), part.get("score"), _short(part.get("reason", "?"))]
            for part in value.get("parts", [])
        ],
        "verifier": _short(provenance.get("verifier", "")),
        "recipe": _short(provenance.get("recipe", "")),
        "toolchain": _short(" · ".join(filter(None, [language, code.get("toolchain", "")]))),
        "flags": sorted({_short(flag.get("kind", "?")) for flag in code.get("flags", [])}),
        "tier": _short(evidence.get("math", {}).get("tier", "")),
        "ms": value.get("timing", {}).get("ran_ms", 0),
    }


def _short(value: object) -> str:
    """For the list; a number stands for an enum's value that this version does not know."""
    return str(value)[:SHORT_CHARS]


def _detail(
    value: dict[str, Any], item: pb.Item | None, highlighter: Highlighter, shared: _Shared
) -> dict[str, Any]:
    detail: dict[str, Any] = {"verdict": _cut(value)}
    code = value.get("evidence", {}).get("code")
    program, language = value.get("extracted"), ""
    if item is not None:
        detail["item"] = _item(item, value, shared)
        if item.HasField("code"):
            language = item.code.language
            program = item.code.program if item.code.HasField("program") else program
    if program is not None and (code is not None or language):
        runs = highlighter.runs(program, language, (code or {}).get("toolchain", ""))
        detail["program"] = {"text": _cut(program), "runs": runs, "language": language}
        detail["verdict"].pop("extracted", None)
    return detail


def _item(item: pb.Item, value: dict[str, Any], shared: _Shared) -> dict[str, Any]:
    """What an item adds to its verdict; `answer` is the answer's place in UTF-16 units."""
    shown: dict[str, Any] = {
        "response": _cut(item.response),
        "gold": _cut(list(item.math.gold)),
        "prompt": shared.place(_cut(item.prompt)),
        "tests": shared.place([_test(test, item.code.entry_point) for test in item.code.tests]),
    }
    math = value.get("evidence", {}).get("math", {})
    start, end = math.get("start", 0), math.get("end", 0)
    if 0 <= start < end <= min(len(item.response), TEXT_CHARS):
        shown["answer"] = [utf16(item.response[:start]), utf16(item.response[:end])]
    return shown


def _test(test: pb.CodeTest, entry_point: str) -> dict[str, Any]:
    if test.hidden:
        given, wanted = "", ""
    elif test.source:
        given, wanted = test.source, ""
    elif test.args_json or test.expected_json:
        given, wanted = f"{entry_point}({', '.join(test.args_json)})", test.expected_json
    else:
        given, wanted = test.stdin, test.stdout
    return {"input": _cut(given), "expected": _cut(wanted), "hidden": test.hidden}


def _cut(value: Any) -> Any:
    """The value with each longer text as what is kept of it and its whole length."""
    if isinstance(value, str) and len(value) > TEXT_CHARS:
        return {"cut": value[:TEXT_CHARS], "chars": len(value)}
    if isinstance(value, list):
        return [_cut(one) for one in value]
    if isinstance(value, dict):
        return {_short(key): _cut(one) for key, one in value.items()}
    return value
