"""Every event that can be in the log, by the topic it is stored under.

Read by the stores (to decode), by replay (to tell schemas) and by `docs/events.md`.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

import domain
from domain.aggregate import Event

__all__ = ["EVENTS", "EVENT_MODULES", "Event"]

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
