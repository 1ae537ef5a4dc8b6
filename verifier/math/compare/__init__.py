"""Comparing two trees: `Comparison` says what kind of thing each side is and hands both to
the module that knows that kind; every part of them comes back to it.

The modules below import each other downwards only; those that compare parts take the
comparison as their first argument.
"""

from verifier.math.compare.comparison import Comparison

__all__ = ["Comparison"]
