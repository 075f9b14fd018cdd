"""A process of viewers that a campaign may kill at any moment: apps that report, pages served.

`python -m tests.crash.viewers CLIENT SEED`
"""

import asyncio
import os
import random
import signal
import sys
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import psycopg

from myriorama.store.identity import new_id
from myriorama.store.viewlog import Batch, SequenceReused, Served, Viewing, Views
from tests.crash.history import BatchRefused, BatchSent, Diary, Line, Receipted, Unanswered, now
from tests.crash.stories import ACCOUNTS, VIDEOS
from tests.crash.writers import DATABASE, HISTORIES

_APPS = 6
_ANSWER_S_MAX = 60.0


def main() -> None:
    client, seed = sys.argv[1:3]
    with Views(os.environ[DATABASE]) as views:
        asyncio.run(_run(views, client, seed))


async def _run(views: Views, client: str, seed: str) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with asyncio.TaskGroup() as apps:
        for number in range(_APPS):
            app = App(views, f"{client}-{number}", seed)
            apps.create_task(app.run(stopping))


class App:
    """One viewer's app, which reports in batches, and again when it was told nothing."""

    def __init__(self, views: Views, name: str, seed: str) -> None:
        self._views = views
        self._diary = Diary(Path(os.environ[HISTORIES]), name)
        self._random = random.Random(f"{seed}/{name}")  # noqa: S311 - repeatable, not secret
        self._viewer_id = self._random.choice(ACCOUNTS)
        self._session_id = new_id()

    async def run(self, stopping: asyncio.Event) -> None:
        sequence = 0
        while not stopping.is_set():
            sequence += 1
            self._serve()
            batch = self._batch(sequence)
            if self._random.random() < 0.15:
                await asyncio.gather(self._send(batch), self._send(batch))
            answer = await self._send(batch)
            while isinstance(answer, Unanswered) and not stopping.is_set():
                await asyncio.sleep(0.1)
                answer = await self._send(batch)
            if self._random.random() < 0.05:
                await self._send(self._batch(sequence))  # another under the same number
            await asyncio.sleep(self._random.expovariate(50))
        self._diary.close()

    def _batch(self, sequence: int) -> Batch:
        viewings = [
            Viewing(self._random.choice(VIDEOS), new_id(), self._random.randrange(9000), 0)
            for _ in range(self._random.randint(1, 20))
        ]
        content = b"".join(viewing.decision_id.bytes for viewing in viewings)
        digest = sha256(content).digest()
        return Batch(self._viewer_id, self._session_id, sequence, digest, viewings)

    def _serve(self) -> None:
        """Log a page, of which nobody is told whether it was."""
        page = self._random.sample(VIDEOS, 3)
        videos = [video_id.bytes for video_id in page]
        self._views.offer(Served(new_id().bytes, self._viewer_id.bytes, "latest", None, videos))

    async def _send(self, batch: Batch) -> Line:
        attempt = self._diary.next_attempt()
        decisions: tuple[UUID, ...] = tuple(viewing.decision_id for viewing in batch.viewings)
        self._diary.note(
            BatchSent(
                now(),
                attempt,
                batch.viewer_id,
                batch.session_id,
                batch.sequence,
                batch.digest.hex(),
                decisions,
            )
        )
        answer: Line
        try:
            async with asyncio.timeout(_ANSWER_S_MAX):  # who hangs is found out
                receipt = await self._views.append(batch)
        except SequenceReused:
            answer = BatchRefused(now(), attempt)
        except psycopg.Error as error:
            answer = Unanswered(now(), attempt, repr(error))
        else:
            answer = Receipted(now(), attempt, receipt.accepted, receipt.duplicate)
        self._diary.note(answer)
        return answer


if __name__ == "__main__":
    main()
