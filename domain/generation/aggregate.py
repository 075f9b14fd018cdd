"""The rules of a generation: how it waits, runs and ends, and that it always does."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.generation.errors import (
    AttemptStale,
    CameosInvalid,
    DraftNotFound,
    GenerationEnded,
    GenerationNotFound,
    GenerationNotWaiting,
    LengthInvalid,
    PromptInvalid,
    SeedInvalid,
    ShapeUnknown,
)
from domain.generation.events import (
    AttemptFailed,
    DraftDiscarded,
    GenerationCancelled,
    GenerationCompleted,
    GenerationDispatched,
    GenerationEvent,
    GenerationFailed,
    GenerationRefused,
    GenerationRequested,
    GenerationStarted,
    LeaseExpired,
    LeaseExtended,
)
from domain.generation.shapes import SECONDS_MAX, SECONDS_MIN, SIZES, classify
from domain.generation.states import LIVE

PROMPT_LENGTH_MAX = 2000
CAMEOS_MAX = 4
SEED_MAX = 2**63 - 1
ATTEMPTS_MAX = 2
RUN_MAX = timedelta(hours=1)
"""A lease is not extended beyond this: a worker that is alive but stuck loses its work too."""


class Generation(Aggregate):
    """One request: queued, dispatched, running, and then ended for good.

    `attempt` is the fencing token: the number of the last dispatch, 0 before the first.
    """

    TOPIC = "generation"

    def __init__(  # noqa: PLR0913 - as many as the first event has
        self,
        *,
        account_id: UUID,
        prompt: str,
        seconds: int,
        width: int,
        height: int,
        seed: int,
        image_upload_id: UUID | None,
        cameo_ids: tuple[UUID, ...],
        remix_of: UUID | None,
    ) -> None:
        self.account_id = account_id
        self.prompt = prompt
        self.seconds = seconds
        self.width = width
        self.height = height
        self.seed = seed
        self.image_upload_id = image_upload_id
        self.cameo_ids = tuple(cameo_ids)
        self.remix_of = remix_of
        self.state = "queued"
        self.attempt = 0
        self.worker: str | None = None
        self.started_at: datetime | None = None
        self.lease_expires_at: datetime | None = None
        self.completed: GenerationCompleted | None = None

    @classmethod
    def request(  # noqa: PLR0913 - the fields of a request
        cls,
        generation_id: UUID,
        *,
        account_id: UUID,
        prompt: str,
        seconds: int,
        orientation: str,
        resolution: str,
        seed: int,
        image_upload_id: UUID | None,
        cameo_ids: Sequence[UUID],
        remix_of: UUID | None,
        at: datetime,
    ) -> Self:
        """Ask for a video.

        Raises:
            PromptInvalid, LengthInvalid, ShapeUnknown, SeedInvalid, CameosInvalid: as they say.
        """
        _check_prompt(prompt)
        if not SECONDS_MIN <= seconds <= SECONDS_MAX:
            raise LengthInvalid(f"A video lasts {SECONDS_MIN} to {SECONDS_MAX} seconds.")
        size = SIZES.get((orientation, resolution))
        if size is None:
            raise ShapeUnknown("A video is portrait, landscape or square, in 480p or 720p.")
        if not 0 <= seed <= SEED_MAX:
            raise SeedInvalid(f"A seed lies between 0 and {SEED_MAX}.")
        if len(cameo_ids) > CAMEOS_MAX or len(set(cameo_ids)) < len(cameo_ids):
            raise CameosInvalid(f"A video has up to {CAMEOS_MAX} cameos, each of them once.")
        return cls.begin(
            GenerationRequested,
            generation_id,
            at,
            account_id=account_id,
            prompt=prompt,
            seconds=seconds,
            orientation=orientation,
            resolution=resolution,
            width=size.width,
            height=size.height,
            seed=seed,
            image_upload_id=image_upload_id,
            cameo_ids=tuple(cameo_ids),
            remix_of=remix_of,
            work_class=classify(cameo_ids=cameo_ids, seconds=seconds, resolution=resolution),
        )

    @property
    def is_live(self) -> bool:
        """Whether it waits or runs, and so will still end."""
        return self.state in LIVE

    def dispatch(self, *, at: datetime) -> None:
        """Hand the next attempt to a queue. One that is not waiting for that stays as it is."""
        if self.state == "queued":
            self.trigger(GenerationDispatched, at, attempt=self.attempt + 1)

    def claim(self, worker: str, attempt: int, *, lease: timedelta, at: datetime) -> None:
        """Give a dispatched attempt to one worker. To claim again what one has records nothing.

        Raises:
            GenerationEnded: it was cancelled, say.
            AttemptStale: the command is of another attempt.
            GenerationNotWaiting: another worker has it, or it is not dispatched.
        """
        self._require_live()
        if attempt != self.attempt:
            raise AttemptStale("The command is of another attempt.")
        if self.state == "running" and worker == self.worker:
            return
        if self.state != "dispatched":
            raise GenerationNotWaiting("Another worker has it, or its turn has not come.")
        self.trigger(
            GenerationStarted, at, attempt=attempt, worker=worker, lease_expires_at=at + lease
        )

    def extend(self, attempt: int, *, lease: timedelta, at: datetime) -> bool:
        """Keep the attempt. Recorded only when less than half of the lease is left.

        Returns:
            Whether to go on: False once the person has cancelled, or a rule has refused.

        Raises:
            AttemptStale: the work was given to another, or has ended.
        """
        if self.state in {"cancelled", "refused"} and attempt == self.attempt:
            return False
        self._require_running(attempt)
        until = min(at + lease, (self.started_at or at) + RUN_MAX)
        left = (self.lease_expires_at or at) - at
        if left < lease / 2 and until > (self.lease_expires_at or at):
            self.trigger(LeaseExtended, at, attempt=attempt, lease_expires_at=until)
        return True

    def expire(self, *, at: datetime) -> None:
        """Take the work from a worker that fell silent; nothing while its lease lasts."""
        if self.state != "running" or self.lease_expires_at is None or at < self.lease_expires_at:
            return
        attempt = self.attempt
        self.trigger(LeaseExpired, at, attempt=attempt)
        if attempt >= ATTEMPTS_MAX:
            detail = "No worker finished it; the last one fell silent."
            self.trigger(
                GenerationFailed, at, attempt=attempt, reason="lease_expired", detail=detail
            )

    def fail(self, attempt: int, *, reason: str, detail: str, at: datetime) -> None:
        """Give an attempt up: the next one waits, or the generation has failed.

        Raises:
            AttemptStale: the work was given to another, or has ended.
        """
        self._require_running(attempt)
        event = AttemptFailed if attempt < ATTEMPTS_MAX else GenerationFailed
        self.trigger(event, at, attempt=attempt, reason=reason, detail=detail)

    def complete(  # noqa: PLR0913 - what the log records of a video
        self,
        attempt: int,
        *,
        video_key: str,
        poster_key: str,
        thumbnail_key: str,
        sha256: str,
        size_bytes: int,
        width: int,
        height: int,
        duration_ms: int,
        renderer: str,
        gpu_ms: int,
        at: datetime,
    ) -> None:
        """Deliver the video as a private draft. The same delivery again records nothing.

        Raises:
            GenerationEnded: it ended otherwise.
            AttemptStale: the work was given to another.
        """
        if self.completed and (self.completed.attempt, self.completed.sha256) == (attempt, sha256):
            return
        self._require_live()
        self._require_running(attempt)
        self.trigger(
            GenerationCompleted,
            at,
            attempt=attempt,
            video_key=video_key,
            poster_key=poster_key,
            thumbnail_key=thumbnail_key,
            sha256=sha256,
            bytes=size_bytes,
            width=width,
            height=height,
            duration_ms=duration_ms,
            renderer=renderer,
            gpu_ms=gpu_ms,
        )

    def refuse(self, *, reason: str, detail: str, at: datetime) -> None:
        """End it because a rule does not let it go on.

        Raises:
            GenerationEnded: it has ended.
        """
        self._require_live()
        self.trigger(GenerationRefused, at, reason=reason, detail=detail)

    def cancel(self, *, by: UUID, at: datetime) -> None:
        """End it because the person does not want it any more. Again records nothing.

        Raises:
            GenerationNotFound: it is not `by`'s.
            GenerationEnded: it ended otherwise.
        """
        self.require_owner(by)
        if self.state != "cancelled":
            self._require_live()
            self.trigger(GenerationCancelled, at)

    def require_owner(self, by: UUID) -> None:
        """Let pass who asked for it; others may not know of it."""
        if by != self.account_id:
            raise GenerationNotFound("There is no such generation.")

    def require_draft(self, *, by: UUID) -> GenerationCompleted:
        """Return the video that may be published, with its files.

        Raises:
            DraftNotFound: it is somebody else's, not finished, or discarded.
        """
        if by != self.account_id or self.state != "completed" or self.completed is None:
            raise DraftNotFound("There is no such draft.")
        return self.completed

    def discard(self, *, by: UUID, at: datetime) -> None:
        """Throw the draft away. Again records nothing.

        Raises:
            DraftNotFound: it is somebody else's, or not finished.
        """
        if by == self.account_id and self.state == "discarded":
            return
        self.require_draft(by=by)
        self.trigger(DraftDiscarded, at)

    def evolve(self, event: GenerationEvent) -> None:  # noqa: C901 - one case an event
        match event:
            case GenerationRequested():
                pass  # __init__ took its fields.
            case GenerationDispatched():
                self.state, self.attempt = "dispatched", event.attempt
            case GenerationStarted():
                self.state, self.worker = "running", event.worker
                self.started_at, self.lease_expires_at = event.timestamp, event.lease_expires_at
            case LeaseExtended():
                self.lease_expires_at = event.lease_expires_at
            case LeaseExpired() | AttemptFailed():
                self.state, self.worker, self.lease_expires_at = "queued", None, None
            case GenerationCompleted():
                self.state, self.completed = "completed", event
            case GenerationFailed():
                self.state = "failed"
            case GenerationRefused():
                self.state = "refused"
            case GenerationCancelled():
                self.state = "cancelled"
            case DraftDiscarded():
                self.state = "discarded"
            case _:
                assert_never(event)

    def _require_live(self) -> None:
        if not self.is_live:
            raise GenerationEnded(f"The generation has ended: it is {self.state}.")

    def _require_running(self, attempt: int) -> None:
        if self.state != "running" or attempt != self.attempt:
            raise AttemptStale("The work was given to another, or has ended.")


def _check_prompt(prompt: str) -> None:
    if not 1 <= len(prompt) <= PROMPT_LENGTH_MAX or not prompt.strip():
        raise PromptInvalid(f"A prompt has 1 to {PROMPT_LENGTH_MAX} characters.")
    # Cc: what controls a terminal; Cs: half a character, which no UTF-8 can hold.
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in prompt):
        raise PromptInvalid("A prompt has no control characters, and no line breaks either.")
