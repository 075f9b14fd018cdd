"""Asking: one question to a child process that looks at foreign bytes, and its answer in time.

The child is started for the question and ends with it. What it needs is handed to it as open
descriptors; it is ready when it has given up everything else (`confinement`).
"""

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal

READY = b"ready\n"


class DecoderBroken(RuntimeError):
    """The child ended before it saw anything foreign: it is the fault of no upload."""


@dataclass(frozen=True)
class Unanswered:
    """There is no answer, and what was looked at is to blame."""

    code: Literal["media_undecodable", "decoding_timed_out", "decoding_out_of_memory"]
    detail: str


def ask(
    child: Sequence[str], question: bytes, *, descriptors: Sequence[int], wall_s: float
) -> bytes | Unanswered:
    """Ask, and return what was answered; it is to be believed no more than the foreign bytes are.

    Raises:
        DecoderBroken: nothing can be looked at on this machine.
    """
    with subprocess.Popen(  # noqa: S603 - our own program; nothing foreign is in its arguments
        child,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
        cwd="/",
        pass_fds=tuple(descriptors),
        start_new_session=True,
    ) as process:
        try:
            answer = _conversation(process, question, wall_s)
        finally:
            _end(process)
    if answer is not None and not answer.startswith(READY):
        raise DecoderBroken(f"{child[0]} ended with {process.returncode} before it was ready")
    if answer is not None and len(answer) > _ANSWER_BYTES_MAX:
        return Unanswered("media_undecodable", "looking at this made the decoder babble")
    if answer is None or process.returncode == -signal.SIGXCPU:
        return Unanswered("decoding_timed_out", "looking at this takes too long")
    if process.returncode == -signal.SIGKILL:  # not by us: by the kernel, which was out of memory
        return Unanswered("decoding_out_of_memory", "looking at this takes too much memory")
    return answer.removeprefix(READY)


_ANSWER_BYTES_MAX = 64 * 1024
# One thread for each library: what spins up a pool would meet a limit on processes.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _conversation(child: subprocess.Popen[bytes], request: bytes, wall_s: float) -> bytes | None:
    """Ask, and read what is answered up to a size that no honest answer has; None is too late."""
    assert child.stdin is not None  # noqa: S101 - both are pipes, which the types cannot say
    assert child.stdout is not None  # noqa: S101
    deadline = monotonic() + wall_s
    answer = b""
    try:
        child.stdin.write(request)
        child.stdin.close()
    except BrokenPipeError:
        return answer
    while len(answer) <= _ANSWER_BYTES_MAX:
        left = deadline - monotonic()
        if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
            return None
        part = os.read(child.stdout.fileno(), _ANSWER_BYTES_MAX)
        if not part:
            child.wait(max(deadline - monotonic(), 1.0))
            break
        answer += part
    return answer


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child, and whatever it may have started, if it has not ended by itself."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
