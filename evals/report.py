"""One HTML page of a run: its scores, and every sample behind them, beside another run if wanted.

The figures are those of summary.json. Runs are only read, also while they go on; the page says
what they lack. Texts are hostile: they are stored compressed, in base64, or in JSON that no parser
takes for markup; the page's script makes text nodes of them, and the page's policy admits no other
script and no network.

A page has a size. Where the texts exceed it, the middles of the longest are left out, of all down
to one length, and the page says so: text compresses four times at best, and base64 takes back a
third of that.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import html
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from evals import compare
from evals.benchmark import Question
from evals.records import Generation, RecordError, Score, digest, prompt_hash, read
from evals.summary import FILE, Summary, read_questions, read_summary
from evals.tables import Grid

MEGABYTES = 10.0
"""Of a page, unless told: what a mail or a code host takes and a browser opens at once."""
CHUNK_CHARS = 200_000
"""Of text in one block, at least, if a benchmark has as many: some milliseconds to unpack, and
several of deflate's windows of 32 KiB."""
LEAST_CHARS = 100
"""Of a text, however little room there is."""
PROBED = 6
"""Blocks that are compressed to find out which length fits."""
BEST_RATIO = 20
"""Of texts to their place in the page; more is not kept in memory."""
SHARE = 8
"""A prompt, the first right and the first wrong sample have each the room of an eighth of all
samples of a question: they are read most."""
LONGEST = 10**9
"""More characters than a text has."""
LINE_CHARS = 120
"""Of evidence that stands on one line; more has a line for each value."""
SNIPPET_CHARS, ANSWER_CHARS = 160, 40
"""Of a question and of an answer, in the table."""

# What ends or nests a script element, and what ends a line in some readers.
_UNSAFE = re.compile("[<>&\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_STATES = {"ok": "o", "no_answer": "n", "grader_error": "g"}
_API_ERROR, _UNSCORED = "e", "u"


@dataclass(frozen=True, slots=True)
class Text:
    """A text, or its two ends."""

    head: str
    tail: str
    chars: int
    """Of the whole."""

    @classmethod
    def of(cls, text: str, limit: int) -> Text:
        return cls(text, "", len(text)).cut(limit)

    def cut(self, limit: int) -> Text:
        """At most `limit` characters of it, three fifths of them its end, where the answer is."""
        if len(self.head) + len(self.tail) <= limit:
            return self
        head = limit * 2 // 5
        return Text(self.head[:head], (self.tail or self.head)[-(limit - head) :], self.chars)

    def json(self, limit: int) -> str | list[str | int]:
        """The text, or its head, the number of characters left out, and its tail."""
        kept = self.cut(limit)
        left_out = self.chars - len(kept.head) - len(kept.tail)
        return [kept.head, left_out, kept.tail] if left_out else kept.head


@dataclass(frozen=True, slots=True)
class SampleData:
    """A generation and what became of it."""

    number: int
    text: Text
    state: str
    """o: graded; n: no answer found; g: the grader failed; e: the model's API did; u: not graded
    yet."""
    score: float | None
    truncated: bool
    tokens: int
    seconds: float | None
    error: Text
    extracted: Text
    evidence: Sequence[tuple[str, Text]]


@dataclass(frozen=True)
class BenchmarkData:
    """What a run has of one benchmark."""

    protocol: Mapping[str, Any]
    summary: Summary | None
    """None: there is none yet."""
    questions: Mapping[str, Question]
    """By id."""
    samples: Mapping[str, Sequence[SampleData]]
    """Of each question, by number."""
    others: int
    """Samples of other prompts, parameters or numbers, which are left out."""

    @property
    def k(self) -> int:
        return int(self.protocol["k"])

    @property
    def state(self) -> dict[str, int]:
        """How far the run has come, in samples."""
        states = [sample.state for group in self.samples.values() for sample in group]
        return {
            "expected": len(self.questions) * self.k,
            "generated": len(states),
            "unscored": states.count(_UNSCORED),
            "others": self.others,
        }


@dataclass(frozen=True)
class RunData:
    """What the page shows of one run."""

    directory: Path
    manifest: Mapping[str, Any]
    """run.json."""
    benchmarks: Mapping[str, BenchmarkData]


def write(
    directory: Path,
    output: Path | None = None,
    *,
    against: Path | None = None,
    megabytes: float = MEGABYTES,
) -> Path:
    """Writes the page of a run and gives its path, which is beside the run unless told.

    Raises RecordError where a run cannot be read, or `output` lies in one; OSError where the page
    cannot be written.
    """
    runs = [directory] if against is None else [directory, against]
    place = output or directory.resolve().with_name(f"{directory.resolve().name}.html")
    for run in runs:
        if place.resolve().is_relative_to(run.resolve()):
            raise RecordError(f"--output: {place} is in {run}, which is only read")
    loaded = [load(run, megabytes) for run in runs]
    compared = None if against is None else _compared(directory, against)
    place.write_text(render(*loaded, compared=compared, megabytes=megabytes), "utf-8")
    return place


def _compared(directory: Path, against: Path) -> Grid:
    try:
        return compare.table(compare.compare_runs(directory, against))
    except compare.CompareError as error:
        return Grid((), (), (str(error),))


def load(directory: Path, megabytes: float = MEGABYTES) -> RunData:
    """An output directory of `touchstone-eval`, with of each text what a page of this size can
    hold. Raises RecordError."""
    path = directory / "run.json"
    try:
        manifest = json.loads(path.read_text("utf-8"))
        for told in manifest["benchmarks"].values():
            int(told["protocol"]["k"]), str(told["params_hash"])
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: no run's manifest: {error!r}") from error
    loaded = {
        name: _benchmark(directory / name, told, megabytes)
        for name, told in manifest["benchmarks"].items()
    }
    return RunData(directory, manifest, loaded)


def _benchmark(folder: Path, told: Mapping[str, Any], megabytes: float) -> BenchmarkData:
    summary = None
    try:
        questions = {
            question.id: question for question in read_questions(folder / "questions.jsonl")
        }
        if (folder / FILE).is_file():
            summary = read_summary(folder / FILE)
    except (OSError, ValueError) as error:
        raise RecordError(str(error)) from error
    k, params = int(told["protocol"]["k"]), told["params_hash"]
    limit = max(LEAST_CHARS, int(megabytes * 1e6 * BEST_RATIO / max(1, len(questions) * k)))
    prompts = {name: prompt_hash(question.messages) for name, question in questions.items()}
    scores = {score.key: score for score in read(folder / "scores.jsonl", Score)}
    samples: dict[str, dict[int, SampleData]] = {name: {} for name in questions}
    others = set()
    for made in read(folder / "generations.jsonl", Generation):
        asked = prompts.get(made.question)
        if (made.prompt_hash, made.params_hash) != (asked, params) or made.sample >= k:
            others.add(made.key)
            continue
        samples[made.question][made.sample] = _sample(made, scores.get(made.key), limit)
    ordered = {name: [group[n] for n in sorted(group)] for name, group in samples.items()}
    return BenchmarkData(told["protocol"], summary, questions, ordered, len(others))


def _sample(made: Generation, score: Score | None, limit: int) -> SampleData:
    text = made.text
    if score is not None and (made.finish == "error" or score.response_hash != digest(text)):
        score = None  # of an earlier answer
    missing = _API_ERROR if made.finish == "error" else _UNSCORED
    return SampleData(
        number=made.sample,
        text=Text.of(text, limit),
        state=missing if score is None else _STATES[score.status],
        score=None if score is None else _finite(score.score),
        truncated=made.finish == "length",
        tokens=made.completion_tokens,
        seconds=_finite(made.seconds),
        error=Text.of(made.error, limit),
        extracted=Text.of("" if score is None else score.extracted, limit),
        evidence=[] if score is None else [_evidence(*one, limit) for one in _pairs(score)],
    )


def _pairs(score: Score) -> Iterator[tuple[str, Any]]:
    yield "graded by", score.grader
    yield from score.evidence.items()


def _evidence(name: str, value: Any, limit: int) -> tuple[str, Text]:
    if not isinstance(value, str):
        line = json.dumps(value, ensure_ascii=False)
        value = line if len(line) <= LINE_CHARS else json.dumps(value, ensure_ascii=False, indent=1)
    return name, Text.of(value, limit)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


# ---- the page --------------------------------------------------------------------


def render(
    run: RunData,
    against: RunData | None = None,
    *,
    compared: Grid | None = None,
    megabytes: float = MEGABYTES,
) -> str:
    """The page, of HTML in UTF-8; `compared` is the paired comparison of the two."""
    runs = [run] if against is None else [run, against]
    names = list(dict.fromkeys(name for one in runs for name in one.benchmarks))
    chunks: list[Chunk] = []
    blocks, benchmarks = {"plotly": _plotly()}, []
    for place, name in enumerate(names):
        both = [one.benchmarks.get(name) for one in runs]
        blocks[f"index-{place}"] = pack(_index(both, chunks))
        shown = [None if one is None else _told(one) for one in both]
        benchmarks.append({"name": name, "runs": shown})
    titles = _names(runs)
    told = [
        {"name": name, "manifest": one.manifest} for name, one in zip(titles, runs, strict=True)
    ]
    data = {"runs": told, "benchmarks": benchmarks, "compared": compared and asdict(compared)}
    without = len(_page(titles[0], data | {"limit": LONGEST}, blocks).encode())
    limit, texts = fit(chunks, int(megabytes * 1e6) - without)
    blocks |= {f"texts-{place}": text for place, text in enumerate(texts)}
    return _page(titles[0], data | {"limit": limit}, blocks)


def _page(title: str, data: Mapping[str, Any], blocks: Mapping[str, str]) -> str:
    style, script, page = (
        resources.files("evals").joinpath(f"report.{kind}").read_text("utf-8")
        for kind in ("css", "js", "html")
    )
    digests = [hashlib.sha256(text.encode()).digest() for text in (get_plotlyjs(), script)]
    return Template(page).substitute(
        title=html.escape(title),
        hashes=" ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests),
        style=style,
        script=script,
        data=_UNSAFE.sub(_escaped, _json(data)),
        blocks="\n".join(_block(name, text) for name, text in blocks.items()),
    )


def _told(one: BenchmarkData) -> dict[str, Any]:
    return {
        "summary": one.summary and asdict(one.summary),
        "state": one.state,
        "k": one.k,
        "longer": longer(one.k),
    }


@dataclass(frozen=True)
class Chunk:
    """Questions of one run whose texts stand in one block."""

    questions: Sequence[tuple[Question | None, Sequence[SampleData]]]
    """Each question, None where the other run's block has the very same, and its samples."""
    k: int

    @property
    def lengths(self) -> list[int]:
        """Characters of each text."""
        found: list[int] = []
        for question, samples in self.questions:
            if question is not None:
                texts = [question.gold, *(one.content for one in question.messages)]
                found += map(len, texts)
            for one in samples:
                some = (one.text, one.extracted, one.error, *(text for _, text in one.evidence))
                found += [len(text.head) + len(text.tail) for text in some]
        return found

    def pack(self, limit: int) -> str:
        """The block: texts of at most `limit` characters, `longer` for prompts and for the first
        right and the first wrong sample of each question."""
        more = limit * longer(self.k)
        rows = []
        for question, samples in self.questions:
            right = next((one for one in samples if one.score == 1), None)
            wrong = next((one for one in samples if one.score == 0), None)
            shown = [
                _shown(one, more if one is right or one is wrong else limit) for one in samples
            ]
            rows.append({"question": question and _question(question, more), "samples": shown})
        return pack(rows)


def longer(k: int) -> int:
    """How often the room of a sample the first ones have, where there are k."""
    return max(1, k // SHARE)


def _question(question: Question, limit: int) -> dict[str, Any]:
    messages = [[one.role, Text.of(one.content, limit).json(limit)] for one in question.messages]
    return {"messages": messages, "gold": Text.of(question.gold, limit).json(limit)}


def _shown(sample: SampleData, limit: int) -> dict[str, Any]:
    return {
        "text": sample.text.json(limit),
        "extracted": sample.extracted.json(limit),
        "error": sample.error.json(limit),
        "evidence": [[name, text.json(limit)] for name, text in sample.evidence],
        "seconds": sample.seconds,
    }


def fit(chunks: Sequence[Chunk], room: int) -> tuple[int, list[str]]:
    """The chunks as base64 that takes `room` bytes of the page at most, and the length down to
    which texts are cut for that; 0: none is. More than `room` where LEAST_CHARS of each exceed it.
    """
    if not chunks:
        return 0, []
    lengths = [chunk.lengths for chunk in chunks]
    longest = max(max(some, default=0) for some in lengths)
    step = -(-len(chunks) // PROBED)
    scale = sum(map(sum, lengths)) / max(1, sum(map(sum, lengths[::step])))

    def taken(packed: Sequence[str]) -> int:
        return sum(len(_block("texts-0000", text)) + 1 for text in packed)

    def size(limit: int) -> int:
        return int(scale * taken([chunk.pack(limit) for chunk in chunks[::step]]))

    limit = longest
    if longest > LEAST_CHARS and size(longest) > room:
        choices = range(LEAST_CHARS, longest)
        limit = choices[max(0, bisect.bisect_right(choices, room, key=size) - 1)]
    while True:
        packed = [chunk.pack(limit) for chunk in chunks]
        if (all_of_it := taken(packed)) <= room or limit <= LEAST_CHARS:
            return (0 if limit == longest else limit), packed
        limit = max(LEAST_CHARS, int(limit * max(0.5, 0.98 * room / all_of_it)))


def _index(both: Sequence[BenchmarkData | None], chunks: list[Chunk]) -> dict[str, Any]:
    """What the table, its filters and the histogram need of a benchmark; its texts join `chunks`.

    Of each run and question: which block has its texts, at which place, and its samples as columns.
    """
    questions: dict[str, Question] = {}
    for one in both:
        for name, question in one.questions.items() if one is not None else ():
            questions.setdefault(name, question)
    runs: list[list[Any] | None] = []
    for one in both:
        if one is None:
            runs.append(None)
            continue
        found: dict[str, Any] = {}
        waiting: list[tuple[Question | None, Sequence[SampleData]]] = []
        chars = 0
        for name, question in one.questions.items():
            first, samples = questions[name], one.samples[name]
            same = first is not question and (first.messages, first.gold) == (
                question.messages,
                question.gold,
            )
            found[name] = [len(chunks), len(waiting), _columns(samples)]
            waiting.append((None if same else question, samples))
            chars += sum(len(sample.text.head) + len(sample.text.tail) for sample in samples)
            if chars >= CHUNK_CHARS:
                chunks.append(Chunk(waiting, one.k))
                waiting, chars = [], 0
        if waiting:
            chunks.append(Chunk(waiting, one.k))
        runs.append([found.get(name) for name in questions])
    rows = [
        [name, _snippet(question), question.gold[:SNIPPET_CHARS], dict(question.slices)]
        for name, question in questions.items()
    ]
    return {"questions": rows, "runs": runs}


def _columns(samples: Sequence[SampleData]) -> dict[str, Any]:
    return {
        "number": [sample.number for sample in samples],
        "score": [sample.score for sample in samples],
        "state": "".join(sample.state for sample in samples),
        "cut": "".join("01"[sample.truncated] for sample in samples),
        "tokens": [sample.tokens for sample in samples],
        "chars": [sample.text.chars for sample in samples],
        "answer": [sample.extracted.head[:ANSWER_CHARS] for sample in samples],
    }


def _snippet(question: Question) -> str:
    asked = [one.content for one in question.messages if one.role == "user"]
    return " ".join(asked[-1].split())[:SNIPPET_CHARS] if asked else ""


def _names(runs: Sequence[RunData]) -> list[str]:
    paths = [one.directory.resolve() for one in runs]
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.parent.name}/{path.name}" for path in paths]
    return [name.encode("utf-8", "replace").decode() for name in names]


def pack(value: Any) -> str:
    """A value as JSON, deflated, in base64."""
    return _deflated(_json(value))


def _deflated(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


@cache
def _plotly() -> str:
    return _deflated(str(get_plotlyjs()))


def _block(name: str, text: str) -> str:
    return f'<script type="application/octet-stream" id="{name}">{text}</script>'


def _json(value: Any) -> str:
    """JSON that UTF-8 can hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _SURROGATES.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
