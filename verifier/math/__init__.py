"""Checking a final mathematical answer against references.

>>> from verifier.math import check
>>> check(["\\\\frac{1}{2}"], "So it is $\\\\boxed{0.5}$.").outcome.value
'match'
"""

from verifier.math.blocking import check
from verifier.math.check import MathVerdict, MathVerifier
from verifier.math.policy import MathPolicy, Outcome, Tier
from verifier.math.symbolic import QueueFullError

__all__ = [
    "MathPolicy",
    "MathVerdict",
    "MathVerifier",
    "Outcome",
    "QueueFullError",
    "Tier",
    "check",
]
