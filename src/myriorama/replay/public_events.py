"""What leaves the house of a domain event: its public fields, in the shape of the present release.

A field leaves if the event's class declares it and does not call it personal (`Event.PERSONAL`).
What is stored beyond that stays, whatever it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

import msgspec
from eventsourcing.persistence import MapperDeserialisationError
from msgspec import UNSET, Raw, UnsetType

from domain.catalogue import READABLE, Event
from myriorama.store.mapper import SchemaFromFuture, upcast

_ADDRESS = frozenset({"originator_id", "originator_version", "originator_topic", "timestamp"})

_encode = msgspec.json.Encoder().encode


class PublicEvent(NamedTuple):
    """A domain event without its place in the log."""

    topic: str
    """The present one, if it was stored under a former one."""
    occurred_at: Raw
    """JSON text: a time in ISO 8601."""
    data: msgspec.Struct
    """An object whose fields are JSON text; it is to be encoded into JSON."""


def published(
    topic: str, state: bytes, events: Mapping[str, type[Event]] = READABLE
) -> PublicEvent:
    """Return what is public of a stored event.

    Raises:
        MapperDeserialisationError: the state is none of an event of this topic.
        SchemaFromFuture: a newer release stored it; what is public of it, that release knows.
    """
    kind = events.get(topic)
    if kind is None:
        raise SchemaFromFuture(f"This release knows no events under {topic!r}.")
    version, decode = _shape(kind)
    try:
        data: Any = decode(state)
    except msgspec.MsgspecError:
        data = None
    if data is None or data.class_version != version:
        data = _upcast(kind, state, decode)
    occurred_at, data.timestamp, data.class_version = data.timestamp, UNSET, UNSET
    return PublicEvent(kind.TOPIC, occurred_at, data)


def _upcast(kind: type[Event], state: bytes, decode: Callable[[bytes], Any]) -> Any:
    try:
        return decode(_encode(upcast(kind, state)))
    except msgspec.MsgspecError as error:
        raise MapperDeserialisationError(f"{kind.TOPIC}: {error}") from error


@cache
def _shape(kind: type[Event]) -> tuple[int, Callable[[bytes], msgspec.Struct]]:
    """Return the present version of a class, and what takes its public fields out of a state.

    The fields are cut out, not decoded: what leaves is what was stored.
    """
    public = [
        (field.name, Raw | UnsetType, UNSET)
        for field in fields(kind)
        if field.name not in _ADDRESS and field.name not in kind.PERSONAL
    ]
    shape = msgspec.defstruct(
        kind.__name__,
        # Who says no version is of the first.
        [("timestamp", Raw | UnsetType), ("class_version", int | UnsetType, 1), *public],
    )
    return getattr(kind, "class_version", 1), msgspec.json.Decoder(shape).decode
