"""Events as plain JSON in the log, and back, by the types that their classes declare."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, NotRequired, TypedDict
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

# Looked up once, and not for every event.
_new, _set = object.__new__, object.__setattr__

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
        self._codecs: dict[str, _Codec] = {}

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
        kind, version, decode_state = self._codecs.get(topic) or self._codec(topic)
        try:
            values = decode_state(state)
            if values.pop(_VERSION, 1) != version:
                values = _converted(kind, state)
        except (msgspec.MsgspecError, ValueError):
            values = _converted(kind, state)
        values["originator_id"] = originator_id
        values["originator_version"] = originator_version
        event = _new(kind)
        # Beside the constructor: a frozen dataclass would set field by field.
        _set(event, "__dict__", values)
        return event

    def _codec(self, topic: str) -> "_Codec":
        kind = self._events.get(topic)
        if kind is None:
            raise MapperDeserialisationError(f"No event is stored under {topic!r}.")
        decode = msgspec.json.Decoder(_shape(kind)).decode
        return self._codecs.setdefault(topic, _Codec(kind, getattr(kind, _VERSION, 1), decode))


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


class _Codec(NamedTuple):
    """How the present release decodes what is stored under a topic."""

    kind: type[Event]
    version: int
    decode: Callable[[bytes], dict[str, Any]]


def _converted(kind: type[Event], state: bytes) -> dict[str, Any]:
    """Decode what was stored in another version than the present one, or tell what is wrong."""
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
