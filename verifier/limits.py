"""Every limit of the verification service, with its reason.

A request beyond one of these is refused with a message that names it. The
limits of programs are the sandbox's (sandbox/limits.py).
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Limits:
    """What one server accepts; `Describe` reports these fields by the same names."""

    batch_items: int = 16_384
    """Items in one batch: 512 prompts x 32 samples, the largest common RL step."""

    items_in_flight: int = 65_536
    """Accepted and unanswered items over all clients: four of the largest batches."""

    message_bytes: int = 256 * MIB
    """One gRPC message: a largest batch of responses of 16 KiB each."""

    response_bytes: int = 1 * MIB
    """One response: four times 65,536 tokens, the longest rollouts of DeepSeek-R1-Zero."""

    prompt_bytes: int = 1 * MIB
    """One prompt: as long as a response, since multi-turn prompts hold them."""

    tests: int = 1_000
    """Tests of one code item: ten times a usual contest problem."""

    test_bytes: int = 64 * MIB
    """All test data of one code item: the largest contest inputs are about 10 MiB each."""

    golds: int = 64
    """References of one math item."""

    answer_chars: int = 4_000
    """One reference or extracted answer; longer ones are derivations, not answers."""

    symbolic_ms: int = 1_000
    """Symbolic work on one comparison; easy identities take under 0.3 s in SymPy."""


MAX_WEIGHT = 1e6
"""Of a test or of a recipe's part, either sign: keeps every sum finite and exact enough."""

STREAM_WINDOW = 2_048
"""Items of one stream at work at once; beyond it the server reads on later."""

VERDICTS_PER_MESSAGE = 256
"""Verdicts sent in one message when that many are ready: a few tens of KiB."""

GOT_CHARS = 2_048
"""What a test's evidence keeps of its input, of what was expected and of the program's output."""

GOT_ACCEPTED_CHARS = 256
"""The same of a test that was accepted, of which nobody asks why."""

BANNED = 100
"""Banned constructs of one code item."""

JUDGE_BYTES = 4 * MIB
"""A checker or interactor with its headers: testlib.h has 0.2 MiB."""

MESSAGE_CHARS = 2_000
"""What a message of an item without a verdict keeps."""

DETAIL_CHARS = 500
"""What a part's detail keeps: a line or two for a person."""
