"""A process that is asked to end does, whatever its main thread was doing."""

import signal
import threading
from collections.abc import Iterator

import pytest

from myriorama.store.leash import stop_when_signalled

_PATIENCE_S = 120


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_comes_while_the_lock_of_its_handler_is_held_is_obeyed() -> None:
    lock, stopped = threading.Lock(), threading.Event()

    def stop() -> None:
        with lock:
            stopped.set()

    stop_when_signalled(stop)

    with lock:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)

    assert stopped.wait(_PATIENCE_S)
