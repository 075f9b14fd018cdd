"""The whole house as a stranger runs it: `myriorama up`, in a folder of its own."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

_START_S_MAX = 300
_STOP_S_MAX = 60


@dataclass
class House:
    """A running house. `home` holds its data and, below `logs`, what its programs said."""

    url: str
    home: Path
    process: subprocess.Popen[str]
    environment: dict[str, str]

    def command(self, *words: str) -> str:
        """Run a command of `myriorama` on this house, and return what it printed."""
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "myriorama", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def broker(self) -> str:
        """Where Kafka is: `host:port`."""
        lines = (self.home / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)["MYRIORAMA_KAFKA"]

    def invitation(self) -> str:
        return self.command("invite").strip()

    def pids(self, program: str) -> list[int]:
        """Return the processes of one program: `serve`, `work`, `postgres`, ..."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [
            int(pid)
            for pid in children.read_text().split()
            if program in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        ]

    def logs(self, lines: int = 30) -> str:
        """Return the ends of all logs, for a test that failed."""
        tails = (
            f"== {log.name}\n" + "\n".join(log.read_text().splitlines()[-lines:])
            for log in sorted((self.home / "logs").glob("*.log"))
        )
        return "\n".join(tails)

    def await_ready(self) -> None:
        """Return once the API says that it is ready."""
        deadline = time.monotonic() + _START_S_MAX
        while True:
            try:
                if httpx.get(f"{self.url}/ready", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)


def start_house(home: Path, *options: str, **settings: str) -> House:
    """Run `myriorama up` on a free port, until it says where to open it.

    Settings are variables of the environment, by their whole names.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MYRIORAMA_")
    }
    environment |= {
        "MYRIORAMA_HOME": str(home),
        "MYRIORAMA_ADDRESS": address,
        "MYRIORAMA_PUBLIC_URL": f"http://{address}",
        "MYRIORAMA_LEASE_S": "6",
        "MYRIORAMA_REQUESTS_PER_MINUTE": "100000",
        "MYRIORAMA_CREDENTIAL_REQUESTS_PER_MINUTE": "10000",
        **settings,
    }
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "myriorama", "up", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    house = House(f"http://{address}", home, process, environment)
    try:
        _await_announcement(house)
        house.await_ready()
    except BaseException:
        stop_house(house)
        raise
    return house


def stop_house(house: House) -> int:
    """Press Ctrl-C, and return the exit status."""
    house.process.send_signal(signal.SIGINT)
    house.process.communicate(timeout=_STOP_S_MAX)
    return house.process.returncode


@contextmanager
def running_house(*options: str, **settings: str) -> Generator[House]:
    """A house in a folder of its own, stopped with Ctrl-C at the end."""
    with TemporaryDirectory(prefix="myriorama-") as folder:
        house = start_house(Path(folder) / "home", *options, **settings)
        try:
            yield house
        finally:
            status = stop_house(house)
        assert status == 0


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house in which nobody lives yet; a module's tests share it, each with its own people."""
    with running_house("--empty") as house:
        yield house


def _await_announcement(house: House) -> None:
    output = house.process.stdout
    assert output
    said = ""
    deadline = time.monotonic() + _START_S_MAX
    while "Open http" not in said:
        assert time.monotonic() < deadline, said + house.logs()
        assert house.process.poll() is None, said + house.logs()
        if select.select([output], [], [], 0.5)[0]:
            said += os.read(output.fileno(), 65536).decode()  # `readline` would keep lines back
