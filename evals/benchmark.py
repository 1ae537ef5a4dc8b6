"""What a benchmark is: questions with their prompts, how a response is graded, and a protocol.

A benchmark is a value of `Benchmark` in a file of its own in `evals/benchmarks`. Most questions
carry an item of the verification service's contract, to which the response is added; a benchmark
whose official grading is something else brings a `grade` of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from verifier.client import Item

if TYPE_CHECKING:
    from evals.data import Data
    from evals.model import Model

Role = Literal["system", "user", "assistant"]
Status = Literal["ok", "no_answer", "grader_error"]


@dataclass(frozen=True)
class Message:
    """One turn of the conversation that a model is given."""

    role: Role
    content: str


@dataclass(frozen=True)
class Question:
    """One question of a benchmark, ready to be asked and graded."""

    id: str
    """Stable over releases of the data; unique in its benchmark."""
    messages: tuple[Message, ...]
    item: Item | None = None
    """The verification service's item without id and response; None where the benchmark grades."""
    gold: str = ""
    """The reference answer as people should see it."""
    slices: Mapping[str, str] = field(default_factory=dict)
    """What results are broken down by: difficulty, subject, date (ISO 8601)."""
    cluster: str = ""
    """Questions that share a passage are one cluster of the standard error; "": alone."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the benchmark's own `grade` or `aggregate` needs."""


@dataclass(frozen=True)
class Graded:
    """What is known of one response. `score` in [0, 1], None exactly for `grader_error`."""

    status: Status
    score: float | None
    extracted: str = ""
    """The answer that was found in the response; "" for none."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """JSON: for people, and for `aggregate`."""


@dataclass(frozen=True)
class Protocol:
    """How a model is asked."""

    name: str
    temperature: float
    top_p: float
    max_tokens: int
    k: int
    """Samples of each question."""
    stop: tuple[str, ...] = ()


R1 = Protocol("r1", temperature=0.6, top_p=0.95, max_tokens=32_768, k=16)
"""DeepSeek-R1's (arXiv 2501.12948, section 3): pass@1 is the mean over k samples, k from 4 to 64 by
the size of the set; a benchmark's own `protocols` say its k."""


@dataclass(frozen=True)
class Tools:
    """What grading may use beside the verification service."""

    judge: Model | None = None
    """The model that judges, where a benchmark needs one."""


@dataclass(frozen=True)
class Endpoint:
    """What a harness needs to ask by itself."""

    base_url: str
    """Of an OpenAI-compatible API, with /v1."""
    model: str
    protocol: Protocol
    folder: Path
    """Where the harness works; what is in it from an earlier run is gone on with."""
    api_key: str = ""


@dataclass(frozen=True)
class Done:
    """A sample that a harness asked for."""

    question: str
    sample: int
    response: str
    """The whole conversation, and what grading needs of the harness's results."""
    error: str = ""
    """Why there is no response."""
    seconds: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True)
class Sample:
    """A graded sample of a question, as `aggregate` gets it."""

    question: Question
    sample: int
    response: str
    graded: Graded


@dataclass(frozen=True)
class Benchmark:
    """See the module. `load` gives the questions in a fixed order and raises DataMissing, with
    where to get the data, or BenchmarkError."""

    name: str
    """As `--benchmarks` says it."""
    title: str
    source: str
    """Who published it, its licence, and whose prompt and grading these are."""
    load: Callable[[Data], Sequence[Question]]
    protocols: tuple[Protocol, ...] = (R1,)
    """The first is the default; others by name."""
    grade: Callable[[Question, str, Tools], Awaitable[Graded]] | None = None
    """Grades a response where the verification service does not."""
    items: Callable[[Question, str], Mapping[str, Item]] | None = None
    """The service's items for a response, by name, where they are not the question's own item with
    the response added: the first one's score counts, what the others say stands in the evidence as
    `others`. An empty mapping: no answer."""
    harness: Callable[[Sequence[Question], Endpoint], AsyncIterator[Done]] | None = None
    """Asks by itself, where an answer takes more than one turn; its responses are graded as any."""
    final_only: bool = True
    """Only what follows the last </think> is graded, as R1's evaluation does."""
    aggregate: Callable[[Sequence[Sample]], Mapping[str, float]] | None = None
    """The benchmark's own figures beside accuracy (IFEval's four, a rating, a win rate)."""
    needs_judge: bool = False
    needs_sandbox: bool = False
    headline: str = "pass@1"
    """The figure that others quote; one of accuracy's or of `aggregate`'s."""

    def protocol(self, name: str | None) -> Protocol:
        """The protocol of this name, R1's where the benchmark has no such one of its own."""
        if name is None:
            return self.protocols[0]
        for protocol in self.protocols:
            if protocol.name == name:
                return protocol
        if name == R1.name:
            return R1
        known = ", ".join(protocol.name for protocol in self.protocols)
        raise BenchmarkError(f"--protocol: {self.name} has {known}, got {name!r}")


class BenchmarkError(Exception):
    """A benchmark cannot be run as told: the message says why."""


def r1(k: int) -> Protocol:
    """R1's protocol with this many samples."""
    return replace(R1, k=k)


def user(text: str, system: str = "") -> tuple[Message, ...]:
    """A conversation of one question."""
    head = (Message("system", system),) if system else ()
    return (*head, Message("user", text))


BOXED = "Please reason step by step, and put your final answer within \\boxed{}."
"""DeepSeek-R1's README, usage recommendations: the directive for mathematics."""


def math_question(
    id: str, problem: str, gold: Sequence[str], *, free_text: bool = False, **rest: Any
) -> Question:
    """A problem with R1's directive, checked by the math verifier."""
    item = Item()
    item.math.gold.extend(gold)
    item.math.policy.free_text = free_text
    shown = " or ".join(gold)
    return Question(id, user(f"{problem}\n{BOXED}"), item, shown, **rest)
