"""The world outside: HTTP to addresses of strangers, that never leads into our own networks.

A name is looked up once, and what is connected to is the address that was looked at: nobody can
answer with another one in between. Nothing is followed, and little of an answer is read.
"""

import socket
import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import httpcore

from domain.addresses import is_public

_TIMEOUT_S = 10.0
_ANSWER_BYTES_MAX = 1024
_TIMEOUTS = {"connect": _TIMEOUT_S, "read": _TIMEOUT_S, "write": _TIMEOUT_S, "pool": _TIMEOUT_S}


class LeadsInside(httpcore.ConnectError):
    """The name leads to an address that is not on the public internet."""


class Answer(NamedTuple):
    """What was answered."""

    status: int
    retry_after: str | None


class Outside:
    """Posts to strangers; may be used by many threads."""

    def __init__(self, inside: Collection[str], *, total_s: float = 20.0) -> None:
        """Take what may be reached though it is inside (host:port), and how long an answer takes.

        The rest of an answer that is not there by then is not waited for.
        """
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=64,
            max_keepalive_connections=0,
            network_backend=_Guarded(inside, total_s),
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body, and return the answer, whatever it is.

        Raises:
            httpcore.NetworkError: nobody answers, or the name leads inside.
            httpcore.TimeoutException: the answer takes too long, as a whole or anywhere in it.
            httpcore.ProtocolError: the answer is none of HTTP.
        """
        request = self._pool.stream(
            "POST",
            url,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=body,
            extensions={"timeout": _TIMEOUTS},
        )
        with request as response:
            read = 0
            for part in response.iter_stream():
                read += len(part)
                if read > _ANSWER_BYTES_MAX:
                    break
            told = {name.lower(): value for name, value in response.headers}
            retry_after = told.get(b"retry-after")
            return Answer(response.status, retry_after.decode("latin-1") if retry_after else None)

    def close(self) -> None:
        """Send nothing more."""
        self._pool.close()


class _Guarded(httpcore.NetworkBackend):
    """Connects to public addresses alone."""

    def __init__(self, inside: Collection[str], total_s: float) -> None:
        self._inside = inside
        self._total_s = total_s
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} is not found") from error
        addresses = [str(each[4][0]) for each in found]
        is_inside = f"{host}:{port}" in self._inside
        if not is_inside and not all(is_public(address) for address in addresses):
            raise LeadsInside(f"{host} leads to an address that is not public")
        until_s = time.monotonic() + self._total_s
        stream = self._backend.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )
        return _Bounded(stream, until_s)


class _Bounded(httpcore.NetworkStream):
    """A connection with an end: whoever answers byte by byte is not listened to for ever."""

    def __init__(self, stream: httpcore.NetworkStream, until_s: float) -> None:
        self._stream = stream
        self._until_s = until_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._left_s(timeout, httpcore.ConnectTimeout)
        return _Bounded(
            self._stream.start_tls(ssl_context, server_hostname, timeout), self._until_s
        )

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)

    def _left_s(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise late("the answer takes too long")
        return left_s if timeout is None else min(timeout, left_s)
