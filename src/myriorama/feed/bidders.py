"""Bidders outside, over HTTP: asked for little, for a short time, never inside our own networks.

What is connected to is the address that was looked at. Nothing is followed. Whoever fails again and
again is left alone for a while.
"""

import asyncio
import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from socket import SOCK_STREAM, getaddrinfo
from typing import Literal
from urllib.parse import urlsplit

import httpcore

from ads.asking import ANSWER_BYTES_MAX
from domain.addresses import is_public

TMAX_MS = 150

AT_ONCE = 32
"""So many answers are waited for at once."""

Failure = Literal["late", "broken", "inside", "resting"]

_CONNECT_S = 1.0
_FAILURES_MAX = 5
_PAUSE_S_MAX = 300.0
_CIRCUITS_MAX = 1_000
_OK, _NO_CONTENT = 200, 204
_LOOKUPS = 4
_KEPT_OPEN_S = 30.0


class LeadsInside(httpcore.ConnectError):
    """The name leads to an address that is not on the public internet."""


@dataclass(slots=True)
class _Circuit:
    """How often in a row somebody has failed, and until when they are left alone."""

    failures: int = 0
    until_s: float = 0.0


class Bidders:
    """Asks strangers. Lives in one event loop."""

    def __init__(self, inside: Collection[str], *, tmax_ms: int = TMAX_MS) -> None:
        """Take what may be asked though it is inside (host:port), and how long an answer takes."""
        self.tmax_ms = tmax_ms
        self._inside = inside
        self._circuits: dict[str, _Circuit] = {}
        self._pool: httpcore.AsyncConnectionPool | None = None
        self._lookups = ThreadPoolExecutor(_LOOKUPS, "bidders")

    async def ask(self, url: str, body: bytes) -> bytes | Failure:
        """Return what is answered, b"" where nothing is bid, or why there is no answer."""
        circuit = self._circuit(url)
        now_s = time.monotonic()
        if circuit.until_s > now_s:
            return "resting"
        if circuit.failures >= _FAILURES_MAX:
            # One tries; the others wait for what comes of it.
            circuit.until_s = now_s + _CONNECT_S + self.tmax_ms / 1000
        answer: bytes | Failure
        try:
            async with asyncio.timeout(_CONNECT_S + self.tmax_ms / 1000) as limit:
                answer = await self._answer(url, body, limit)
        except LeadsInside:
            answer = "inside"
        except (TimeoutError, httpcore.TimeoutException):
            answer = "late"
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            answer = "broken"
        if isinstance(answer, str):
            self.failed(url)
        return answer

    def failed(self, url: str) -> None:
        """Count a failure: no answer, or one that is none."""
        circuit = self._circuit(url)
        circuit.failures += 1
        over = circuit.failures - _FAILURES_MAX
        if over >= 0:
            circuit.until_s = time.monotonic() + min(2.0 ** min(over, 10), _PAUSE_S_MAX)

    def answered(self, url: str) -> None:
        """Forget what failed before."""
        self._circuits.pop(url, None)

    async def close(self) -> None:
        """Ask nothing more."""
        if self._pool is not None:
            await self._pool.aclose()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    def _circuit(self, url: str) -> _Circuit:
        circuit = self._circuits.get(url)
        if circuit is None:
            if len(self._circuits) >= _CIRCUITS_MAX:
                self._circuits.pop(next(iter(self._circuits)))
            circuit = self._circuits[url] = _Circuit()
        return circuit

    async def _answer(self, url: str, body: bytes, limit: asyncio.Timeout) -> bytes | Failure:
        pool = self._pool
        if pool is None:
            pool = self._pool = httpcore.AsyncConnectionPool(
                ssl_context=await asyncio.get_running_loop().run_in_executor(
                    self._lookups, ssl.create_default_context
                ),
                max_connections=AT_ONCE,
                max_keepalive_connections=AT_ONCE // 2,
                keepalive_expiry=_KEPT_OPEN_S,
                network_backend=_Guarded(self._inside, self._lookups),
            )
        read_s = self.tmax_ms / 1000
        timeouts = {"connect": _CONNECT_S, "read": read_s, "write": read_s, "pool": read_s}

        async def begin(name: str, _: Mapping[str, object]) -> None:
            # From here on they have it: however they send it, all of the answer is there by `tmax`.
            if name.endswith(".send_request_headers.started"):
                limit.reschedule(asyncio.get_running_loop().time() + read_s)

        headers = {
            "Host": urlsplit(url).netloc,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "Myriorama-OpenRTB/1",
            "X-OpenRTB-Version": "2.6",
        }
        request = pool.stream(
            "POST",
            url,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=body,
            extensions={"timeout": timeouts, "trace": begin},
        )
        async with request as response:
            if response.status == _NO_CONTENT:
                return b""
            if response.status != _OK:
                return "broken"
            content = bytearray()
            async for part in response.aiter_stream():
                content += part
                if len(content) > ANSWER_BYTES_MAX:
                    return "broken"
            return bytes(content)


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to public addresses alone."""

    def __init__(self, inside: Collection[str], lookups: ThreadPoolExecutor) -> None:
        self._inside = inside
        self._lookups = lookups
        self._backend: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue] - it is one where anyio is

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        look_up = partial(getaddrinfo, host, port, type=SOCK_STREAM)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._lookups, look_up)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} is not found") from error
        addresses = [str(each[4][0]) for each in found]
        is_inside = f"{host}:{port}" in self._inside
        if not is_inside and not all(is_public(address) for address in addresses):
            raise LeadsInside(f"{host} leads to an address that is not public")
        return await self._backend.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )
