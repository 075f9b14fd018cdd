"""What leaves the house of an event is what its class calls its own and not a person's."""

import msgspec
import pytest
from eventsourcing.persistence import MapperDeserialisationError

from domain.catalogue import EVENTS
from myriorama.replay.public_events import published
from myriorama.store.mapper import SchemaFromFuture

OPENED = (
    b'{"timestamp":"2026-11-22T12:00:00Z","originator_topic":"account","handle":"alice",'
    b'"email":"alice@example.org","password_hash":"$argon2id$"}'
)


def test_personal_fields_stay_at_home() -> None:
    event = published("account.opened", OPENED)

    assert event.topic == "account.opened"
    assert bytes(event.occurred_at) == b'"2026-11-22T12:00:00Z"'
    assert msgspec.json.encode(event.data) == b'{"handle":"alice"}'


@pytest.mark.parametrize("topic", EVENTS)
def test_no_personal_field_of_any_event_leaves(topic: str) -> None:
    fields = dict.fromkeys(EVENTS[topic].PERSONAL, "a secret")
    state = msgspec.json.encode({"timestamp": "2026-11-22T12:00:00Z", **fields})

    assert b"a secret" not in msgspec.json.encode(published(topic, state).data)


def test_what_no_class_declares_stays_at_home() -> None:
    event = published("account.opened", OPENED.replace(b'"email"', b'"e_mail"'))

    assert b"example.org" not in msgspec.json.encode(event.data)


def test_what_cannot_be_read_is_told_from_what_a_newer_release_wrote() -> None:
    with pytest.raises(MapperDeserialisationError):
        published("account.opened", b"{")
    with pytest.raises(MapperDeserialisationError):
        published("account.opened", b'{"handle":"alice"}')
    with pytest.raises(SchemaFromFuture):
        published("account.opened", OPENED.replace(b"{", b'{"class_version":99,'))
    with pytest.raises(SchemaFromFuture):
        published("account.teleported", OPENED)
