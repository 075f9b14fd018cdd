"""Posts to strangers, whoever they are."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpcore
import pytest

from myriorama.workers.outside import Outside


@pytest.fixture
def drips() -> Iterator[str]:
    """Yield the host of one who answers a byte at a time, and never comes to an end."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not ended.wait(0.02):
                    connection.sendall(b"a")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        thread.join()


def test_whoever_answers_byte_by_byte_is_not_listened_to_for_ever(drips: str) -> None:
    outside = Outside({drips}, total_s=0.5)

    with pytest.raises(httpcore.TimeoutException):
        outside.post(f"http://{drips}/", b"{}", {"Host": drips})

    outside.close()
