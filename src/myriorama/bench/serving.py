"""The server of the benchmarks: `python -m myriorama.bench.serving MODULE:FACTORY PORT`.

As `myriorama serve` runs it with one worker; every application is measured behind the same.
"""

import sys

from granian.constants import Interfaces
from granian.server import Server as Granian


def serve(target: str, port: int) -> None:
    """Answer HTTP until told to stop."""
    Granian(
        target, address="127.0.0.1", port=port, interface=Interfaces.ASGI, workers=1, factory=True
    ).serve()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
