"""Constraints on the text of a response: the 25 of IFEval, checked by rules."""
