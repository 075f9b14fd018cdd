"""A process of writers that a campaign may kill at any moment: `sync` threads, or by `submit`.

`python -m tests.crash.writers sync|submit CLIENT SEED`
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, PersistenceError
from psycopg_pool import PoolTimeout

from myriorama.store.causation import Cause, cause
from myriorama.store.identity import new_id
from myriorama.store.leash import stop_when_signalled
from myriorama.store.log import Log
from myriorama.store.postgres import open_pool
from myriorama.store.recorder import CommandRepeated, DomainRecorder
from tests.crash.history import (
    Acknowledged,
    Attempted,
    Diary,
    Line,
    Refused,
    Repeated,
    Unanswered,
    now,
)
from tests.crash.stories import Story, Teller

HISTORIES = "CRASH_HISTORIES"
DATABASE = "MYRIORAMA_DATABASE_URL"
_THREADS = 4
_IN_FLIGHT_MAX = 16
_RETRIES_MAX = 20
_LOST = (psycopg.Error, PoolTimeout, PersistenceError)


def main() -> None:
    mode, client, seed = sys.argv[1:4]
    stopping = set_by_sigterm()
    with open_pool(os.environ[DATABASE], size_max=_THREADS) as pool:
        recorder, log = DomainRecorder(pool), Log(pool)
        write = write_in_turn if mode == "sync" else write_in_flight
        failures: list[BaseException] = []

        def run(number: int) -> None:
            name = f"{client}-{number}"
            diary = Diary(Path(os.environ[HISTORIES]), name)
            try:
                write(recorder, Teller(log, f"{seed}/{name}"), diary, stopping)
            except BaseException as error:
                failures.append(error)
                stopping.set()
                raise
            finally:
                diary.close()

        threads = [threading.Thread(target=run, args=(number,)) for number in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sys.exit(1 if failures else 0)


def set_by_sigterm() -> threading.Event:
    """Return what is set when this process is asked to end."""
    stopping = threading.Event()
    stop_when_signalled(stopping.set)
    return stopping


def write_in_turn(
    recorder: DomainRecorder, teller: Teller, diary: Diary, stopping: threading.Event
) -> None:
    """Send one command after another; half of them with an ID, under which they are retried."""
    while not stopping.is_set():
        story = _told(teller)
        if story is None:
            continue
        command_id = new_id() if teller.chance(0.5) else None
        answer = _send(recorder, story, diary, command_id)
        retries = _RETRIES_MAX if command_id and isinstance(answer, Unanswered) else 0
        if command_id and isinstance(answer, Acknowledged) and teller.chance(0.1):
            retries = 1
        while retries and not stopping.is_set():
            retries -= 1
            answer = _send(recorder, story, diary, command_id)
            if not isinstance(answer, Unanswered):
                break
            stopping.wait(0.05)


def write_in_flight(
    recorder: DomainRecorder, teller: Teller, diary: Diary, stopping: threading.Event
) -> None:
    """Keep several commands under way at once; some are sent twice before the first is answered."""
    under_way: deque[tuple[str, Future[Sequence[int]]]] = deque()
    while not stopping.is_set():
        story = _told(teller)
        if story is not None:
            command_id = new_id() if teller.chance(0.5) else None
            for _ in range(2 if command_id and teller.chance(0.1) else 1):
                attempt = _attempt(story, diary, command_id)
                try:
                    under_way.append((attempt, recorder.submit(story.events, expect=story.expect)))
                except _LOST as error:
                    diary.note(Unanswered(now(), attempt, repr(error)))
        while len(under_way) > (0 if story is None else _IN_FLIGHT_MAX):
            attempt, recording = under_way.popleft()
            diary.note(_outcome(attempt, recording))
    while under_way:
        attempt, recording = under_way.popleft()
        diary.note(_outcome(attempt, recording))


def _told(teller: Teller) -> Story | None:
    try:
        return teller.tell()
    except _LOST:
        time.sleep(0.05)  # PostgreSQL is being restarted
        return None


def _send(recorder: DomainRecorder, story: Story, diary: Diary, command_id: UUID | None) -> Line:
    attempt = _attempt(story, diary, command_id)
    recording: Future[Sequence[int]] = Future()
    try:
        recording.set_result(recorder.insert_events(story.events, expect=story.expect) or ())
    except Exception as error:  # noqa: BLE001 - told like that of a future, which raises it again
        recording.set_exception(error)
    answer = _outcome(attempt, recording)
    diary.note(answer)
    return answer


def _attempt(story: Story, diary: Diary, command_id: UUID | None) -> str:
    """Note an attempt before it is made, and let the log note whose it is."""
    attempt = diary.next_attempt()
    cause.set(Cause(request_id=attempt, command_id=command_id))
    events = tuple((UUID(str(e.originator_id)), e.originator_version) for e in story.events)
    diary.note(Attempted(now(), attempt, events, dict(story.expect), command_id))
    return attempt


def _outcome(attempt: str, recording: Future[Sequence[int]]) -> Line:
    try:
        positions = recording.result()
    except CommandRepeated as repeated:
        return Repeated(now(), attempt, tuple(repeated.positions))
    except IntegrityError:
        return Refused(now(), attempt)
    except _LOST as error:
        return Unanswered(now(), attempt, repr(error))
    return Acknowledged(now(), attempt, tuple(positions))


if __name__ == "__main__":
    main()
