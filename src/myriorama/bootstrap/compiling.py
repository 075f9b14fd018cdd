"""The loops of the ranking, compiled by a process of its own before the one that ranks runs them.

To compile takes half a minute of a core, in which pages would queue; it is needed once for each
release. It is done at a low priority, by one of the processes that begin together.
"""

import fcntl
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM
from subprocess import Popen
from threading import Event

import numpy as np
from numba.core import config

from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.feed.warming import warm_up
from myriorama.store import leash
from ranking.forest import INNER, LEAVES, Forest
from ranking.heuristic import Heuristic
from ranking.state import State

# Who waits for it is shown what is newest meanwhile; what is served goes before.
_NICE = 5
_LOOK_S, _PATIENCE_S = 0.1, 2.0


class Compiling:
    """Has what is not compiled yet compiled. `begin` is for the main thread, `wait` for any."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take where what was compiled is kept, if not where this process keeps it."""
        self._folder = folder or Path(str(getattr(config, "CACHE_DIR")))  # noqa: B009 - the types know of none
        self._closing = Event()
        self._process: Popen[bytes] | None = None

    def begin(self) -> None:
        """Start to compile, if that was not done; elsewhere than in the main thread do nothing."""
        if _mark(self._folder).exists():
            return
        with suppress(leash.NotMainThread), Path(os.devnull).open("wb") as nowhere:
            argv = [sys.executable, "-m", "myriorama.bootstrap.compiling", str(self._folder)]
            self._process = leash.spawn(argv, output=nowhere, env=_environment(self._folder))

    def wait(self) -> None:
        """Return when all is compiled, or when it is of no use any more."""
        while self._process is not None and self._process.poll() is None:
            if self._closing.wait(_LOOK_S):
                return

    def close(self) -> None:
        """Compile no more."""
        self._closing.set()
        if self._process is not None:
            leash.stop(self._process, by=(SIGTERM,), patience_s=_PATIENCE_S)


def compile_all(folder: Path) -> None:
    """Run all that is compiled once, so that it is kept; whoever comes second waits for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _mark(folder).exists():
            return
        vectors = prompt_vectors()
        warm_up(State(vectors.embed, vectors.topics), Heuristic())
        rows, forest = np.zeros((2, 1), np.float32), _forest()
        forest.score(rows)
        forest.contributions(rows)
        _mark(folder).touch()


def _forest() -> Forest:
    """Return a forest of one tree that asks nothing."""
    return Forest(
        columns=np.zeros((1, INNER), np.int32),
        limits=np.full((1, INNER), np.inf, np.float32),
        leaves=np.zeros((1, LEAVES)),
        means=np.zeros((1, INNER)),
        start=0.0,
    )


def _mark(folder: Path) -> Path:
    return folder / "compiled"


def _environment(folder: Path) -> Mapping[str, str]:
    """Return the environment in which numba keeps what it compiles there."""
    return {**os.environ, "NUMBA_CACHE_DIR": str(folder.parent)}


if __name__ == "__main__":
    os.nice(_NICE)
    compile_all(Path(sys.argv[1]))
