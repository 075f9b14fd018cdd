"""A way to PostgreSQL that is severed when a given word goes through it."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Moment = Literal["before", "after"]

_READY = (b"Z\0\0\0\5I", b"Z\0\0\0\5E")
"""The end of an answer after which no transaction goes on."""


class SeveredWay:
    """Forwards connections. The first that says the word is cut, once.

    Before the server hears the word, or after the server has answered, which nobody hears.
    """

    def __init__(self, server: Path, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener
        self._word: bytes | None = None
        self._moment: Moment = "before"
        self._open = True
        self.severed = threading.Event()

    def sever(self, moment: Moment, word: bytes, *, for_ever: bool = False) -> None:
        """Cut the next that says the word, and if for ever take no other connection either."""
        self._moment, self._open, self._word = moment, not for_ever, word

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        if not self._open and self._word is None:
            client.close()
            return
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(str(self._server))
            deaf = False
            while True:
                for source in select([client, server], [], [])[0]:
                    said = source.recv(1 << 16)
                    if not said:
                        return
                    if source is client and self._word is not None and self._word in said:
                        self._word, deaf = None, self._moment == "after"
                        if not deaf:
                            self.severed.set()
                            return
                    if source is client:
                        server.sendall(said)
                    elif not deaf:
                        client.sendall(said)
                    elif said.endswith(_READY):
                        self.severed.set()
                        return


@contextmanager
def severed_way(url: str) -> Generator[tuple[SeveredWay, str]]:
    """Yield the way, and the URL that goes through it."""
    parts = conninfo_to_dict(url)
    server = Path(str(parts["host"])) / f".s.PGSQL.{parts.get('port', 5432)}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        way = SeveredWay(server, listener)
        thread = threading.Thread(target=way.serve, daemon=True)
        thread.start()
        host, port = listener.getsockname()
        through = {**parts, "host": host, "port": port, "sslmode": "disable"}
        yield way, make_conninfo("", **through)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
