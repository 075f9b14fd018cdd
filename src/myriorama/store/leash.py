"""Child processes on a leash: what we start never outlives us, not even after our `kill -9`."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

_PR_SET_PDEATHSIG = 1


class NotMainThread(RuntimeError):
    """Linux ties the leash to the thread that starts the child: only the main one lives as long."""

    def __init__(self) -> None:
        super().__init__(
            "start this process from the main thread: it dies with the starting thread"
        )


def spawn(  # noqa: PLR0913 - each is a property of one process
    argv: Sequence[str],
    *,
    output: IO[bytes],
    env: Mapping[str, str],
    cwd: Path | None = None,
    system_user: tuple[int, int] | None = None,
    at_our_death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that Ctrl-C reaches us alone.

    Args:
        argv: the program and its arguments; no shell.
        output: where standard output and error go.
        env: the whole environment.
        cwd: where it runs.
        system_user: uid and gid to run as, with no other groups; only root may.
        at_our_death: the signal it gets when we are gone (Linux; elsewhere it is left running).

    Raises:
        NotMainThread: the child would die with the thread that started it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise NotMainThread
    user, group = system_user if system_user is not None else (None, None)
    return subprocess.Popen(  # noqa: S603 - no shell, and programs of our choice alone
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(env),
        cwd=cwd,
        user=user,
        group=group,
        extra_groups=None if system_user is None else [],
        process_group=0,
        preexec_fn=_leash(os.getpid(), at_our_death),  # noqa: PLW1509 - makes two system calls
    )


def stop(
    process: subprocess.Popen[bytes], *, by: Sequence[signal.Signals], patience_s: float
) -> None:
    """End a process: the signals in turn, each with `patience_s` to obey, then SIGKILL."""
    for sign in (*by, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=None if sign is signal.SIGKILL else patience_s)


def end_on_signals() -> None:
    """Make SIGTERM and SIGINT raise SystemExit(0), so that whatever runs is cleaned up after."""

    def end(_sign: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def stop_when_signalled(stop: Callable[[], None]) -> None:
    """Call `stop`, in a thread of its own, when the process is asked to end; twice is harmless.

    A handler interrupts the main thread, which may hold the very lock that `stop` takes.
    """

    def on_signal(_sign: int, _frame: FrameType | None) -> None:
        threading.Thread(target=stop, name="stop", daemon=True).start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _leash(parent: int, sign: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec; prepared here, for a fork must not import."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        if prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)

    return bind
