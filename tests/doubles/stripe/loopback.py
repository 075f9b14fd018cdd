"""The double on a free port of this machine, behind the server that also serves the product."""

import asyncio
import socket
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server

from myriorama.billing.stripe_double.app import DoubleApp

PATIENCE_S = 20.0


@contextmanager
def listening(folder: Path, *, webhook_url: str, secret: str) -> Generator[tuple[DoubleApp, str]]:
    """Yield the double, and its address, while it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    address = f"http://127.0.0.1:{port}"
    double = DoubleApp(
        address=address, webhook_url=webhook_url, secret=secret, kept_in=folder / "double.json"
    )
    server = Server(double, port=port, interface=Interfaces.ASGI)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    with warnings.catch_warnings():
        thread.start()
        _await(address)
        yield double, address
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
