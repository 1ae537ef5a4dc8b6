import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from verifier.math import MathPolicy, MathVerifier, Outcome, Tier, check
from verifier.math.blocking import close

ROOT = Path(__file__).resolve().parents[3]
SYMBOLIC = [r"2"], r"\boxed{\sum_{k=0}^{\infty} 2^{-k}}"
HOPELESS = ["2"], r"\boxed{\int_0^1 x^x\sin(x^{x^x})\,dx}"


@pytest.fixture(autouse=True, scope="module")
def _close_workers() -> object:
    yield
    close()


@pytest.mark.parametrize(
    ("gold", "response", "outcome"),
    [
        (["5"], r"\boxed{5}", Outcome.MATCH),
        (["5"], r"\boxed{6}", Outcome.NO_MATCH),
        (["4", "5"], r"\boxed{5}", Outcome.MATCH),
        (["5"], "no idea", Outcome.NO_ANSWER),
        (["5"], r"\boxed{}", Outcome.NO_ANSWER),
        ([""], r"\boxed{5}", Outcome.GOLD_UNPARSABLE),
        ([r"\frac{1}{"], r"\boxed{5}", Outcome.GOLD_UNPARSABLE),
        ([r"\frac{1}{", "5"], r"\boxed{5}", Outcome.MATCH),
        (["1" * 5000], r"\boxed{5}", Outcome.GOLD_UNPARSABLE),
        (["5"], r"\boxed{" + "1" * 5000 + "}", Outcome.NO_MATCH),
        (["5"], r"\boxed{" + "1" * 50000 + "}", Outcome.NO_MATCH),
        (["5"], r"\boxed{10^{10^{10}}}", Outcome.NO_MATCH),
        (["5"], r"\boxed{9^{9^{9^9}}}", Outcome.UNDECIDED),
        (["5"], r"\boxed{\frac{1}{}", Outcome.NO_ANSWER),
        ([r"\text{Monday}"], r"\boxed{5}", Outcome.NO_MATCH),
    ],
)
def test_outcomes(gold: list[str], response: str, outcome: Outcome) -> None:
    assert check(gold, response).outcome is outcome


def test_a_verdict_tells_what_it_rests_on() -> None:
    response = r"<think>...</think> so $\boxed{2\sqrt2}$."
    verdict = check(["3", r"\sqrt8"], response)
    assert (verdict.outcome, verdict.tier, verdict.gold) == (
        Outcome.MATCH,
        Tier.INTERVAL_ARITHMETIC,
        r"\sqrt8",
    )
    assert (verdict.extracted, verdict.source) == (r"2\sqrt2", "boxed")
    assert response[verdict.start : verdict.end] == r"2\sqrt2"
    refused = check(["x+1"], r"\boxed{x+2}")
    assert refused.gold == "x+1"
    assert "differ at x = " in refused.detail


@pytest.mark.parametrize("undecided", [r"\lim_{x\to 0} g(x)", "9^{9^{9^9}}"])
def test_one_open_reference_leaves_the_verdict_open(undecided: str) -> None:
    refuted = r"\sum_{k=0}^{\infty} 3^{-k}"  # 3/2, by the symbolic step alone
    assert check([refuted], r"\boxed{2}").outcome is Outcome.NO_MATCH
    assert check([undecided], r"\boxed{2}").outcome is Outcome.UNDECIDED
    for gold in ([refuted, undecided], [undecided, refuted]):
        assert check(gold, r"\boxed{2}").outcome is Outcome.UNDECIDED
    assert check([undecided, r"\sum_{k=0}^{\infty} 2^{-k}"], r"\boxed{2}").outcome is Outcome.MATCH


def test_limits_are_named() -> None:
    assert "4000 characters: 5000" in check(["1" * 5000], r"\boxed{1}").detail
    assert "4000 characters: 4200" in check(["1"], rf"\boxed{{{'1' * 5000}}}").detail


def test_no_reference_is_an_error() -> None:
    with pytest.raises(ValueError, match="no reference"):
        check([], r"\boxed{5}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"percent": "STRICT"}, "percent: one of scaled, lenient, strict, got 'STRICT'"),
        ({"units": ""}, "units: one of ignored, required, got ''"),
        ({"order": "kept "}, "order: one of as_written, any, kept, got 'kept '"),
        ({"rounding": -1}, "rounding: 0 to 1000, got -1"),
        ({"rounding": 10**6}, "rounding: 0 to 1000, got 1000000"),
    ],
)
def test_a_policy_that_is_none(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MathPolicy(**arguments)


def test_a_text_is_no_list_of_references() -> None:
    with pytest.raises(TypeError, match="gold: a list of texts"):
        check("42", r"\boxed{4}")
    with pytest.raises(TypeError, match="response: a text"):
        check(["42"], None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (r"<think>\boxed{5}", "the thought never ended"),
        (r"so \boxed{5", "the last box is never closed"),
        ("I do not know", "the response marks no answer"),
    ],
)
def test_why_there_is_no_answer(response: str, why: str) -> None:
    verdict = check(["5"], response)
    assert (verdict.outcome, verdict.detail) == (Outcome.NO_ANSWER, why)


def test_symbolic_from_a_plain_call() -> None:
    verdict = check(*SYMBOLIC)
    assert (verdict.outcome, verdict.tier) == (Outcome.MATCH, Tier.SYMBOLIC)
    assert check(*HOPELESS).outcome is Outcome.TIMEOUT


def test_symbolic_from_many_threads() -> None:
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(check(*SYMBOLIC).outcome)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.MATCH] * 4


async def test_plain_call_inside_a_running_loop() -> None:
    assert check(*SYMBOLIC).outcome is Outcome.MATCH
    assert (await asyncio.to_thread(check, *SYMBOLIC)).outcome is Outcome.MATCH


async def test_verifier_in_a_loop() -> None:
    verifier = MathVerifier(workers=2, symbolic_timeout_s=1.0)
    verdicts = await asyncio.gather(*(verifier.check(*SYMBOLIC) for _ in range(5)))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.MATCH}
    assert max(verdict.queued_s for verdict in verdicts) > 0
    assert (await verifier.check(*HOPELESS)).outcome is Outcome.TIMEOUT
    assert (await verifier.check(*HOPELESS, budget_s=0.0)).outcome is Outcome.TIMEOUT
    assert (await verifier.check(["5"], r"\boxed{5}", MathPolicy(), 0.0)).outcome is Outcome.MATCH
    await verifier.close()


def test_a_process_that_checked_ends_quietly() -> None:
    code = f"from verifier.math import check; print(check({SYMBOLIC[0]!r}, {SYMBOLIC[1]!r}).outcome.value)"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "match"
    assert done.stderr == ""


CODE = [
    "__import__('os').system('touch {f}')",
    "__import__('os').system('touch {f}')*\\pi",
    "open('{f}','w')",
    "exec(\"open('{f}','w')\")",
    "eval(\"open('{f}','w')\")",
    "(lambda: open('{f}','w'))()",
    "[open('{f}','w') for x in range(1)]",
    "().__class__.__base__.__subclasses__()",
    "f\"{{open('{f}','w')}}\"",
    "{{open('{f}','w')}}",
    "{{{{open('{f}','w')}}}}",
    "\\input{{{f}}}",
    "\\write18{{touch {f}}}",
    "`touch {f}`",
    "$(touch {f})",
    "; touch {f}",
    "x.__init__.__globals__['os'].system('touch {f}')",
    "sin.__globals__",
    "compile(\"open('{f}','w')\",'','exec')",
    "!!python/object/apply:os.system ['touch {f}']",
    "cos\\nsystem\\n(S'touch {f}'\\ntR.",
    "<script>open('{f}')</script>",
    "Symbol('x').subs(open('{f}','w'),1)",
    "globals()['__builtins__']",
    "print(open('{f}','w'))",
    "max(open('{f}','w'),1)",
    "\\text{{open('{f}','w')}}",
    "sqrt(open('{f}','w'))",
    "1 if open('{f}','w') else 0",
]


@pytest.mark.parametrize("payload", CODE)
def test_nothing_is_executed(payload: str, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    text = payload.format(f=touched)
    for gold, response in (
        ("1", rf"\boxed{{{text}}}"),
        (text, r"\boxed{1}"),
        ("1", f"<answer>{text}</answer>"),
    ):
        assert check([gold], response).outcome is not Outcome.MATCH
    assert not touched.exists()
