"""Load: requests over kept-alive connections, as fast as they are answered or at a given rate.

One plain epoll loop a process, some ten microseconds a request, so that what is measured is the
server. At a given rate latency counts from when a request was due, not from when it could be sent.
"""

import random
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from typing import Self

_BUFFER_BYTES = 1 << 18
_HEAD_BYTES_MAX = 4096
_CONNECT_S_MAX = 5.0
_PATIENCE_S = 10.0


class AnswerUnexpected(RuntimeError):
    """The server answered otherwise than with 200, or hung up."""


@dataclass(frozen=True)
class Plan:
    """What one process is to send; `rate` is requests a second, None is as many as can be."""

    port: int
    requests: Sequence[bytes]
    connections: int
    seconds: float
    rate: float | None
    seed: int
    in_order: bool


@dataclass(frozen=True)
class Found:
    """What came of it; `busy_share` is how much of its time the busiest generator worked."""

    per_s: float
    latencies_ms: list[float]
    busy_share: float


def request(path: str, token: str) -> bytes:
    """Return a GET request as it goes over the wire."""
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode()


class Generators:
    """Processes that generate load together, over so many connections in all."""

    def __init__(self, processes: int, *, connections: int) -> None:
        self._processes = processes
        self._connections = max(1, connections // processes)
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def drive(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        seconds: float,
        rate: float | None = None,
        in_order: bool = False,
    ) -> Found:
        """Send the requests, at random or in order, from all processes; the numbers are of all."""
        share = None if rate is None else rate / self._processes
        plans = [
            Plan(
                port, requests[n :: self._processes], self._connections, seconds, share, n, in_order
            )
            for n in range(self._processes)
        ]
        found = list(self._pool.map(drive, plans))
        return Found(
            sum(one.per_s for one in found),
            [latency for one in found for latency in one.latencies_ms],
            max(one.busy_share for one in found),
        )


def drive(plan: Plan) -> Found:
    """Run one plan in this process.

    Raises:
        AnswerUnexpected: an answer was not 200.
    """
    loop = _Loop(plan)
    began, worked = time.perf_counter(), time.process_time()
    loop.run(until=began + plan.seconds)
    took = time.perf_counter() - began
    busy = (time.process_time() - worked) / took
    return Found(len(loop.latencies_ms) / took, loop.latencies_ms, busy)


class _Loop:
    def __init__(self, plan: Plan) -> None:
        self.latencies_ms: list[float] = []
        self._random = random.Random(plan.seed)  # noqa: S311 - spreads load, keeps no secret
        self._requests = self._drawn(plan)
        self._rate = plan.rate
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        for _ in range(plan.connections):
            opened = socket.create_connection(("127.0.0.1", plan.port), timeout=_CONNECT_S_MAX)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(None)  # with a timeout, each call would ask the kernel twice
            self._sockets[opened.fileno()] = opened
            self._epoll.register(opened.fileno(), select.EPOLLIN)
        self._due_at: dict[int, float] = {}
        self._left: dict[int, int] = {}
        self._buffer = bytearray(_BUFFER_BYTES)

    def run(self, *, until: float) -> None:
        try:
            if self._rate is None:
                self._run_closed(until)
            else:
                self._run_open(until, self._rate)
        finally:
            self._epoll.close()
            for opened in self._sockets.values():
                opened.close()

    def _run_closed(self, until: float) -> None:
        for number in self._sockets:
            self._send(number, time.perf_counter())
        while self._due_at:
            for number in self._answered():
                now = time.perf_counter()
                if now < until:
                    self._send(number, now)

    def _run_open(self, until: float, rate: float) -> None:
        due_at = time.perf_counter()
        free, waiting = deque(self._sockets), deque[float]()
        while due_at < until or waiting or self._due_at:
            now = time.perf_counter()
            if now > until + _PATIENCE_S:
                raise AnswerUnexpected(f"{len(waiting) + len(self._due_at)} answers are missing")
            while due_at <= min(now, until):
                waiting.append(due_at)
                due_at += self._random.expovariate(rate)
            while waiting and free:
                self._send(free.popleft(), waiting.popleft())
            free.extend(self._answered(due_at - now if due_at < until and free else 0.1))

    def _answered(self, patience_s: float = _PATIENCE_S) -> Iterator[int]:
        for number, _ in self._epoll.poll(patience_s):
            if self._receive(number):
                yield number

    def _drawn(self, plan: Plan) -> Iterator[bytes]:
        if plan.in_order:
            yield from cycle(plan.requests)
        while True:
            yield self._random.choice(plan.requests)

    def _send(self, number: int, due_at: float) -> None:
        self._due_at[number] = due_at
        self._left[number] = 0
        self._sockets[number].sendall(next(self._requests))

    def _receive(self, number: int) -> bool:
        """Take in what has come; return whether the answer is complete."""
        count = self._sockets[number].recv_into(self._buffer)
        if not count:
            raise AnswerUnexpected("the server hung up")
        if not self._left[number]:
            self._left[number] = _length(bytes(self._buffer[: min(count, _HEAD_BYTES_MAX)]))
        self._left[number] -= count
        if self._left[number]:
            return False
        due_at = self._due_at.pop(number)
        self.latencies_ms.append((time.perf_counter() - due_at) * 1000)
        return True


def _length(begin: bytes) -> int:
    """Return how long the whole answer is, by its head, which one packet holds."""
    head, ended, _ = begin.partition(b"\r\n\r\n")
    if not begin.startswith(b"HTTP/1.1 200 ") or not ended:
        raise AnswerUnexpected(begin[:300].decode(errors="replace"))
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + len(ended) + int(value)
    raise AnswerUnexpected("the answer does not tell its length")
