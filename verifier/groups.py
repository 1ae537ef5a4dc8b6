"""Groups of responses to one problem within a batch, and whether their rewards differ.

A group whose rewards are all equal teaches a policy nothing (its advantages are 0), so their share
is what to look at when training stalls. A group is the items with one `meta["group"]`, or else
those with equal tasks. Items without a reward are left out, groups of fewer than two are none.

Used only where metrics are served: it takes a microsecond or two for each item. Nothing of an item
is kept but a hash. Serialised items and verdicts are read with messages that know their few fields
only, which leaves the rest unparsed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from verifier import metrics
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

MOST_GROUPS = 16_384
"""Groups open at once in one batch or stream; the oldest is counted as it stands when one more
comes."""

_TASKS: Final = tuple(pb.Item.DESCRIPTOR.oneofs_by_name["task"].fields)
_NAME = b"\n\x05group\x12"
"""How an entry of Item.meta with the key "group" begins."""


def _views() -> tuple[Any, Any]:
    """Messages on the wire format of Item and Verdict: tasks and entries of `meta` as bytes, and
    the reward."""
    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="verifier/groups.proto", package="verifier.groups", syntax="proto2"
    )
    item = file.message_type.add(name="Item")
    for field in _TASKS:
        item.field.add(
            name=field.name,
            number=field.number,
            type=kind.TYPE_BYTES,
            label=kind.LABEL_OPTIONAL,
        )
    meta = pb.Item.DESCRIPTOR.fields_by_name["meta"].number
    item.field.add(name="meta", number=meta, type=kind.TYPE_BYTES, label=kind.LABEL_REPEATED)
    verdict = file.message_type.add(name="Verdict")
    reward = pb.Verdict.DESCRIPTOR.fields_by_name["reward"].number
    verdict.field.add(
        name="reward", number=reward, type=kind.TYPE_DOUBLE, label=kind.LABEL_OPTIONAL
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return (
        message_factory.GetMessageClass(pool.FindMessageTypeByName("verifier.groups.Item")),
        message_factory.GetMessageClass(pool.FindMessageTypeByName("verifier.groups.Verdict")),
    )


_Item, _Verdict = _views()
_NAMES: Final = tuple(field.name for field in _TASKS)


class _Group:
    __slots__ = ("different", "first", "rewards", "task")

    def __init__(self, task: str) -> None:
        self.task, self.rewards, self.first, self.different = task, 0, 0.0, False

    def add(self, reward: float) -> None:
        if not self.rewards:
            self.first = reward
        elif reward != self.first:
            self.different = True
        self.rewards += 1

    def count(self) -> None:
        if self.rewards > 1:
            metrics.GROUPS.labels(self.task).inc()
            if not self.different:
                metrics.FLAT_GROUPS.labels(self.task).inc()


class Groups:
    """Those of one batch, or of one stream. `add` its items in order, `told` each verdict, `close`
    when no more come."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, int], _Group] = {}
        self._places: dict[int, _Group] = {}
        self._next = 0

    def add(self, items: Iterable[pb.Item | Unreadable | bytes]) -> None:
        """The next items of the batch, parsed or serialised."""
        for item in items:
            place, self._next = self._next, self._next + 1
            key = _key(item)
            if key is None:
                continue
            group = self._groups.get(key)
            if group is None:
                if len(self._groups) >= MOST_GROUPS:
                    oldest = next(iter(self._groups))
                    self._groups.pop(oldest).count()
                group = self._groups[key] = _Group(key[0])
            self._places[place] = group

    def told(self, place: int, verdict: bytes | pb.Verdict) -> None:
        """The verdict of the item at that place, serialised or not."""
        group = self._places.pop(place, None)
        if group is None:
            return
        read = _Verdict.FromString(verdict) if isinstance(verdict, bytes) else verdict
        if read.HasField("reward"):
            group.add(read.reward)

    def close(self) -> None:
        """Counts the groups."""
        for group in self._groups.values():
            group.count()
        self._groups.clear()
        self._places.clear()


def _key(item: pb.Item | Unreadable | bytes) -> tuple[str, int] | None:
    """The task's name, and a hash of what tells the groups apart; None for no valid item."""
    if isinstance(item, pb.Item):
        name = item.WhichOneof("task")
        if name is None:
            return None
        if item.meta and "group" in item.meta:
            return name, hash(item.meta["group"])
        return name, hash(getattr(item, name).SerializeToString(deterministic=True))
    if isinstance(item, Unreadable):
        return None
    try:
        view = _Item.FromString(item)
    except DecodeError:
        return None
    for known in _NAMES:
        if view.HasField(known):
            for entry in view.meta:
                if entry.startswith(_NAME):
                    return known, hash(entry)
            return known, hash(getattr(view, known))
    return None
