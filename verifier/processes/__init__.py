"""Engines in processes of their own, behind the one that listens.

The front knows who asks and whose turn it is; an engine process has its own interpreter, sandbox
slots and symbolic workers. Between them goes a socket pair: items one way, verdicts the other, both
unparsed. The first process alone has the judge, which waits rather than works and has one budget.
"""
