"""The process that decides what needs a computer algebra system.

Reads one JSON request a line, answers one JSON line: `{"a": tree, "b": tree,
"cpu_s": limit}` gives `{"answer": true | false | null, "cpu_s": spent, "rss": bytes}`. The
first line it writes is `{"ready": true}`, after SymPy is imported.

Invariants:
- Trees become SymPy objects by explicit constructors alone; no text is ever evaluated.
- Memory is limited by RLIMIT_AS and every request by its CPU time: the kernel ends the
  process (SIGPROF), which no computation can hold up.
- It never outlives its host: a thread sees the end of the pipe, or a new parent, and
  leaves at once. (PR_SET_PDEATHSIG is not used: it fires when the *thread* that
  started the process ends.)
- gmpy2 is not used (SYMPY_GROUND_TYPES=python): its big operations cannot be stopped,
  and it brings no speed here.

Not covered: integrals and limits SymPy does not solve within the limit: null.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import select
import signal
import sys
import threading
import time
from fractions import Fraction
from typing import Any

from verifier.math.tree import Base, Const, Node, Num, Op, Sym, from_json

MEMORY_BYTES = 1 << 30
"""Address space: SymPy needs 100 MB; hostile input otherwise takes all there is."""

WATCH_S = 1.0
"""How often a silent pipe is checked for an orphaned process."""

MAX_EXPONENT = 400
"""Whole exponents beyond are not given to SymPy, which would expand them."""

MAX_FACTORIAL = 500
"""Likewise."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's to handle
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    parent = os.getppid()
    threading.Thread(target=_read, args=(requests, parent), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing else may write into the answers
    import sympy  # noqa: F401 - the time it takes belongs before "ready"

    _write(answers, {"ready": True})
    while True:
        request = json.loads(requests.get())
        # The clock is the process's own CPU time, so a busy host changes nothing.
        signal.setitimer(signal.ITIMER_PROF, float(request["cpu_s"]))
        began = time.process_time()
        answer = decide(from_json(request["a"]), from_json(request["b"]))
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        spent = time.process_time() - began
        _write(answers, {"answer": answer, "cpu_s": spent, "rss": _rss()})


def _read(requests: queue.SimpleQueue[str], parent: int) -> None:
    """Hands on requests; ends the process with its host, whatever is being computed."""
    pending = b""
    while True:
        ready, _, _ = select.select([0], [], [], WATCH_S)
        if not ready:
            if os.getppid() != parent:
                os._exit(0)
            continue
        chunk = os.read(0, 1 << 16)
        if not chunk:
            os._exit(0)
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            requests.put(line.decode())


def _write(answers: Any, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _rss() -> int:
    """Resident memory in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


# ---------------------------------------------------------------- deciding


class _NotMine(Exception):
    """A tree SymPy is not asked about."""


def decide(a: Node, b: Node) -> bool | None:
    """Whether two scalar trees are equal; None when SymPy cannot tell."""
    import sympy

    try:
        left, right = _Builder().build(a), _Builder().build(b)
        difference = left - right
        for step in (sympy.expand, _simplified, sympy.simplify):
            difference = step(difference)
            if difference == 0:
                return True
            if difference.is_number and difference.is_zero is False:
                return False
        if difference.free_symbols:
            return None
        verdict = difference.equals(0)
        return None if verdict is None else bool(verdict)
    except (_NotMine, MemoryError, RecursionError, ArithmeticError, NotImplementedError):
        return None
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, AssertionError):
        # SymPy raises all of these on inputs it cannot handle; that is "cannot tell".
        return None


def _simplified(expression: Any) -> Any:
    import sympy

    if expression.has(sympy.factorial, sympy.binomial):
        return sympy.combsimp(expression)
    if expression.has(sympy.sin, sympy.cos, sympy.tan):
        return sympy.trigsimp(expression)
    return sympy.radsimp(expression)


class _Builder:
    """Tree to SymPy. Symbols are complex-free: taken real, as answers mean them."""

    def __init__(self) -> None:
        import sympy

        self.sympy = sympy
        self.integers: set[str] = set()

    def build(self, node: Node) -> Any:
        sp = self.sympy
        if isinstance(node, Num):
            value = Fraction(node.value)
            return sp.Rational(value.numerator, value.denominator)
        if isinstance(node, Sym):
            if node.name in ("n", "k", "m") or node.name in self.integers:
                return sp.Symbol(node.name, integer=True, nonnegative=True)
            return sp.Symbol(node.name, real=True)
        if isinstance(node, Const):
            known = {"pi": sp.pi, "e": sp.E, "i": sp.I, "oo": sp.oo}
            if node.name not in known:
                raise _NotMine
            return known[node.name]
        if isinstance(node, Base):
            return sp.Integer(int(node.digits, node.base))
        if not isinstance(node, Op):
            raise _NotMine
        return self.operation(node)

    def operation(self, node: Op) -> Any:
        sp, name = self.sympy, node.name
        if name in ("sum", "prod"):
            return self.series(node)
        if name == "int":
            return self.integral(node)
        if name == "lim":
            variable, at, body = node.args
            return sp.limit(self.build(body), self.build(variable), self.build(at))
        if name == "call" and isinstance(node.args[0], Sym):
            return sp.Function(node.args[0].name)(*map(self.build, node.args[1:]))
        if name == "index" and isinstance(node.args[0], Sym):
            return sp.Function(node.args[0].name + "_")(*map(self.build, node.args[1:]))
        args = [self.build(arg) for arg in node.args]
        if name == "pow":
            return self.power(args[0], args[1])
        if name == "fact":
            if args[0].is_number and not (args[0].is_Integer and 0 <= args[0] <= MAX_FACTORIAL):
                raise _NotMine
            return sp.factorial(args[0])
        if name == "binom":
            if all(arg.is_number for arg in args) and max(args) > MAX_FACTORIAL:
                raise _NotMine
            return sp.binomial(*args)
        if name == "root":
            return sp.real_root(args[0], args[1]) if args[0].is_number else sp.root(*args)
        return self.plain(name, args)

    def power(self, base: Any, exponent: Any) -> Any:
        if exponent.is_number:
            size = abs(exponent.evalf(15))
            if not size.is_number or size > MAX_EXPONENT:
                raise _NotMine
        if base.is_negative and exponent.is_Rational and exponent.q % 2 and exponent.q > 1:
            raise _NotMine  # (-8)^(1/3): the real root or the principal one, who knows
        return base**exponent

    def series(self, node: Op) -> Any:
        sp = self.sympy
        variable, low, high, body = node.args
        if not isinstance(variable, Sym):
            raise _NotMine
        self.integers.add(variable.name)
        limits = (self.build(variable), self.build(low), self.build(high))
        term = self.build(body)
        make = sp.summation if node.name == "sum" else sp.product
        return make(term, limits)

    def integral(self, node: Op) -> Any:
        if len(node.args) != 4:
            raise _NotMine
        variable, low, high, body = node.args
        limits = (self.build(variable), self.build(low), self.build(high))
        return self.sympy.integrate(self.build(body), limits)

    def plain(self, name: str, args: list[Any]) -> Any:
        sp = self.sympy
        if name == "add":
            return sp.Add(*args)
        if name == "mul":
            return sp.Mul(*args)
        if name == "neg":
            return -args[0]
        if name == "div":
            if args[1] == 0:
                raise _NotMine
            return args[0] / args[1]
        if name == "percent":
            return args[0] / 100
        if name == "deg":
            return args[0] * sp.pi / 180
        if name == "cis":
            return sp.cos(args[0]) + sp.I * sp.sin(args[0])
        if name == "log" and len(args) == 2:
            return sp.log(args[0]) / sp.log(args[1])
        known = {
            "sqrt": sp.sqrt, "exp": sp.exp, "ln": sp.log, "log": sp.log, "abs": sp.Abs,
            "sin": sp.sin, "cos": sp.cos, "tan": sp.tan, "cot": sp.cot, "sec": sp.sec,
            "csc": sp.csc, "arcsin": sp.asin, "arccos": sp.acos, "arctan": sp.atan,
            "arccot": sp.acot, "arcsec": sp.asec, "arccsc": sp.acsc, "sinh": sp.sinh,
            "cosh": sp.cosh, "tanh": sp.tanh, "arcsinh": sp.asinh, "arccosh": sp.acosh,
            "arctanh": sp.atanh, "floor": sp.floor, "ceil": sp.ceiling, "max": sp.Max,
            "min": sp.Min, "re": sp.re, "im": sp.im, "sgn": sp.sign, "gcd": sp.gcd,
            "lcm": sp.lcm, "mod": sp.Mod, "gamma": sp.gamma, "coth": sp.coth, "sech": sp.sech,
            "csch": sp.csch, "arg": sp.arg, "erf": sp.erf, "perm": sp.ff, "bar": sp.conjugate,
        }  # fmt: skip
        if name not in known:
            raise _NotMine
        return known[name](*args)


if __name__ == "__main__":
    sys.setrecursionlimit(4_000)  # SymPy recurses deeply on trees of a hundred levels
    main()
