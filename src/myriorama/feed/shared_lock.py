"""A lock that any number of readers hold together, or one writer alone."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition


class SharedLock:
    """Whoever wants to write goes before those who come later and can wait, so that they get to it.

    Nobody may take it twice.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._readers = 0
        self._writers = 0  # who write or want to
        self._is_written = False

    @contextmanager
    def alone(self) -> Generator[None]:
        """Hold it alone."""
        with self._changed:
            self._writers += 1
            self._changed.wait_for(lambda: not self._readers and not self._is_written)
            self._is_written = True
        try:
            yield
        finally:
            with self._changed:
                self._writers -= 1
                self._is_written = False
                self._changed.notify_all()

    @contextmanager
    def shared(self, *, wait: bool = True) -> Generator[bool]:
        """Hold it together with other readers; yield False where that would take a wait."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: not self._writers)
            is_held = not self._is_written
            self._readers += is_held
        try:
            yield is_held
        finally:
            if is_held:
                with self._changed:
                    self._readers -= 1
                    self._changed.notify_all()
