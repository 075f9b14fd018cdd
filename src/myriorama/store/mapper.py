"""Events as plain JSON in the log, and back, by the types that their classes declare."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, ClassVar, NotRequired, TypedDict
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol, EventSourcingError
from eventsourcing.persistence import (
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
)
from eventsourcing.utils import get_topic

from domain.catalogue import READABLE, Event

_ADDRESS = frozenset({"originator_id", "originator_version"})
_VERSION = "class_version"

_ClassVersion = Annotated[int, msgspec.Meta(ge=1)]


class SchemaFromFuture(EventSourcingError):
    """A newer release stored the event, in a shape that this release does not know.

    None of the errors of decoding: nothing is wrong with the event, so nobody may pass it over.
    """


class JSONMapper(Mapper[UUID]):
    """Encodes with msgspec: a field is a plain JSON value, so that any reader can read the log.

    An event class whose shape changed declares `class_version` and `upcast_vN_vM(state)`, which
    takes the raw JSON object and edits it (docs/evolving-events.md).
    """

    _encoder: ClassVar[msgspec.json.Encoder] = msgspec.json.Encoder()

    def __init__(self, events: Mapping[str, type[Event]] = READABLE) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._events = events

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        state = {k: v for k, v in vars(domain_event).items() if k not in _ADDRESS}
        version = getattr(domain_event, _VERSION, 1)
        if version > 1:
            state[_VERSION] = version
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=get_topic(type(domain_event)),
            state=self._encoder.encode(state),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """Decode one event, whichever release stored it: see `decode`."""
        return self.decode(
            stored_event.topic,
            stored_event.state,
            stored_event.originator_id,
            stored_event.originator_version,
        )

    def decode(
        self, topic: str, state: bytes, originator_id: UUID | str, originator_version: int
    ) -> Event:
        """Decode one event, whichever release stored it.

        Raises:
            MapperDeserialisationError: the topic is unknown, or the state is not of its shape.
            SchemaFromFuture: its `class_version` is newer than the one known here.
        """
        kind = self._events.get(topic)
        if kind is None:
            raise MapperDeserialisationError(f"No event is stored under {topic!r}.")
        values = _decode(kind, state)
        values["originator_id"] = originator_id
        values["originator_version"] = originator_version
        event = object.__new__(kind)
        # Beside the constructor: a frozen dataclass would set field by field.
        object.__setattr__(event, "__dict__", values)
        return event


def upcast(kind: type[Event], state: bytes) -> dict[str, Any]:
    """Return the JSON object that the present release would have stored.

    Raises:
        MapperDeserialisationError: the state is none of a version of `kind`.
        SchemaFromFuture: its `class_version` is newer than the one known here.
    """
    known: int = getattr(kind, _VERSION, 1)
    try:
        raw = msgspec.json.decode(state, type=dict[str, Any])
        stored = msgspec.convert(raw.pop(_VERSION, 1), _ClassVersion)
        if stored > known:
            raise SchemaFromFuture(
                f"{kind.TOPIC} was stored in version {stored}; this release knows {known}."
            )
        for older in range(stored, known):
            getattr(kind, f"upcast_v{older}_v{older + 1}")(raw)
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        raise MapperDeserialisationError(f"{kind.TOPIC}: {error!r}") from error
    return raw


def _decode(kind: type[Event], state: bytes) -> dict[str, Any]:
    version, decode = _decoder(kind)
    try:
        decoded = decode(state)
        if decoded.pop(_VERSION, 1) == version:
            return decoded
    except (msgspec.MsgspecError, ValueError):
        pass  # of another version, perhaps
    raw = upcast(kind, state)
    try:
        converted: dict[str, Any] = msgspec.convert(raw, _shape(kind))
    except msgspec.MsgspecError as error:
        raise MapperDeserialisationError(f"{kind.TOPIC}: {error}") from error
    return converted


@cache
def _shape(kind: type[Event]) -> Any:
    """Return the state of an event as a typed dictionary: it becomes the event's without a copy."""
    declared: dict[str, Any] = {f.name: f.type for f in fields(kind) if f.name not in _ADDRESS}
    make: Any = TypedDict
    return make(kind.__name__, {**declared, _VERSION: NotRequired[_ClassVersion]})


@cache
def _decoder(kind: type[Event]) -> tuple[int, Callable[[bytes], dict[str, Any]]]:
    return getattr(kind, _VERSION, 1), msgspec.json.Decoder(_shape(kind)).decode
