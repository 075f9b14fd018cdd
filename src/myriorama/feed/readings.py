"""Readings under way: what changes while it is read may be missing in what was read."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager


class Readings:
    """Tells every reading what has changed since it began. Lives in one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[int, set[bytes]] = {}

    @contextmanager
    def begin(self) -> Generator[set[bytes]]:
        """Yield the set of what changes from now to the end of the context."""
        changed: set[bytes] = set()
        self._under_way[id(changed)] = changed
        try:
            yield changed
        finally:
            del self._under_way[id(changed)]

    def change(self, changed: Iterable[bytes]) -> None:
        """Tell that these are not any more what a reading that began before may have read."""
        for others in self._under_way.values():
            others.update(changed)
