from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.format import Fault, Style, chain_of_thought, check

GOOD = "<think>two and two</think> <answer>4</answer>"


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (GOOD, Fault.NONE),
        ("\n" + GOOD + "\n", Fault.NONE),
        ("", Fault.MISSING_TAG),
        ("4", Fault.MISSING_TAG),
        ("<think>a</think>", Fault.MISSING_TAG),
        ("<think>a</think><answer>4", Fault.MISSING_TAG),
        ("<answer>4</answer>", Fault.MISSING_TAG),
        (GOOD + GOOD, Fault.REPEATED_TAG),
        ("<think>a<think>b</think><answer>4</answer>", Fault.REPEATED_TAG),
        ("<think>a</think><answer>4</answer><answer>5</answer>", Fault.REPEATED_TAG),
        ("<answer>4</answer><think>a</think>", Fault.WRONG_ORDER),
        ("<think>a<answer>4</answer></think>", Fault.WRONG_ORDER),
        ("Sure! " + GOOD, Fault.TEXT_OUTSIDE),
        (GOOD + " Hope this helps.", Fault.TEXT_OUTSIDE),
        ("<think>a</think> so <answer>4</answer>", Fault.TEXT_OUTSIDE),
        ("<think> </think><answer>4</answer>", Fault.EMPTY_SECTION),
        ("<think>a</think><answer>\n</answer>", Fault.EMPTY_SECTION),
        ("<Think>a</Think><answer>4</answer>", Fault.MISSING_TAG),
    ],
)
def test_r1_zero(response: str, fault: Fault) -> None:
    layout = check(response, Style.R1_ZERO)
    assert layout.fault is fault
    assert layout.score == (1.0 if fault is Fault.NONE else 0.0)


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        ("<think>a</think>The answer is 4.", Fault.NONE),
        ("a</think>The answer is 4.", Fault.NONE),
        (GOOD, Fault.NONE),
        ("<think>a", Fault.MISSING_TAG),
        ("The answer is 4.", Fault.MISSING_TAG),
        ("<think>a</think>b</think>c", Fault.REPEATED_TAG),
        ("</think><think>", Fault.WRONG_ORDER),
        ("Hm. <think>a</think>b", Fault.TEXT_OUTSIDE),
        ("<think></think>b", Fault.EMPTY_SECTION),
        ("<think>a</think> ", Fault.EMPTY_SECTION),
    ],
)
def test_r1(response: str, fault: Fault) -> None:
    assert check(response, Style.R1).fault is fault


_PIECES = st.lists(
    st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "a", " ", "\n"]), max_size=12
)


@given(_PIECES)
def test_only_one_layout_is_well_formed(pieces: list[str]) -> None:
    response = "".join(pieces)
    layout = check(response, Style.R1_ZERO)
    tags = [piece for piece in pieces if piece.startswith("<")]
    if layout.fault is Fault.NONE:
        assert tags == ["<think>", "</think>", "<answer>", "</answer>"]
        assert layout.thinking is not None
        assert layout.answer is not None
        assert layout.thinking.strip()
        assert layout.answer.strip()


@given(st.text(), st.sampled_from(Style))
def test_any_text_gets_an_answer(response: str, style: Style) -> None:
    assert check(response, style).score in (0.0, 1.0)


def test_chain_of_thought() -> None:
    assert chain_of_thought("<think>a b</think>c") == "a b"
    assert chain_of_thought("a b</think>c") == "a b"
    assert chain_of_thought("a b c") == "a b c"
    assert chain_of_thought("<think>never closed") == "never closed"
