"""A work on its way through the line, as those see it who wait for it and those who do it."""

import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from domain.generation.work import Delivery, Work
from myriorama.workers.orders import Rendered

Stage = Literal["waiting", "rendering", "finishing"]


class Ended(msgspec.Struct, frozen=True):
    """How a work ended: delivered, or broken for a reason, or else stopped because unwanted."""

    delivery: Delivery | None = None
    reason: str | None = None
    detail: str = ""


class Job:
    """A work on the line. Whoever entered it awaits its news, in a thread of their own."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.entered_s = time.monotonic()
        self.stage: Stage = "waiting"
        self.done = self.total = 0
        self.preview_key: str | None = None
        self.ended: Ended | None = None
        self.is_unwanted = False
        self._news = threading.Event()

    def await_news(self, timeout_s: float) -> bool:
        """Wait for the job to get on; return whether it did."""
        told = self._news.wait(timeout_s)
        self._news.clear()
        return told

    def tell(self) -> None:
        self._news.set()

    def end(self, ended: Ended, folder: Path | None = None) -> None:
        """Say how it ended, and leave nothing of it behind."""
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        self.ended = Ended() if self.is_unwanted else ended
        self.tell()


@dataclass
class Batch:
    """Works that are rendered together, in the renderer's process; most often a single one."""

    number: int
    jobs: list[Job]
    folders: list[Path]
    sent_s: float = 0.0
    began_s: float | None = None
    moved_s: float = 0.0
    stopped_s: float | None = None
    crashes: int = 0

    def left_s(self, now_s: float) -> float:
        """Return for how long it will be rendered yet; infinite as long as nobody can say."""
        job = self.jobs[0]
        if self.began_s is None or not job.done:
            return float("inf")
        step_s = (self.moved_s - self.began_s) / job.done
        return step_s * (job.total - job.done) - (now_s - self.moved_s)

    def step(self, done: int, total: int) -> None:
        for job in self.jobs:
            job.done, job.total, job.stage = done, total, "rendering"
            job.tell()

    def show(self, keys: Sequence[str]) -> None:
        for job, key in zip(self.jobs, keys, strict=True):
            job.preview_key = key
            job.tell()

    def end(self, ended: Ended) -> None:
        for job, folder in zip(self.jobs, self.folders, strict=True):
            job.end(ended, folder)


@dataclass
class Unfinished:
    """A rendered clip that is to be finished, or is being. `batch` is the number of its batch."""

    batch: int
    job: Job
    folder: Path
    rendered: Rendered | None
    began_s: float = 0.0

    def end(self, ended: Ended) -> None:
        self.job.end(ended, self.folder)
