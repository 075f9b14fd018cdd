"""Commands on videos: publish, edit, delete."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.generation.aggregate import Generation
from domain.generation.errors import DraftNotFound
from domain.generation.events import GenerationCompleted
from domain.video.aggregate import Video
from domain.video.errors import AlreadyPublished, ParentNotFound, ProvenanceMissing, VideoNotFound
from myriorama.application.consent import Consent
from myriorama.application.relations import joined, visible_video
from myriorama.store.front import aside
from myriorama.store.log import Log, retried


@dataclass(frozen=True)
class Publication:
    """How a draft is to be published. `visibility` is "public", "followers" or "link".

    `brand` is who paid for it, if anybody did.
    """

    generation_id: UUID
    caption: str
    visibility: str
    remixable: bool
    brand: str = ""


class Missing(Protocol):
    """Reads the file of a draft again, and says what it lacks; None is nothing."""

    def __call__(self, generation_id: UUID, draft: GenerationCompleted, /) -> str | None: ...


class Videos:
    """What people publish."""

    def __init__(self, log: Log, consent: Consent, missing: Missing) -> None:
        self._log = log
        self._consent = consent
        self._missing = missing

    def publish(self, publication: Publication, *, by: UUID, at: datetime) -> UUID:
        """Publish a draft; return the video's ID, which follows from the generation's.

        Consent is asked again: what was allowed when the video was made may not be any more. All
        that this rests on (the draft, the consent, the parent) is still so when it is recorded.

        Raises:
            DraftNotFound: there is none, or it is not `by`'s.
            AlreadyPublished: it was published before.
            ProvenanceMissing: its file lacks a mark, or is not the one that was made.
            CastingForbidden: the owner of a cameo in it does not consent.
            ParentNotFound: what it remixes is there no more, or is hidden from `by`.
            RemixingForbidden: the author of what it remixes does not want it.
            CaptionInvalid, VisibilityUnknown, BrandInvalid: it cannot be like this.
        """
        _, draft = self._draft(publication.generation_id, by=by)
        # The file never changes after it was recorded: once is enough, however often we try below.
        if missing := aside(self._missing, publication.generation_id, draft):
            raise ProvenanceMissing(missing)
        return self._publish(publication, by=by, at=at)

    @retried
    def _publish(self, publication: Publication, *, by: UUID, at: datetime) -> UUID:
        generation, draft = self._draft(publication.generation_id, by=by)
        consented = self._consent.require(generation.recipe.cameo_ids, by=by, at=at)
        parent, parent_read = self._parent(generation.recipe.remix_of, by=by)
        video = Video.publish(
            author_id=by,
            generation_id=generation.id,
            caption=publication.caption,
            visibility=publication.visibility,
            remixable=publication.remixable,
            prompt=generation.recipe.prompt,
            cameo_ids=generation.recipe.cameo_ids,
            parent=parent,
            video_key=draft.video_key,
            poster_key=draft.poster_key,
            thumbnail_key=draft.thumbnail_key,
            width=draft.width,
            height=draft.height,
            duration_ms=draft.duration_ms,
            at=at,
        )
        video.declare_branded(publication.brand, by=by, at=at)
        read = joined({generation.id: generation.version}, consented, parent_read)
        self._log.save(video, expect=read)
        return video.id

    @retried
    def edit(
        self,
        video_id: UUID,
        edits: Mapping[str, Any],
        *,
        by: UUID,
        precondition: Callable[[int], None],
        at: datetime,
    ) -> Video:
        """Change what the author may change, and return the video; what is not named stays.

        Args:
            video_id: which video.
            edits: any of `caption`, `visibility`, `remixable`, and `brand` ("" is none).
            by: who asks.
            precondition: is given the version that is about to be changed, and raises to stop.
            at: now.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
            NotVideoAuthor: `by` did not publish it.
            CaptionInvalid, VisibilityUnknown, BrandInvalid: it cannot be like this.
        """
        video, _ = visible_video(self._log, video_id, to=by)
        precondition(video.version)
        present: dict[str, Any] = {
            "caption": video.caption,
            "visibility": video.visibility,
            "remixable": video.remixable,
        }
        brand = edits.get("brand", video.branded_by)
        named = {name: value for name, value in edits.items() if name != "brand"}
        video.edit(**{**present, **named}, by=by, at=at)
        video.declare_branded(brand, by=by, at=at)
        self._log.save(video)
        return video

    @retried
    def delete(self, video_id: UUID, *, by: UUID, as_moderator: bool, at: datetime) -> None:
        """Delete a video, for good; the author may, and who moderates.

        Raises:
            VideoNotFound: there is none (any more), or `by` may not see it.
            NotVideoAuthor: `by` neither published it nor moderates.
        """
        if as_moderator:
            video = self._log.find(Video, video_id)
            if video is None or video.deleted:
                raise VideoNotFound("There is no such video.")
        else:
            video, _ = visible_video(self._log, video_id, to=by)
        video.delete(by=by, as_moderator=as_moderator, at=at)
        self._log.save(video)

    @retried
    def label(self, video_id: UUID, labels: Collection[str], *, by: UUID, at: datetime) -> None:
        """Say what a video is like, instead of what was said before; `by` moderates.

        Raises:
            VideoNotFound: there is none (any more).
            LabelUnknown: there is no such label, or one is named twice.
        """
        video = self._log.find(Video, video_id)
        if video is None:
            raise VideoNotFound("There is no such video.")
        video.label(labels, by=by, at=at)
        self._log.save(video)

    def _draft(self, generation_id: UUID, *, by: UUID) -> tuple[Generation, GenerationCompleted]:
        generation = self._log.find(Generation, generation_id)
        if generation is None:
            raise DraftNotFound("There is no such draft.")
        draft = generation.require_draft(by=by)
        if self._log.find(Video, Video.identify(generation.id)):
            raise AlreadyPublished("This draft has been published before.")
        return generation, draft

    def _parent(self, video_id: UUID | None, *, by: UUID) -> tuple[Video | None, dict[UUID, int]]:
        if video_id is None:
            return None, {}
        try:
            return visible_video(self._log, video_id, to=by)
        except VideoNotFound as error:
            raise ParentNotFound("What this video remixes is not there any more.") from error
