"""What the proxies are told, without Ray."""

from __future__ import annotations

import pytest

from verifier.ray.ingress import VARIABLE, Ingress, is_loopback
from verifier.ray.refusal import DETAILS_CHARS, Refusal


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("ipv4:127.0.0.1:50000", True),
        ("ipv4:127.9.8.7:1", True),
        ("ipv6:[::1]:50000", True),
        ("ipv6:%5B::1%5D:50000", True),
        ("ipv6:[::ffff:127.0.0.1]:9", True),
        ("unix:/tmp/socket", True),
        ("ipv4:10.0.0.1:50000", False),
        ("ipv4:192.0.2.127:127", False),
        ("ipv6:[2001:db8::1]:50000", False),
        ("ipv6:[::ffff:10.127.0.1]:9", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_other_peers(peer: str, here: bool) -> None:
    assert is_loopback(peer) is here


def test_a_refusal_travels_in_one_text() -> None:
    refusal = Refusal("full: at most 5, got 6", (("grpc-retry-pushback-ms", "250"),))
    assert Refusal.read(refusal.text()) == refusal
    assert Refusal.read("a word of Ray's own") == Refusal("a word of Ray's own")
    long = Refusal("x" * 10_000, (("grpc-retry-pushback-ms", "250"),))
    assert len(long.text()) < 4_096
    assert Refusal.read(long.text()) == Refusal("x" * DETAILS_CHARS, long.trailing)


def test_settings_travel_in_the_environment() -> None:
    settings = Ingress(insecure=True, tls_listen="0.0.0.0:1", tokens="/a b")
    assert Ingress.read(settings.environment()) == settings
    assert Ingress.read({}) == Ingress()
    with pytest.raises(ValueError, match="secure"):
        Ingress.read({VARIABLE: '{"secure": true}'})
