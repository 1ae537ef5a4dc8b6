"""The math verifier as the engine sees it: a task and a response in, an outcome out."""

from __future__ import annotations

from functools import lru_cache

from verifier.math import MathPolicy, MathVerdict, MathVerifier, Outcome, Tier
from verifier.math.check import LONG_ANSWER, LongAnswer, judge
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

VERSION = "2"

_STATUS = {
    Outcome.MATCH: pb.Verdict.OK,
    Outcome.NO_MATCH: pb.Verdict.OK,
    Outcome.NO_ANSWER: pb.Verdict.OK,
    Outcome.GOLD_UNPARSABLE: pb.Verdict.INVALID,
    Outcome.UNDECIDED: pb.Verdict.UNDECIDED,
    Outcome.TIMEOUT: pb.Verdict.TIMEOUT,
    Outcome.FAILED: pb.Verdict.INTERNAL,
}


async def verify(
    task: pb.MathTask, response: str, verifier: MathVerifier, budget_ms: int | None
) -> TaskOutcome:
    """Checks the final answer of `response` against the task's references.

    `budget_ms` is the wall time the work may take once it starts.
    """
    policy = read_policy(task.policy)
    budget = None if budget_ms is None else budget_ms / 1000
    found = await verifier.check(list(task.gold), response, policy, budget)
    return to_outcome(found, policy)


def verify_at_once(task: pb.MathTask, response: str) -> TaskOutcome | None:
    """As `verify`, without a symbolic step: None where one is needed, or the answer is long."""
    policy = read_policy(task.policy)
    try:
        found, pending = judge(list(task.gold), response, policy, LONG_ANSWER)
    except LongAnswer:
        return None
    return None if pending else to_outcome(found, policy)


def read_policy(policy: pb.MathPolicy) -> MathPolicy:
    """The policy of a request, its absent fields replaced by the defaults."""
    return _policy(policy.SerializeToString(deterministic=True))


@lru_cache(maxsize=64)
def _policy(serialised: bytes) -> MathPolicy:
    policy = pb.MathPolicy.FromString(serialised)
    default = MathPolicy()
    optional = {
        name: getattr(policy, name)
        for name in ("rounding", "interval_vs_inequality")
        if policy.HasField(name)
    }
    for name, kind in (
        ("percent", pb.MathPolicy.Percent),
        ("units", pb.MathPolicy.Units),
        ("order", pb.MathPolicy.Order),
    ):
        value = getattr(policy, name)
        optional[name] = kind.Name(value).lower() if value else getattr(default, name)
    numbers = tuple(int(number) for number in policy.numbers)
    return MathPolicy(free_text=policy.free_text, numbers=numbers, **optional)


@lru_cache(maxsize=64)
def write_policy(policy: MathPolicy) -> pb.MathPolicy:
    """The policy in force, for the evidence: every field set. Not to be changed."""
    return pb.MathPolicy(
        percent=pb.MathPolicy.Percent.Value(policy.percent.upper()),
        units=pb.MathPolicy.Units.Value(policy.units.upper()),
        order=pb.MathPolicy.Order.Value(policy.order.upper()),
        rounding=policy.rounding,
        interval_vs_inequality=policy.interval_vs_inequality,
        free_text=policy.free_text,
        numbers=[str(number) for number in policy.numbers],
    )


_TIER = {tier: pb.MathEvidence.Tier.Value(tier.value) for tier in Tier}
_REASON = {outcome: pb.Part.Reason.Value(outcome.value) for outcome in Outcome}


def to_outcome(found: MathVerdict, policy: MathPolicy) -> TaskOutcome:
    """A math verdict in the words of the contract. Pure."""
    status = _STATUS[found.outcome]
    evidence = pb.MathEvidence(
        tier=_TIER[found.tier] if found.tier else pb.MathEvidence.UNSPECIFIED,
        source=found.source,
        start=found.start,
        end=found.end,
        gold=found.gold,
        policy=write_policy(policy),
        canonical_gold=found.canonical_gold,
        canonical_answer=found.canonical_answer,
        point={name: str(at) for name, at in found.point.items()} if found.point else None,
    )
    message = "" if status == pb.Verdict.OK else _message(found)
    return TaskOutcome(
        status=status,
        reason=_REASON[found.outcome],
        score=(1.0 if found.outcome is Outcome.MATCH else 0.0) if status == pb.Verdict.OK else None,
        detail=found.detail,
        message=message,
        extracted=found.extracted,
        evidence=pb.Evidence(message=message, math=evidence),
        queued_ms=1000 * found.queued_s,
        cache_hit=found.cache_hit,
    )


def _message(found: MathVerdict) -> str:
    if found.outcome is Outcome.GOLD_UNPARSABLE:
        return f"math.gold[0]: {found.detail}"
    return found.detail or found.outcome.value
