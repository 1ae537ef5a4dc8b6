from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verifier.judge.ask import Ask, Message
from verifier.judge.budget import Caps, Spend, most, spend
from verifier.judge.settings import EndpointSettings

PRICED = EndpointSettings("http://a/v1", "m", "", 0.27, 1.1)


def test_prices() -> None:
    """0.27 and 1.10 USD per million: 1,000 and 500 tokens cost 820 millionths of a dollar."""
    assert spend(PRICED, 1_000, 500) == Spend(820_000, 1_500)
    assert spend(PRICED, 1_000, 500).usd == 0.00082
    assert spend(EndpointSettings("http://a/v1", "m"), 1_000, 500) == Spend(0, 1_500)


def test_the_most_that_a_request_can_cost() -> None:
    ask = Ask((Message("system", "abc"), Message("user", "é漢")), max_tokens=10)
    assert most(PRICED, ask).tokens == 3 + 64 + 5 + 64 + 10


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_is_spent_is_never_less_than_its_price(
    prompt: int, completion: int, low: float, high: float
) -> None:
    found = spend(EndpointSettings("http://a/v1", "m", "", low, high), prompt, completion)
    assert found.nano_usd >= (prompt * low + completion * high) * 1_000 * (1 - 1e-12)
    assert found.tokens == prompt + completion


def test_caps() -> None:
    assert not Caps().passed(Spend(10**18, 10**18))
    assert not Caps(usd=0.5, tokens=10).passed(Spend(500_000_000, 10))
    assert Caps(usd=0.5, tokens=10).passed(Spend(500_000_001, 10)) == "usd 0.5"
    assert Caps(usd=0.5, tokens=10).passed(Spend(0, 11)) == "tokens 10"
    assert Caps(usd=0.0).passed(Spend(1, 0)) == "usd 0"
    assert not Caps(usd=0.0).passed(Spend(0, 5))
