"""Groups of rewards without variance: against a plain count, and from serialised items too."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from verifier import groups, metrics
from verifier.groups import Groups
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable


def item(gold: str, group: str = "", task: str = "math") -> pb.Item:
    made = pb.Item(id="x", prompt="p", response="r")
    if task == "math":
        made.math.gold.append(gold)
    else:
        made.choice.gold = gold
        made.choice.options.extend("AB")
    if group:
        made.meta["first"] = "1"
        made.meta["group"] = group
        made.meta["other"] = "2"
    return made


def counts(task: str) -> tuple[float, float]:
    return (
        metrics.GROUPS.labels(task)._value.get(),
        metrics.FLAT_GROUPS.labels(task)._value.get(),
    )


def counted(items: list[object], rewards: list[float | None], raw: bool) -> dict[str, list[float]]:
    """What the metrics grew by, by task: groups and flat groups."""
    before = {task: counts(task) for task in ("math", "choice")}
    tally = Groups()
    given_ = [one.SerializeToString() if raw and isinstance(one, pb.Item) else one for one in items]
    tally.add(given_[: len(items) // 2])
    tally.add(given_[len(items) // 2 :])
    for place in reversed(range(len(items))):  # verdicts come in any order
        verdict = pb.Verdict(id="x", reward=rewards[place], timing=pb.Timing(ran_ms=3))
        tally.told(place, verdict.SerializeToString() if raw else verdict)
    tally.close()
    return {
        task: [now - old for now, old in zip(counts(task), before[task], strict=True)]
        for task in before
    }


GIVEN = st.lists(
    st.tuples(
        st.sampled_from(["math", "choice"]),
        st.sampled_from(["1", "2"]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from([None, 0.0, 1.0]),
    ),
    max_size=24,
)


@settings(max_examples=150, deadline=None)
@given(GIVEN, st.booleans())
def test_groups_are_those_of_a_plain_count(
    given_: list[tuple[str, str, str, float | None]], raw: bool
) -> None:
    members: dict[tuple[str, str], list[float]] = defaultdict(list)
    for task, gold, group, reward in given_:
        key = f"group {group}" if group else f"gold {gold}"
        if reward is not None:
            members[task, key].append(reward)
    expected = {"math": [0, 0], "choice": [0, 0]}
    for (task, _), rewards in members.items():
        if len(rewards) > 1:
            expected[task][0] += 1
            expected[task][1] += len(set(rewards)) == 1
    items: list[object] = [item(gold, group, task) for task, gold, group, _ in given_]
    assert counted(items, [reward for *_, reward in given_], raw) == expected


def test_what_is_no_item_is_in_no_group() -> None:
    items = [item("1"), Unreadable("x", "bad"), pb.Item(id="no task"), b"\xff\xff", item("1")]
    assert counted(items, [1.0] * 5, raw=False)["math"] == [1, 1]


def test_an_endless_stream_takes_bounded_memory(monkeypatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 4)
    before = counts("math")
    tally = Groups()
    for number in range(100):
        tally.add([item(str(number)), item(str(number))])
        tally.told(2 * number, pb.Verdict(reward=1.0))
        tally.told(2 * number + 1, pb.Verdict(reward=float(number % 2)))
        assert len(tally._groups) <= 4
        assert not tally._places
    tally.close()
    grown = [now - old for now, old in zip(counts("math"), before, strict=True)]
    assert grown == [100, 50]
