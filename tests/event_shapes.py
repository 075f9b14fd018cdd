"""The shapes of events: what a class stores now, and what is on record of what it stored."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from domain.aggregate import Event

RECORD = Path(__file__).parent / "architecture" / "event_shapes.json"

_ADDRESS = frozenset({"originator_id", "originator_version"})


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields of one version of an event with their types, and those that are personal."""

    fields: Mapping[str, str]
    personal: tuple[str, ...] = ()


# By topic, then by class_version (from 1), each as it was when it was first stored.
Shapes = Mapping[str, Mapping[int, Shape]]


def recorded_shapes() -> Shapes:
    """Return what is on record of every event that was ever stored."""
    return msgspec.json.decode(RECORD.read_bytes(), type=dict[str, dict[int, Shape]])


def shape_of(event: type[Any]) -> Shape:
    """Return what a class stores of an event beside its address."""
    types = get_type_hints(event)
    stored = {f.name: _named(types[f.name]) for f in fields(event) if f.name not in _ADDRESS}
    return Shape(stored, tuple(sorted(getattr(event, "PERSONAL", ()))))


def objections(events: Mapping[str, type[Event]], recorded: Shapes) -> Sequence[str]:
    """Say what would leave stored events unreadable, or read otherwise than they were meant.

    Args:
        events: the classes by every topic that they are read from.
        recorded: what is on record.
    """
    found = [
        f"{topic}: events are stored under this topic for good, and nothing reads them any more."
        " Keep the class, or name the topic in FORMER_TOPICS of the one that has taken its place."
        for topic in sorted(recorded.keys() - events.keys())
    ]
    for topic, event in events.items():
        if topic == event.TOPIC:
            found += _objections_to(event, recorded.get(topic, {}))
        elif topic not in recorded:
            found.append(f"{topic}: nothing was ever stored under this former topic.")
    return found


def column_objections(events: Sequence[type[Any]], recorded: Shapes) -> Sequence[str]:
    """Say the same of events in typed columns, which have one version and grow by nullable ones."""
    found = list[str]()
    for event in events:
        topic: str = event.TOPIC
        before, now = recorded.get(topic, {}).get(1), shape_of(event)
        lost = () if before is None else before.fields.items() - now.fields.items()
        found += [
            f"{topic}.{name}: rows have this column as {kind}, and keep it."
            for name, kind in sorted(lost)
        ]
        if before is not None:
            found += [
                f"{topic}.{name}: rows that are there have no such value; let it be `{kind} | None`"
                " and make a nullable column."
                for name, kind in now.fields.items() - before.fields.items()
                if name not in before.fields and not kind.endswith("| None")
            ]
        if before != now and not lost:
            found.append(_to_record(topic, 1, now))
    return found


def _objections_to(event: type[Event], recorded: Mapping[int, Shape]) -> Sequence[str]:
    topic, now = event.TOPIC, shape_of(event)
    version: int = getattr(event, "class_version", 1)
    found = [
        f"{topic}: {event.__name__} needs a static upcast_v{older}_v{older + 1}(state), for events"
        f" that were stored in version {older}."
        for older in range(1, version)
        if not callable(getattr(event, f"upcast_v{older}_v{older + 1}", None))
    ]
    if unknown := set(now.personal) - now.fields.keys():
        found.append(f"{topic}: PERSONAL names {sorted(unknown)}, which are no fields.")
    if version < max(recorded, default=1):
        found.append(
            f"{topic}: version {max(recorded)} has been stored, and {event.__name__} has"
            f" class_version {version}. Versions only rise."
        )
    elif version not in recorded:
        found += [
            f"{topic}: there is no record of version {missing}; versions rise by one."
            for missing in range(1, version)
            if missing not in recorded
        ]
        found.append(_to_record(topic, version, now))
    elif now != recorded[version]:
        found.append(_changed(event, version, recorded[version], now))
    return found


def _changed(event: type[Event], version: int, before: Shape, now: Shape) -> str:
    following = version + 1
    lost = before.fields.items() - now.fields.items()
    come = now.fields.items() - before.fields.items()
    lines = [
        f"{event.TOPIC} changed its shape within class_version {version}:",
        *(f"  - {name}: {kind}" for name, kind in sorted(lost)),
        *(f"  + {name}: {kind}" for name, kind in sorted(come)),
    ]
    if before.personal != now.personal:
        lines.append(f"  PERSONAL: {before.personal} became {now.personal}")
    return "\n".join(
        [
            *lines,
            "What is stored stays as it is, so (docs/evolving-events.md):",
            f"  1. set class_version = {following} on {event.__name__} and write a static",
            f"     upcast_v{version}_v{following}(state) that makes a stored one into a new one;",
            f"  2. append an example of version {following} to tests/store/corpus; none is edited;",
            f"  3. {_to_record(event.TOPIC, following, now)}",
        ]
    )


def _to_record(topic: str, version: int, shape: Shape) -> str:
    text = msgspec.json.encode({str(version): shape}).decode()
    return f"add to tests/architecture/event_shapes.json under {topic!r}: {text[1:-1]}"


def _named(kind: Any) -> str:
    """Return a type by the names of its parts, the same however it is written."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        names = sorted(_named(part) for part in parts if part is not NoneType)
        return " | ".join([*names, "None"] if NoneType in parts else names)
    if origin is Literal:
        return f"Literal[{', '.join(sorted(map(repr, parts)))}]"
    if origin is not None:
        inner = ", ".join("..." if part is ... else _named(part) for part in parts)
        return f"{origin.__name__}[{inner}]"
    name = str(kind.__name__)
    if is_dataclass(kind):
        types = get_type_hints(kind)
        inner = ", ".join(f"{field.name}: {_named(types[field.name])}" for field in fields(kind))
        return f"{name}({inner})"
    return name
