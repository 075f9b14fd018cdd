"""The reference of all events, made from their classes: what `docs/events.md` holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from inspect import getdoc
from itertools import groupby
from typing import Any

import msgspec

from domain.catalogue import EVENTS, Event
from domain.viewing.events import VIEW_EVENTS, ViewEvent
from projections.projection import AnyProjection

_ADDRESS = frozenset({"originator_id", "originator_version", "originator_topic", "timestamp"})

_HEAD = """# Events

Made from the code by `myriorama topics --markdown`; a test keeps it current.

Every event stands in the domain log at a `position`, belongs to one aggregate (`originator_id`,
`originator_version`) and says when it happened (`timestamp`). The first event of an aggregate
also names its kind (`originator_topic`). What follows lists the fields beside these. Fields in
*italics* are personal: replay and public streams leave them out.
"""

_VIEWS_HEAD = """
## viewing

Not in the domain log but in the view log, which has positions of its own and no aggregates.
"""


def markdown(projections: Sequence[AnyProjection]) -> str:
    """Return the whole reference: each topic, its fields, its JSON schema, and who folds it."""
    folded_by = _folded_by(projections)
    parts = [_HEAD]
    for context, topics in groupby(EVENTS, key=lambda topic: topic.partition(".")[0]):
        parts.append(f"\n## {context}\n")
        parts.extend(_section(EVENTS[topic], folded_by[topic]) for topic in topics)
    parts.append(_VIEWS_HEAD)
    parts.extend(_section(event, folded_by[topic]) for topic, event in VIEW_EVENTS.items())
    return "".join(parts)


def schema(event: type[Event | ViewEvent]) -> Mapping[str, Any]:
    """Return the JSON schema (2020-12) of what the log stores of an event beside its address."""
    shape = msgspec.defstruct(
        event.__name__,
        [(field.name, field.type) for field in fields(event) if field.name not in _ADDRESS],
    )
    parts = msgspec.json.schema(shape)["$defs"]
    definition = parts.pop(event.__name__)
    told = {name: value for name, value in definition.items() if name != "title"}
    return {**told, "$defs": parts} if parts else told


def _folded_by(projections: Iterable[AnyProjection]) -> Mapping[str, list[str]]:
    folded_by: defaultdict[str, list[str]] = defaultdict(list)
    for projection in projections:
        for topic in projection.topics:
            folded_by[topic].append(projection.name)
    return folded_by


def _section(event: type[Event | ViewEvent], folded_by: list[str]) -> str:
    rows = "".join(
        f"| {_name(event, field.name)} | `{_type(field.type)}` |\n"
        for field in fields(event)
        if field.name not in _ADDRESS and field.default is MISSING
    )
    table = f"\n| field | type |\n| --- | --- |\n{rows}" if rows else ""
    readers = ", ".join(f"`{name}`" for name in sorted(folded_by)) or "none"
    json_schema = msgspec.json.encode(schema(event)).decode()
    return (
        f"\n### `{event.TOPIC}`\n\n{event.__name__}: {getdoc(event)}\n{table}"
        f"\nFolded by: {readers}\n\n```json\n{json_schema}\n```\n"
    )


def _name(event: type[Event | ViewEvent], field: str) -> str:
    personal: frozenset[str] = getattr(event, "PERSONAL", frozenset())
    return f"*{field}*" if field in personal else field


def _type(declared: Any) -> str:
    name = getattr(declared, "__name__", None)
    text = name if name and not getattr(declared, "__args__", None) else str(declared)
    return text.replace("uuid.", "").replace("datetime.datetime", "datetime").replace("|", "or")
