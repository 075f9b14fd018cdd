"""What is true of every event, written or yet to be written."""

import re
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

from domain.catalogue import EVENTS, Event

IRREGULAR = {
    *("Built", "Begun", "Chosen", "Drawn", "Forgotten", "Hidden", "Reset", "Sent", "Shown"),
    *("Spent", "Taken", "Withdrawn"),
}
PLAIN = {UUID, Decimal, bool, datetime, float, int, str, type(None)}


def leaves(annotation: object) -> set[object]:
    if get_origin(annotation) is Literal:
        return {type(choice) for choice in get_args(annotation)}
    inner = [leaves(part) for part in get_args(annotation) if part is not ...]
    if isinstance(annotation, type) and is_dataclass(annotation):
        assert annotation.__dataclass_params__.frozen  # type: ignore[attr-defined]  # as below
        inner = [leaves(part) for part in get_type_hints(annotation).values()]
    return set[object]().union(*inner) if inner else {annotation}


@pytest.mark.parametrize("event", EVENTS.values())
def test_named_in_the_past_tense(event: type[Event]) -> None:
    words = re.findall("[A-Z][a-z]+", event.__name__)

    assert any(word.endswith("ed") or word in IRREGULAR for word in words)


@pytest.mark.parametrize("event", EVENTS.values())
def test_stored_under_a_topic_of_its_own_context(event: type[Event]) -> None:
    context = event.__module__.split(".")[-2]

    assert re.fullmatch(rf"{context}\.[a-z]+(_[a-z]+)*", event.TOPIC)


@pytest.mark.parametrize("event", EVENTS.values())
def test_a_frozen_dataclass_of_plain_values(event: type[Event]) -> None:
    assert is_dataclass(event)
    assert event.__dataclass_params__.frozen  # type: ignore[attr-defined]  # what dataclass leaves
    types = get_type_hints(event)
    for field in fields(event):
        if field.name == "originator_id":  # which the library has generic
            continue
        assert leaves(types[field.name]) <= PLAIN, f"{event.__name__}.{field.name}"


def test_no_two_share_a_topic() -> None:
    def written(kind: type[Event]) -> list[type[Event]]:
        of_the_product = "TOPIC" in kind.__dict__ and kind.__module__.startswith("domain.")
        own = [kind] if of_the_product else []
        return own + [leaf for child in kind.__subclasses__() for leaf in written(child)]

    assert len(written(Event)) == len(EVENTS)
