"""The bidder on a free port of this machine."""

import asyncio
import socket
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server

from tests.doubles.bidder.app import BidderDouble

PATIENCE_S = 20.0


@contextmanager
def bidding() -> Generator[tuple[BidderDouble, str]]:
    """Yield the bidder, and its host (host:port), while it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    double = BidderDouble()
    server = Server(double, port=port, interface=Interfaces.ASGI)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    with warnings.catch_warnings():
        thread.start()
        _await(f"http://127.0.0.1:{port}/")
        yield double, f"127.0.0.1:{port}"
    double.released.set()
    loop.call_soon_threadsafe(server.stop)
    thread.join(timeout=PATIENCE_S)
    loop.close()


def _await(address: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(address, timeout=1)
        except httpx.TransportError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return
