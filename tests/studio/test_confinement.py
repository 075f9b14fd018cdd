"""A confined process can reach nothing, and is ended or refused when it takes too much."""

import signal
import subprocess
import sys

import pytest

CONFINED = """
import errno, mmap, os, socket, sys, tempfile
from myriorama.studio.confinement import confine
target = tempfile.TemporaryFile()
confine(memory_bytes=64 * 2**20, cpu_s=1, file_bytes=1000)
"""


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("open('/etc/passwd')", "OSError"),
        ("open('/tmp/confined', 'w')", "OSError"),
        ("socket.socket()", "OSError"),
        ("os.pipe()", "OSError"),
        ("os.fork()", "BlockingIOError"),
        ("bytearray(100 * 2**20)", "MemoryError"),
        ("target.write(bytes(2000)); target.flush()", "OSError"),
        ("target.write(bytes(900)); target.flush()", "nothing"),
        ("bytearray(10 * 2**20)", "nothing"),
    ],
)
def test_a_confined_process_reaches_nothing_but_what_it_has_open(
    attempt: str, outcome: str
) -> None:
    ended = run(f"""
try:
    {attempt}
except Exception as error:
    print(type(error).__name__)
else:
    print("nothing")
""")

    assert ended.stdout.strip() == outcome


def test_a_confined_process_that_spins_is_ended() -> None:
    ended = run("while True: pass")

    assert ended.returncode == -signal.SIGXCPU


def test_a_confined_process_is_not_root() -> None:
    ended = run("print(os.geteuid())")

    assert int(ended.stdout) > 0


def test_a_confined_process_becomes_no_other_program() -> None:
    ended = run("os.execv('/bin/echo', ['echo', 'reached'])")

    assert ended.returncode != 0
    assert ended.stdout == ""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the programs are the ones above
        [sys.executable, "-I", "-c", CONFINED + program],
        capture_output=True,
        text=True,
        check=False,
    )
