"""Snapshots: long aggregates as they were at a version, so that not all of their events are read.

A snapshot is a short cut and no truth: it counts only while the event that it ends with is in the
log, and only for the very code that made it. All of them may be deleted at any time.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
import structlog
from eventsourcing.domain import BaseAggregate
from psycopg import Error

from myriorama.store.front import rows
from myriorama.store.postgres import Pool

logger = structlog.get_logger(__name__)

A = TypeVar("A", bound=BaseAggregate[UUID])

# Of what is recorded later, the later counts; also when a log was set back, and goes on from there.
_KEEP = """
    INSERT INTO snapshots AS kept (originator_id, version, position, recorded_at, shape, state)
    SELECT originator_id, originator_version, position, recorded_at, %s, %s
    FROM events WHERE originator_id = %s AND originator_version = %s AND position = %s
    ON CONFLICT (originator_id) DO UPDATE
    SET (version, position, recorded_at, shape, state) = (
        excluded.version, excluded.position, excluded.recorded_at, excluded.shape, excluded.state)
    WHERE kept.recorded_at <= excluded.recorded_at
    RETURNING version
"""

_SCALARS = frozenset({type(None), bool, int, float, str})
_DOMAIN = "domain"


class Unfit(ValueError):
    """A state that cannot be kept as JSON, or what was kept is no state."""


def keep_snapshot(pool: Pool, aggregate: BaseAggregate[UUID], position: int) -> None:
    """Keep the aggregate as it is now, instead of what was kept before, or let it be.

    Args:
        pool: where to, unless there is a front.
        aggregate: folded from the log, and not commanded since.
        position: where its last event stands in the log.
    """
    kind = type(aggregate)
    try:
        state = encoded(aggregate)
        rows(pool, _KEEP, (shape_of(kind), state, aggregate.id, aggregate.version, position))
    except (Unfit, Error) as error:
        logger.warning("no snapshot", aggregate=kind.__name__, error=str(error))


@cache
def shape_of(kind: type[BaseAggregate[UUID]]) -> bytes:
    """Return what tells one code of an aggregate from another: its rules, its events, this file.

    A snapshot of other code is not looked at: that code may have folded the events otherwise.
    """
    context = kind.__module__.rpartition(".")[0]
    sources = [
        source
        for package in (_DOMAIN, context)
        for source in sorted(files(package).iterdir(), key=lambda source: source.name)
        if source.name.endswith(".py")
    ]
    store = files("myriorama.store")
    code = sha256(f"{kind.__module__}:{kind.__qualname__} {version('eventsourcing')}".encode())
    for source in (*sources, store / "mapper.py", store / "snapshots.py"):
        code.update(sha256(source.read_bytes()).digest())
    return code.digest()


def encoded(aggregate: BaseAggregate[UUID]) -> bytes:
    """Return the state as JSON.

    Raises:
        Unfit: something in it would not come back as it is.
    """
    state = {k: v for k, v in vars(aggregate).items() if k != "_pending_events"}
    try:
        kept = msgspec.json.encode(_plain(state))
    except (OverflowError, RecursionError, TypeError, msgspec.MsgspecError) as error:
        raise Unfit(str(error)) from error
    again = {k: v for k, v in vars(decoded(type(aggregate), kept)).items() if k in state}
    if again != state or msgspec.json.encode(_plain(again)) != kept:
        raise Unfit(f"{aggregate.id} would come back as another.")
    return kept


def decoded(kind: type[A], kept: bytes) -> A:
    """Return an aggregate out of its state.

    Raises:
        Unfit: it is none.
    """
    try:
        state = _restored(msgspec.json.decode(kept))
        aggregate = object.__new__(kind)
        vars(aggregate).update(state, _pending_events=[])
    except (AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
        raise Unfit(str(error)) from error
    except msgspec.MsgspecError as error:
        raise Unfit(str(error)) from error
    return aggregate


def _plain(value: Any) -> Any:
    """Return a value in terms of JSON: whatever is no scalar is an object that names its type."""
    kind: type[object] = value.__class__
    if kind in _SCALARS:
        return value
    if dismantle := _DISMANTLED.get(kind):
        return {kind.__name__: dismantle(value)}
    if kind.__module__.partition(".")[0] != _DOMAIN:
        raise TypeError(f"{kind.__qualname__} is kept in no snapshot.")
    parts = [getattr(value, f.name) for f in fields(value)] if is_dataclass(kind) else list(value)
    return {f"{kind.__module__}:{kind.__qualname__}": [_plain(part) for part in parts]}


def _restored(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((name, kept),) = cast("dict[str, Any]", value).items()
    if restore := _RESTORED.get(name):
        return restore(kept)
    return _restored_fact(name, [_restored(each) for each in kept])


def _restored_fact(name: str, values: list[Any]) -> Any:
    """Return a value of the domain: a dataclass, or a tuple with names."""
    module, _, qualname = name.partition(":")
    if module.partition(".")[0] != _DOMAIN:
        raise Unfit(f"{name} is nothing of the domain.")
    kind: type[Any] = getattr(import_module(module), qualname)
    if not is_dataclass(kind):
        return kind(*values)
    fact: Any = object.__new__(kind)
    for field, value in zip(fields(kind), values, strict=True):
        object.__setattr__(fact, field.name, value)
    return fact


# A dictionary is kept in pairs: its keys are of any type, and have an order.
_DISMANTLED: Mapping[type, Callable[[Any], Any]] = {
    Decimal: str,
    UUID: lambda id_: id_.hex,
    datetime: datetime.isoformat,
    dict: lambda pairs: [[_plain(key), _plain(value)] for key, value in pairs.items()],
    list: lambda values: [_plain(each) for each in values],
    tuple: lambda values: [_plain(each) for each in values],
}

_RESTORED: Mapping[str, Callable[[Any], Any]] = {
    "Decimal": Decimal,
    "UUID": UUID,
    "datetime": datetime.fromisoformat,
    "dict": lambda pairs: {_restored(key): _restored(value) for key, value in pairs},
    "list": lambda values: [_restored(each) for each in values],
    "tuple": lambda values: tuple(_restored(each) for each in values),
}
