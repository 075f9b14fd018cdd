"""Every event that can be in the log, by the topic it is stored under.

Read by the stores (to decode), by replay (to tell schemas) and by `docs/events.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules

import domain
from domain.aggregate import Event

__all__ = ["EVENTS", "EVENT_MODULES", "READABLE", "Event", "stored_under"]

EVENT_MODULES = tuple(
    import_module(f"domain.{context.name}.events")
    for context in iter_modules(domain.__path__)
    if context.ispkg
)


def _leaves(kind: type[Event]) -> list[type[Event]]:
    found = [kind] if "TOPIC" in kind.__dict__ else []
    return found + [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]


EVENTS: Mapping[str, type[Event]] = {
    event.TOPIC: event for event in sorted(_leaves(Event), key=lambda event: event.TOPIC)
}

# Events that were stored before their topic was changed are still under the old one.
READABLE: Mapping[str, type[Event]] = {
    **{former: event for event in EVENTS.values() for former in event.FORMER_TOPICS},
    **EVENTS,
}


def stored_under(
    topics: Iterable[str], events: Mapping[str, type[Event]] = READABLE
) -> Sequence[str]:
    """Return the topics, and the former ones of the same events."""
    return [each for topic in topics for each in (topic, *events[topic].FORMER_TOPICS)]
