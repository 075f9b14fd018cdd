"""Confinement: a process gives up, for good, what it does not need to look at foreign bytes.

What it has open stays open; it opens nothing more: no file, no socket, no other program. Each limit
stands alone, so that a system that lacks one still has the others.
"""

import ctypes
import os
import random
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

NOBODY = 65534


def confine(*, memory_bytes: int, cpu_s: int, file_bytes: int) -> None:
    """Confine this process. Modules must have been imported: no file can be opened hereafter.

    `memory_bytes` is what it may take on top of what it has; more raises MemoryError. CPU seconds
    count from its start; more is SIGXCPU.
    """
    os.nice(5)
    used = _address_space()
    if hasattr(os, "sched_setaffinity"):
        # Libraries count the cores to know how many threads to start. None can be started below.
        os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})  # noqa: S311 - no secret
    if os.geteuid() == 0:
        _become_nobody()
    if sys.platform == "linux":
        _renounce()
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, used + memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        hard = limit + 1 if what == resource.RLIMIT_CPU else limit
        with suppress(ValueError, OSError):  # a tighter limit is set already, or there is none such
            resource.setrlimit(what, (limit, hard))


_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except FileNotFoundError:
        return 2**30  # no Linux: more than the code has, so that it errs on the lenient side
    return pages * os.sysconf("SC_PAGE_SIZE")


def _become_nobody() -> None:
    """Root can lift any limit and is not counted: be a user who owns nothing."""
    with suppress(OSError):  # in a container whose only user is root there is nobody to become
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def _renounce() -> None:
    """Take no rights from any program, show nothing to a debugger, and end with the parent."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
