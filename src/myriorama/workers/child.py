"""A process of the worker's own: nothing that a model or an encoder does can take the worker along.

The two ends speak structs as JSON through a socket. The child ends when the worker is gone, and
gets nothing of the environment that is ours: what it may know it is told.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import msgspec

# All others may matter: with some a client of AWS finds its keys, with some NVIDIA its devices.
_OURS = "MYRIORAMA_"

News = TypeVar("News")
Order = TypeVar("Order")


class ChildProcess(Generic[News]):
    """`python -m MODULE FD`, as the worker holds it. It starts when it first has something to do.

    To be used by one thread.
    """

    def __init__(self, module: str, news: msgspec.json.Decoder[News], opening: object) -> None:
        """Take what runs, what it can tell, and what it is told first."""
        self._module = module
        self._news = news
        self._opening = opening
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    @property
    def pid(self) -> int | None:
        """The process; None before its first order, and after a crash."""
        return self._process.pid if self._process else None

    @property
    def connection(self) -> "Connection[Any, Any] | None":
        """What to wait on for news; None if there is no process."""
        return self._connection

    def send(self, order: object) -> None:
        """Give an order, to a new process if the last one is gone."""
        if self._connection is None:
            self._start()
        self._put(order)

    def take(self) -> News | None:
        """Return the next piece of news; None if there is none, yet.

        Raises:
            ChildGone: the process has ended; the next order starts another one.
        """
        if self._connection is None:
            return None
        try:
            if not self._connection.poll(0):
                return None
            return self._news.decode(self._connection.recv_bytes())
        except (EOFError, OSError):
            code = self.kill()
        raise ChildGone(f"The process {self._module} ended with {code}.")

    def kill(self) -> int | None:
        """End the process at once; return its exit code, or what killed it as a negative."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        # Its socket is closed: a process that has ended by itself gets the time to say how.
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=0.2)
        process.kill()
        return process.wait()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", self._module, str(theirs.fileno())],
                env={k: v for k, v in os.environ.items() if not k.startswith(_OURS)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        self._connection = Connection(ours.detach())
        self._put(self._opening)

    def _put(self, message: object) -> None:
        if self._connection is not None:
            with suppress(OSError):  # It is gone, which `take` tells.
                self._connection.send_bytes(msgspec.json.encode(message))


class ChildGone(Exception):
    """The process has ended, by itself or by a signal."""


class Parent:
    """The worker, as a child process has it. `tell` may be called by any thread."""

    def __init__(self, descriptor: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends us.
        self._connection: Connection[Any, Any] = Connection(descriptor)
        self._telling = threading.Lock()

    def hear(self, orders: msgspec.json.Decoder[Order]) -> Order:
        """Return the next order; without a worker, end this process at once."""
        try:
            return orders.decode(self._connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)

    def tell(self, news: object) -> None:
        try:
            with self._telling:
                self._connection.send_bytes(msgspec.json.encode(news))
        except OSError:
            os._exit(0)

    def obey(self, orders: msgspec.json.Decoder[Order], obey: Callable[[Order], None]) -> None:
        """Hear orders in a thread of their own, for as long as there is a worker."""

        def listen() -> None:
            while True:
                obey(self.hear(orders))

        threading.Thread(target=listen, name="orders", daemon=True).start()
