"""Events as plain JSON in the log, and back, by the types that their classes declare."""

from dataclasses import fields
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
)
from eventsourcing.utils import get_topic

from domain.catalogue import EVENTS, Event

_ADDRESS = frozenset({"originator_id", "originator_version"})


class JSONMapper(Mapper[UUID]):
    """Encodes with msgspec: a field is a plain JSON value, so that any reader can read the log.

    An event class whose shape changed declares `class_version` and `upcast_vN_vM(state)`, which
    takes the raw JSON object.
    """

    _encoder: ClassVar[msgspec.json.Encoder] = msgspec.json.Encoder()

    def __init__(self) -> None:
        super().__init__(transcoder=JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        state = {k: v for k, v in vars(domain_event).items() if k not in _ADDRESS}
        version = getattr(domain_event, "class_version", 1)
        if version > 1:
            state["class_version"] = version
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=get_topic(type(domain_event)),
            state=self._encoder.encode(state),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """Decode one event.

        Raises:
            MapperDeserialisationError: the topic is unknown, or the state is not of its shape.
        """
        kind = EVENTS.get(stored_event.topic)
        if kind is None:
            raise MapperDeserialisationError(f"No event is stored under {stored_event.topic!r}.")
        try:
            state = _decode(kind, stored_event.state)
        except msgspec.MsgspecError as error:
            raise MapperDeserialisationError(f"{stored_event.topic}: {error}") from error
        state["originator_id"] = stored_event.originator_id
        state["originator_version"] = stored_event.originator_version
        event = object.__new__(kind)
        object.__setattr__(event, "__dict__", state)
        return event


def _decode(kind: type[Event], state: bytes) -> dict[str, Any]:
    version: int = getattr(kind, "class_version", 1)
    if version == 1:
        return msgspec.structs.asdict(_decoder(kind.TOPIC).decode(state))
    raw: dict[str, Any] = msgspec.json.decode(state)
    for older in range(raw.pop("class_version", 1), version):
        getattr(kind, f"upcast_v{older}_v{older + 1}")(raw)
    return msgspec.structs.asdict(msgspec.convert(raw, _shape(kind.TOPIC)))


@cache
def _shape(topic: str) -> type[msgspec.Struct]:
    kind = EVENTS[topic]
    declared = [(f.name, f.type) for f in fields(kind) if f.name not in _ADDRESS]
    return msgspec.defstruct(kind.__name__, declared)


@cache
def _decoder(topic: str) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(_shape(topic))
