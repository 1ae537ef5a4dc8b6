"""What a verdict says otherwise than the one on record, and what many such changes amount to. Pure.

A verdict has changed when its status, its reward, or the score or the reason of one of its parts
has. Evidence, details and times have no say, nor does what differs by itself from run to run:

- the score of a speed part that was measured both times, and a reward that it counts in;
- what could not be decided then for a reason of ours (SANDBOX_ERROR, JUDGE_ERROR, INTERNAL);
- what needs a judge, a reward model or a toolchain that the server at hand has not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from verifier.audit.records import Record
from verifier.limits import MESSAGE_CHARS
from verifier.parts import rating_part, rests_on_task
from verifier.terminal import printable
from verifier.v1 import verifier_pb2 as pb

FAILURES = frozenset({pb.Verdict.SANDBOX_ERROR, pb.Verdict.JUDGE_ERROR, pb.Verdict.INTERNAL})

EXAMPLES = 3
"""Kept of each group."""

SHOWN_CHARS = 60
"""Of a text in an example."""

GROUPS = 1_000
"""Told apart; what more there is counts together. An honest upgrade has a handful."""


@dataclass(frozen=True)
class Change:
    """A field with what it was and what it is; None: it was not there."""

    field: str
    old: str | float | None
    new: str | float | None


def changes(old: pb.Verdict, new: pb.Verdict) -> list[Change]:
    """The fields that differ: `status`, `PART.reason`, `PART.score`, `reward`, in this order."""
    was = {part.name: part for part in old.parts}
    now = {part.name: part for part in new.parts}
    pairs: list[tuple[str, str | float | None, str | float | None]] = [
        ("status", _status(old), _status(new))
    ]
    # A verdict that is none has no parts, which the status says already.
    names = list(dict.fromkeys([*was, *now])) if was and now else []
    measured = _measured(old) & _measured(new)
    for name in names:
        first, second = was.get(name), now.get(name)
        pairs.append((f"{name}.reason", _reason(first), _reason(second)))
        if name not in measured:
            pairs.append((f"{name}.score", _score(first), _score(second)))
    if not any(was[name].weight or now[name].weight for name in measured):
        pairs.append(("reward", _reward(old), _reward(new)))
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def measures_speed(old: pb.Verdict, new: pb.Verdict) -> bool:
    """Whether both have a speed that was measured, which is not compared."""
    return bool(_measured(old) & _measured(new))


def _measured(verdict: pb.Verdict) -> set[str]:
    return {part.name for part in verdict.parts if part.reason == pb.Part.measured}


def _status(verdict: pb.Verdict) -> str:
    return pb.Verdict.Status.Name(verdict.status)


def _reason(part: pb.Part | None) -> str | None:
    return None if part is None else pb.Part.Reason.Name(part.reason)


def _score(part: pb.Part | None) -> float | None:
    return part.score if part is not None and part.HasField("score") else None


def _reward(verdict: pb.Verdict) -> float | None:
    return verdict.reward if verdict.HasField("reward") else None


def not_comparable(record: Record, told: pb.DescribeResponse) -> str | None:
    """Why a record says nothing about a server that tells this of itself; None where it does."""
    item, old = record.item, record.verdict
    if item is None:
        return "no item: what came was none"
    if old.status in FAILURES:
        return f"no verdict then: {_status(old)}"
    recipe = item.inline_recipe
    if item.recipe:
        recipe = next((one for one in told.recipes if one.name == item.recipe), recipe)
    asks = item.HasField("judge") or item.HasField("preference")
    judged = (
        (asks and rests_on_task(recipe if recipe.parts else None))
        or recipe.escalate > pb.Recipe.NEVER
        or old.evidence.HasField("judge")
        or bool(old.provenance.judge_model)
    )
    if judged and not told.judge_model:
        return "needs a judge (--judge)"
    part = rating_part(recipe)
    if (part is not None or old.provenance.reward_model) and not told.reward_model:
        return "needs a reward model (--judge)"
    wanted = "" if part is None else part.options.get("model", "")
    if wanted and wanted not in told.reward_model.split(", "):
        return f"needs the reward model {wanted[:SHOWN_CHARS]} (--judge)"
    language = item.code.language
    if item.HasField("code") and old.status != pb.Verdict.INVALID:
        if not told.toolchains:
            return "needs a sandbox"
        if language not in {known.language for known in told.toolchains}:
            return f"needs a toolchain: {language[:SHOWN_CHARS]}"
    return None


@dataclass(frozen=True)
class Kind:
    """What changed verdicts have in common."""

    task: str
    old_version: str
    new_version: str
    what: str
    """The first change that tells most, e.g. "accuracy: no_match -> match"."""


def kind(record: Record, new: pb.Verdict, found: Sequence[Change]) -> Kind:
    """The kind of a change: by the status, else a reason, else a score, else the reward alone."""
    was, now = record.verdict.provenance, new.provenance
    first = next((one for one in found if one.field == "status"), None)
    first = first or next((one for one in found if one.field.endswith(".reason")), found[0])
    name = first.field.removesuffix(".reason")
    if isinstance(first.old, float) and isinstance(first.new, float):
        what = f"{name}: {'higher' if first.new > first.old else 'lower'}"
    elif isinstance(first.old, float) or isinstance(first.new, float):
        what = f"{name}: {'absent' if first.old is None else 'present'} before"
    else:
        what = f"{name}: {first.old or 'absent'} -> {first.new or 'absent'}"
    if was.recipe_hash and now.recipe_hash and was.recipe_hash != now.recipe_hash:
        what += f" (the recipe {now.recipe[:SHOWN_CHARS]} is another)"
    task = record.item.WhichOneof("task") if record.item is not None else None
    texts = (was.verifier_version, now.verifier_version, what)
    return Kind(task or "none", *(printable(text[:MESSAGE_CHARS]) for text in texts))


OTHERS = Kind("any", "", "", f"others: more than {GROUPS:,} kinds")


@dataclass
class Group:
    """Verdicts that changed in the same way."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """What came out so far. Its size does not depend on the number of records."""

    records: int = 0
    compared: int = 0
    changed: int = 0
    higher: int = 0
    lower: int = 0
    """Rewards, of those that were and are there."""
    other_answers: int = 0
    """Unchanged, but another answer was extracted."""
    speeds: int = 0
    """Compared but for a speed that was measured."""
    rewarded: int = 0
    """Compared with a reward then and now; the sums are over them."""
    old_sum: float = 0.0
    new_sum: float = 0.0
    groups: dict[Kind, Group] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    """Not comparable, by why."""
    unreadable: int = 0
    cut: int = 0
    """Last lines without an end."""

    @property
    def unchanged(self) -> int:
        return self.compared - self.changed

    def add(self, record: Record, new: pb.Verdict) -> list[Change]:
        """Counts one verdict beside that on record; gives what has changed."""
        old = record.verdict
        found = changes(old, new)
        self.compared += 1
        self.speeds += measures_speed(old, new)
        if old.HasField("reward") and new.HasField("reward"):
            self.rewarded += 1
            self.old_sum += old.reward
            self.new_sum += new.reward
        if not found:
            self.other_answers += old.extracted != new.extracted
            return found
        self.changed += 1
        rewards = next((one for one in found if one.field == "reward"), None)
        if rewards and isinstance(rewards.old, float) and isinstance(rewards.new, float):
            self.higher += rewards.new > rewards.old
            self.lower += rewards.new < rewards.old
        which = kind(record, new, found)
        if which not in self.groups and len(self.groups) >= GROUPS:
            which = OTHERS
        group = self.groups.setdefault(which, Group())
        group.count += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(example(record, new, found))
        return found

    def told(self) -> dict[str, object]:
        """The counts, for JSON."""
        mean = {"old": None, "new": None} if not self.rewarded else {
            "old": self.old_sum / self.rewarded, "new": self.new_sum / self.rewarded,
        }  # fmt: skip
        return {
            "records": self.records,
            "compared": self.compared,
            "unchanged": self.unchanged,
            "changed": self.changed,
            "reward_higher": self.higher,
            "reward_lower": self.lower,
            "mean_reward": mean | {"over": self.rewarded},
            "other_answers": self.other_answers,
            "speeds_not_compared": self.speeds,
            "not_comparable": dict(self.skipped.most_common()),
            "unreadable": self.unreadable,
            "cut": self.cut,
            "kinds": [
                {
                    "task": which.task,
                    "old_version": which.old_version,
                    "new_version": which.new_version,
                    "what": which.what,
                    "count": group.count,
                    "examples": group.examples,
                }
                for which, group in self.ordered()
            ],
        }

    def ordered(self) -> list[tuple[Kind, Group]]:
        """The groups, the largest first."""
        return sorted(self.groups.items(), key=lambda one: -one[1].count)


def example(record: Record, new: pb.Verdict, found: Sequence[Change]) -> str:
    """One changed verdict in a line: every change, and what it rests on."""
    old = record.verdict
    said = [_shown(old.id)]
    said += [f"{printable(one.field)} {_value(one.old)} -> {_value(one.new)}" for one in found]
    if old.extracted == new.extracted:
        said.append(f"extracted {_shown(new.extracted)}")
    else:
        said.append(f"extracted {_shown(old.extracted)} -> {_shown(new.extracted)}")
    if gold := _gold(new) or _gold(old):
        said.append(f"gold {_shown(gold)}")
    said += [f"{when}: {why}" for when, why in (("then", _why(old)), ("now", _why(new))) if why]
    return "; ".join(said)


def _gold(verdict: pb.Verdict) -> str:
    return verdict.evidence.math.gold


def _why(verdict: pb.Verdict) -> str:
    """What a verdict says for itself: the message, or the first test that failed, or the detail."""
    if verdict.evidence.message:
        return _shown(verdict.evidence.message)
    for test in verdict.evidence.code.tests:
        if test.reason not in (pb.Part.accepted, pb.Part.not_run):
            reason = pb.Part.Reason.Name(test.reason)
            got = f", got {_shown(test.got)}" if test.got else ""
            return f"test {_shown(test.id)} {reason}{got}"
    return _shown(verdict.parts[0].detail) if verdict.parts and verdict.parts[0].detail else ""


def _value(value: str | float | None) -> str:
    if value is None:
        return "absent"
    return value if isinstance(value, str) else f"{value:.10g}"


def _shown(text: str) -> str:
    """A text that a model may have written, on one line and without what a terminal obeys."""
    return repr(text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…")
