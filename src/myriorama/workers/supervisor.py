"""The programs of `myriorama up`: started in order, kept running, and all gone when it goes."""

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType

from rich.console import Console

from myriorama.store import leash
from myriorama.workers.status_board import Board, Status, board_for, last_line

_TICK_S = 0.2
_BACK_OFF_S_MIN, _BACK_OFF_S_MAX = 1.0, 30.0
_SETTLED_S = 1.0
_STEADY_S = 60.0
_LOGS_KEPT = 3
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running, or with `once` to run until it has succeeded.

    `env` is added to the supervisor's own environment; `ready` tells whether it serves (it is asked
    often: it must answer within seconds), and without it whoever has run for a second is taken to;
    it starts when those that it is `after` are ready, and ends before them.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    ready: Callable[[], bool] | None = None
    after: tuple[str, ...] = ()
    once: bool = False


class HomeTaken(RuntimeError):
    """Another supervisor runs on this home."""


class Supervisor:
    """Runs programs until SIGINT, SIGTERM or SIGHUP.

    Each is in a process group of its own and writes to `<home>/logs/<name>.log`. One that dies is
    started again after 1 s, 2 s, .. 30 s; one minute of running forgives. If the supervisor is
    killed, Linux sends each SIGTERM. The process that runs it has no other children: they would be
    taken for orphans and ended too.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        home: Path,
        announce: Callable[[], str] | None = None,
        console: Console | None = None,
        patience_s: float = 10.0,
    ) -> None:
        names = {program.name for program in programs}
        for program in programs:
            if unknown := set(program.after) - names:
                raise ValueError(
                    f"{program.name} is after {sorted(unknown)}, which are no programs"
                )
        logs = home / "logs"
        self._children = [
            _Child(program, logs / f"{program.name}.log", patience_s) for program in programs
        ]
        for program in programs:
            if program.name in self._before({program.name}):
                raise ValueError(f"{program.name} is after itself")
        self._patience_s = patience_s
        self._home = home
        self._announce = announce
        self._console = console or Console()
        self._stopping = False

    def run(self) -> int:
        """Start all, watch over them until asked to stop, stop all; returns the exit status.

        Raises:
            HomeTaken: another supervisor runs on this home.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        with _alone_on(self._home), self._awake() as wakes, board_for(self._console) as board:
            _adopt_orphans()
            for child in self._children:
                child.rotate_log()
            try:
                self._watch(wakes, board)
            finally:
                self._stop(wakes, board)
                _end_orphans(self._patience_s)
        return 0

    def _watch(self, wakes: int, board: Board) -> None:
        announced = False
        while not self._stopping:
            self._reap(board)
            ready = {child.program.name for child in self._children if child.is_ready()}
            for child in self._children:
                if child.is_due() and ready.issuperset(child.program.after):
                    child.start()
            board.show([child.status() for child in self._children])
            if not announced and len(ready) == len(self._children):
                announced = True
                if self._announce is not None:
                    board.say(self._announce())
            _wait(wakes)

    def _stop(self, wakes: int, board: Board) -> None:
        """End each program once none that is after it, however far, runs any more."""
        while running := [child for child in self._children if child.process is not None]:
            needed = self._before({child.program.name for child in running})
            for child in running:
                if child.program.name not in needed:
                    child.end()
            board.show([child.status() for child in self._children])
            _wait(wakes)
            self._reap(board, restart=False)
        for child in self._children:
            child.state = _State.STOPPED
        board.show([child.status() for child in self._children])

    def _before(self, names: set[str]) -> set[str]:
        """What the named programs are after, and what that is after in turn, running or not."""
        before: set[str] = set()
        found = names
        while found:
            found = {
                name
                for child in self._children
                if child.program.name in found
                for name in child.program.after
            } - before
            before |= found
        return before

    def _reap(self, board: Board, *, restart: bool = True) -> None:
        for child in self._children:
            status = child.reap()
            if status is None:
                continue
            if not restart:
                child.state = _State.STOPPED
            elif not child.settle(status):
                board.say(child.obituary(status))
        _reap_orphans({child.process.pid for child in self._children if child.process})

    @contextlib.contextmanager
    def _awake(self) -> Generator[int]:
        """Signals wake the loop through a pipe; what they did before is put back."""
        reads, writes = os.pipe()
        os.set_blocking(reads, False)
        os.set_blocking(writes, False)

        def stop(_sign: int, _frame: FrameType | None) -> None:
            self._stopping = True

        def wake(_sign: int, _frame: FrameType | None) -> None:
            """The wake-up is all."""

        acts = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), stop)
        before = {sign: signal.signal(sign, act) for sign, act in acts.items()}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, wake)
        woken_before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
        try:
            yield reads
        finally:
            signal.set_wakeup_fd(woken_before)
            for sign, act in before.items():
                signal.signal(sign, act)
            os.close(reads)
            os.close(writes)


class _State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"


class _Child:
    def __init__(self, program: Program, log: Path, patience_s: float) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.state = _State.STARTING
        self._log = log
        self._patience_s = patience_s
        self._started_at = 0.0
        self._due_at = 0.0
        self._kill_at: float | None = None
        self._back_off_s = _BACK_OFF_S_MIN

    def rotate_log(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        numbered = [self._log, *(Path(f"{self._log}.{n}") for n in range(1, _LOGS_KEPT + 1))]
        for older, newer in zip(reversed(numbered), reversed(numbered[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)

    def is_due(self) -> bool:
        waits = self.state in (_State.STARTING, _State.RESTARTING) and self.process is None
        return waits and time.monotonic() >= self._due_at

    def is_ready(self) -> bool:
        """Whether those after it may start; asks it only until it says so."""
        if self.state is _State.STARTING and self.process is not None and not self.program.once:
            ready = self.program.ready or self._has_settled
            if ready():
                self.state = _State.READY
        return self.state in (_State.READY, _State.DONE)

    def start(self) -> None:
        self.state = _State.STARTING
        self._started_at = time.monotonic()
        with self._log.open("ab") as output:
            try:
                self.process = leash.spawn(
                    self.program.argv,
                    output=output,
                    env={**os.environ, **self.program.env},
                    at_our_death=signal.SIGTERM,
                )
            except (OSError, subprocess.SubprocessError) as error:
                output.write(f"could not be started: {error}\n".encode())
                self._put_off()

    def reap(self) -> int | None:
        """The exit status, if it has ended since; what is left of its group ends with it."""
        process = self.process
        if process is None:
            return None
        # Not reaped yet, so that its number still names its group and no other.
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            if self._kill_at is not None and time.monotonic() > self._kill_at:
                _kill_group(process.pid)
            return None
        _kill_group(process.pid)
        self.process = None
        return process.wait()

    def settle(self, status: int) -> bool:
        """Take an end that was meant to be; put off the next start after any other."""
        if self.program.once and status == 0:
            self.state = _State.DONE
            return True
        self._put_off()
        return False

    def end(self) -> None:
        """Ask it to end, once; SIGKILL follows when its patience is over."""
        if self.process is not None and self._kill_at is None:
            self.state = _State.STOPPING
            self._kill_at = time.monotonic() + self._patience_s
            self.process.terminate()

    def obituary(self, status: int) -> str:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"
        again_s = max(0.0, self._due_at - time.monotonic())
        return (
            f"{self.program.name} {how}: {last_line(self._log) or 'it said nothing'} "
            f"[again in {again_s:.0f} s; {self._log}]"
        )

    def status(self) -> Status:
        pid = None if self.process is None else self.process.pid
        uptime_s = None if pid is None else time.monotonic() - self._started_at
        return Status(self.program.name, self.state, pid, uptime_s, last_line(self._log))

    def _has_settled(self) -> bool:
        return time.monotonic() - self._started_at >= _SETTLED_S

    def _put_off(self) -> None:
        now = time.monotonic()
        if now - self._started_at >= _STEADY_S:
            self._back_off_s = _BACK_OFF_S_MIN
        self.state = _State.RESTARTING
        self._due_at = now + self._back_off_s
        self._back_off_s = min(2 * self._back_off_s, _BACK_OFF_S_MAX)


def require_untaken(home: Path) -> None:
    """Refuse a home on which a supervisor runs, before anything of it is changed.

    Raises:
        HomeTaken: another supervisor runs on this home.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _alone_on(home):
        pass


@contextlib.contextmanager
def _alone_on(home: Path) -> Generator[None]:
    with (home / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise HomeTaken(
                f"Myriorama runs on {home} already (pid {lock.read().strip() or 'unknown'}): "
                "stop that one, or set MYRIORAMA_HOME to another folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


def _wait(wakes: int) -> None:
    if select.select([wakes], [], [], _TICK_S)[0]:
        with contextlib.suppress(BlockingIOError):
            while os.read(wakes, 512):
                pass


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS, of a dead leader
        os.killpg(leader, signal.SIGKILL)


def _adopt_orphans() -> None:
    """Make what our programs leave behind ours (Linux), so that it can be reaped and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_orphans(ours: set[int]) -> None:
    for pid in _child_pids() - ours:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _end_orphans(patience_s: float) -> None:
    """Wait for what is still ending (a PostgreSQL that writes its last), then kill it."""
    give_up = time.monotonic() + patience_s
    while orphans := _child_pids():
        if time.monotonic() > give_up:
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
        _reap_orphans(set())
        time.sleep(_TICK_S / 4)


def _child_pids() -> set[int]:
    """All children of this process; none are known where Linux does not tell."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return {int(pid) for pid in listed.read_text().split()}
    except FileNotFoundError:
        return set()
