"""Small disks for a PostgreSQL of its own: a file system that is full, and a limit on its files."""

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from myriorama.store.embedded_postgres import EmbeddedPostgres

_LEFT_BYTES = 256 * 1024


class SmallDisk(ABC):
    """Where a server has room until it is filled, and again when it is cleared."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def fill(self, server: EmbeddedPostgres) -> None: ...

    @abstractmethod
    def clear(self, server: EmbeddedPostgres) -> None: ...


class FullFileSystem(SmallDisk):
    """All but a little of the file system is taken by a file: what comes is a true ENOSPC."""

    def fill(self, server: EmbeddedPostgres) -> None:
        del server
        status = os.statvfs(self.folder)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - _LEFT_BYTES)

    def clear(self, server: EmbeddedPostgres) -> None:
        del server
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


class LimitedFiles(SmallDisk):
    """No file of the server's may become longer than a segment of its WAL: EFBIG, like a quota."""

    bytes_max = 16 * 1024 * 1024

    def fill(self, server: EmbeddedPostgres) -> None:
        self._limit(server, str(self.bytes_max))

    def clear(self, server: EmbeddedPostgres) -> None:
        self._limit(server, "unlimited")

    def _limit(self, server: EmbeddedPostgres, limit: str) -> None:
        assert server.process
        owner = (server.folder / "PG_VERSION").stat()
        # The postmaster first: whoever it starts from now on inherits the limit.
        for pid in (server.process.pid, *_children(server.process.pid)):
            limited = subprocess.run(  # noqa: S603 - ours; as the owner, which needs no privilege
                ["prlimit", "--pid", str(pid), f"--fsize={limit}:"],  # noqa: S607 - of util-linux
                check=False,
                user=owner.st_uid,
                group=owner.st_gid,
                extra_groups=[],
            )
            assert limited.returncode == 0 or not Path(f"/proc/{pid}").exists()


@contextmanager
def full_file_system() -> Generator[FullFileSystem | None]:
    """A file system of 300 MB; None where we may not mount one."""
    with TemporaryDirectory(prefix="myriorama-full-") as made:
        mounted = subprocess.run(  # noqa: S603 - ours
            ["mount", "-t", "tmpfs", "-o", "size=300m,mode=0711", "tmpfs", made],  # noqa: S607
            check=False,
            capture_output=True,
        )
        if mounted.returncode != 0:
            yield None
            return
        try:
            yield FullFileSystem(Path(made))
        finally:
            subprocess.run(["umount", made], check=True)  # noqa: S603, S607 - what we mounted


@contextmanager
def limited_files() -> Generator[LimitedFiles]:
    with TemporaryDirectory(prefix="myriorama-full-") as made:
        yield LimitedFiles(Path(made))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
