"""Commands of the dispatcher and of the workers on generations: dispatch, claim, deliver."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.cameo.aggregate import Cameo
from domain.errors import Forbidden, NotFound
from domain.generation.aggregate import ATTEMPTS_MAX, Generation
from domain.generation.errors import ConsentWithdrawn, GenerationNotFound, ObjectsMissing
from domain.generation.events import GenerationCompleted
from domain.generation.shapes import FPS
from domain.generation.work import Casting, ConsentReference, Delivery, Work, watermark_of
from domain.upload.aggregate import Upload
from domain.video.aggregate import Video
from myriorama.application.consent import Consent
from myriorama.application.generations import save_ending
from myriorama.store.front import aside
from myriorama.store.log import Log, retried
from myriorama.store.objects import Objects


class Works:
    """The gate that every attempt passes: a worker knows only what this has let it have."""

    def __init__(
        self,
        log: Log,
        consent: Consent,
        objects: Objects,
        *,
        lease: timedelta,
        commit: Callable[[UUID, str], str] = lambda _generation_id, _prompt: "",
    ) -> None:
        """Take the collaborators; `commit` commits a generation to a prompt without telling it."""
        self._log = log
        self._consent = consent
        self._objects = objects
        self._lease = lease
        self._commit = commit

    @retried
    def dispatch(self, generation_id: UUID, *, at: datetime) -> tuple[int, int] | None:
        """Record that the next attempt goes to its queue.

        Returns:
            The attempt, and where it was recorded; None if it does not wait (any more).
        """
        generation = self._find(generation_id)
        generation.dispatch(at=at)
        position = self._log.save(generation).position
        return None if position is None else (generation.attempt, position)

    @retried
    def expire(self, generation_id: UUID, *, at: datetime) -> str:
        """Take the work from a worker whose lease is over; return the state that follows."""
        generation = self._find(generation_id)
        generation.expire(at=at)
        save_ending(self._log, generation, at=at)
        return generation.state

    @retried
    def claim(self, generation_id: UUID, *, worker: str, attempt: int, at: datetime) -> Work:
        """Give an attempt to a worker, if it still is to be made and everyone in it consents.

        Raises:
            GenerationNotFound: there is none.
            GenerationEnded, AttemptStale, GenerationNotWaiting: the command does not hold.
            ConsentWithdrawn: it has been refused, this moment, and its seconds were given back.
        """
        generation = self._find(generation_id)
        generation.claim(worker, attempt, lease=self._lease, at=at)
        read = self._require_consent(generation_id, generation, at=at)
        self._log.save(generation, expect=read)
        return self._work(generation, at=at)

    @retried
    def heartbeat(self, generation_id: UUID, *, attempt: int, at: datetime) -> bool:
        """Keep the attempt; return whether to go on with it.

        Consent is asked at every beat: a render does not go on behind the back of who is in it.

        Raises:
            GenerationNotFound: there is none.
            AttemptStale: the work was given to another, or has ended.
        """
        generation = self._find(generation_id)
        if not generation.extend(attempt, lease=self._lease, at=at):
            return False
        try:
            read = self._require_consent(generation_id, generation, at=at)
        except ConsentWithdrawn:
            return False
        self._log.save(generation, expect=read)
        return True

    @retried
    def complete(
        self, generation_id: UUID, delivery: Delivery, *, attempt: int, at: datetime
    ) -> None:
        """Take the video as its owner's draft. The same again changes nothing.

        Raises:
            GenerationNotFound: there is none.
            GenerationEnded, AttemptStale: it is not wanted any more, or not from this worker.
            ObjectsMissing: what was delivered is not there.
            ConsentWithdrawn: it has been refused, this moment, and its seconds were given back.
        """
        generation = self._find(generation_id)
        generation.complete(attempt, delivery, at=at)
        for key in delivery.keys:
            if not aside(self._objects.exists, key):
                raise ObjectsMissing(f"There is no object {key}.")
        read = self._require_consent(generation_id, generation, at=at)
        self._log.save(generation, expect=read)

    @retried
    def fail(
        self, generation_id: UUID, *, attempt: int, reason: str, detail: str, at: datetime
    ) -> None:
        """Give an attempt up: another follows, or the generation fails and its seconds come back.

        Raises:
            GenerationNotFound: there is none.
            AttemptStale: the work was given to another, or has ended.
        """
        generation = self._find(generation_id)
        generation.fail(attempt, reason=reason, detail=detail, at=at)
        save_ending(self._log, generation, at=at)

    def _require_consent(
        self, generation_id: UUID, generation: Generation, *, at: datetime
    ) -> dict[UUID, int]:
        """Return what the consent of everyone rests on; else record the refusal instead.

        Raises:
            ConsentWithdrawn: somebody does not consent, and the refusal is recorded.
            LostRace: another command was first.
        """
        try:
            return self._consent.require(
                generation.recipe.cameo_ids, by=generation.account_id, at=at
            )
        except (Forbidden, NotFound) as error:
            refused = self._find(generation_id)
            refused.refuse(reason="consent_withdrawn", detail=str(error), at=at)
            save_ending(self._log, refused, at=at)
            raise ConsentWithdrawn(str(error)) from error

    def _work(self, generation: Generation, *, at: datetime) -> Work:
        recipe = generation.recipe
        cameos = self._cameos(recipe.cameo_ids)
        parent_video_key, parent_title = self._parent(recipe.remix_of)
        parts = [self._completed(part) for part in recipe.stitches]
        return Work(
            generation_id=generation.id,
            attempt=generation.attempt,
            lease_s=self._lease.total_seconds(),
            prompt=recipe.prompt,
            width=generation.size.width,
            height=generation.size.height,
            seconds=recipe.seconds,
            fps=FPS,
            seed=recipe.seed,
            image_key=self._image_key(recipe.image_upload_id),
            cameos=tuple(
                Casting(
                    cameo.name,
                    cameo.face_key,
                    cameo.voice_pitch_hz,
                    cameo_id=cameo.id,
                    voice_key=cameo.voice_key,
                    voice=cameo.voice or "",
                )
                for cameo in cameos
            ),
            model=recipe.model,
            shots=recipe.shots,
            last_image_key=self._image_key(recipe.last_image_upload_id),
            extends_key=self._master_key(recipe.extends),
            stitch_keys=tuple(part.master_key if part else "" for part in parts),
            stitch_captions=tuple(part.captions_key if part else None for part in parts),
            stitch_transcripts=tuple(part.transcript for part in parts if part and part.transcript),
            rerolls=recipe.rerolls,
            rerolled_key=(None if recipe.rerolls is None else self._master_key(recipe.remake_of)),
            parent_video_key=parent_video_key,
            parent_title=parent_title,
            consents=self._consents(cameos, by=generation.account_id, at=at),
            watermark=watermark_of(generation.id),
            prompt_commitment=self._commit(generation.id, recipe.prompt),
            is_last=generation.attempt >= ATTEMPTS_MAX,
        )

    def _image_key(self, upload_id: UUID | None) -> str | None:
        upload = self._log.find(Upload, upload_id) if upload_id else None
        return upload.require_cleared().image_key if upload else None

    def _cameos(self, cameo_ids: Sequence[UUID]) -> Sequence[Cameo]:
        found = (self._log.find(Cameo, cameo_id) for cameo_id in cameo_ids)
        return [cameo for cameo in found if cameo is not None]

    def _consents(
        self, cameos: Sequence[Cameo], *, by: UUID, at: datetime
    ) -> tuple[ConsentReference, ...]:
        """Return on what the casting of each rests, for the manifest of the video."""
        decisions = self._consent.decide([cameo.id for cameo in cameos], by=by, at=at)
        rules = {decision.cameo_id: decision.rule for decision in decisions}
        return tuple(
            ConsentReference(cameo.id, cameo.owner_id, rules[cameo.id]) for cameo in cameos
        )

    def _master_key(self, generation_id: UUID | None) -> str | None:
        completed = self._completed(generation_id)
        return completed.master_key if completed else None

    def _completed(self, generation_id: UUID | None) -> GenerationCompleted | None:
        made = self._log.find(Generation, generation_id) if generation_id else None
        return made.completed if made else None

    def _parent(self, video_id: UUID | None) -> tuple[str | None, str | None]:
        """Return the file of what is remixed, and what it is called."""
        video = self._log.find(Video, video_id) if video_id else None
        made = self._log.find(Generation, video.generation_id) if video else None
        if video is None or made is None or made.completed is None:
            return None, None
        return made.completed.video_key, video.caption or made.recipe.prompt

    def _find(self, generation_id: UUID) -> Generation:
        generation = self._log.find(Generation, generation_id)
        if generation is None:
            raise GenerationNotFound("There is no such generation.")
        return generation
