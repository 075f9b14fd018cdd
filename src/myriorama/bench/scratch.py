"""A scratch house: a database of its own in a temporary folder, and programs that run on it."""

import http.client
import os
import socket
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from subprocess import Popen

from myriorama.store import leash
from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.postgres import migrate
from myriorama.workers.programs import furnish

_START_S_MAX = 60.0


class ProgramNotAnswering(RuntimeError):
    """A program of the benchmark ended, or did not answer in time; its log says why."""


class House:
    """The folder and the environment of a house that lives as long as the benchmark."""

    def __init__(self, folder: Path, environment: Mapping[str, str], database_url: str) -> None:
        self.environment = environment
        self.database_url = database_url
        self.folder = folder

    @contextmanager
    def program(self, *arguments: str, **variables: str) -> Generator[Popen[bytes]]:
        """Run `python -m` with the arguments for as long as the context lasts."""
        log = self.folder / f"{'-'.join(arguments).replace('/', '-')}.log"
        with log.open("wb") as output:
            argv = [sys.executable, "-m", *arguments]
            process = leash.spawn(argv, output=output, env={**self.environment, **variables})
            try:
                yield process
            except ProgramNotAnswering as error:
                raise ProgramNotAnswering(f"{error}\n{log.read_text()[-2000:]}") from error
            finally:
                leash.stop(process, by=(SIGTERM,), patience_s=10.0)

    @contextmanager
    def server(self, target: str, **variables: str) -> Generator[int]:
        """Serve an ASGI factory, named module:function. Yields the port once it answers."""
        port = _free_port()
        with self.program("myriorama.bench.serving", target, str(port), **variables) as process:
            _await_answer(port, process)
            yield port


@contextmanager
def scratch_house() -> Generator[House]:
    """Set up a migrated database, empty, and the environment that the programs read."""
    with tempfile.TemporaryDirectory(prefix="myriorama-bench-") as folder:
        home = Path(folder)
        environment = {
            **{name: v for name, v in os.environ.items() if not name.startswith("MYRIORAMA_")},
            **furnish({}, home),
            "MYRIORAMA_REQUESTS_PER_MINUTE": "1000000000",  # counted, but never reached
        }
        server = start_postgres(home / "postgres")
        try:
            migrate(server.url)
            yield House(home, environment, server.url)
        finally:
            server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _await_answer(port: int, process: Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S_MAX
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ProgramNotAnswering(f"nothing answers on port {port}") from error
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
