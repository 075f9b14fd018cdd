"""The rules of a video, from its publication on."""

from collections.abc import Collection
from datetime import datetime
from typing import Self, assert_never, get_args
from uuid import UUID

from domain.aggregate import Aggregate
from domain.identity import named
from domain.text import is_name, is_readable
from domain.video.errors import (
    BrandInvalid,
    CaptionInvalid,
    LabelUnknown,
    NotVideoAuthor,
    RemixingForbidden,
    VideoNotFound,
    VisibilityUnknown,
)
from domain.video.events import (
    BrandedContentDeclared,
    CaptionChanged,
    RemixingChanged,
    RenditionsBuilt,
    VideoDeleted,
    VideoEvent,
    VideoLabelled,
    VideoPublished,
    VisibilityChanged,
)
from domain.video.labels import LABELS
from domain.video.visibility import Relation, Visibility, may_see

CAPTION_LENGTH_MAX = 2000
BRAND_LENGTH_MAX = 100


class Video(Aggregate):
    """What came of a generation, and is there for others. One generation is one video at most."""

    TOPIC = "video"

    def __init__(  # noqa: PLR0913 - as many as the commands need of the first event
        self,
        *,
        author_id: UUID,
        generation_id: UUID,
        caption: str,
        visibility: str,
        remixable: bool,
        cameo_ids: tuple[UUID, ...],
        remix_of: UUID | None,
        root_id: UUID,
        depth: int,
    ) -> None:
        self.author_id = author_id
        self.generation_id = generation_id
        self.caption = caption
        self.visibility = visibility
        self.remixable = remixable
        self.cameo_ids = tuple(cameo_ids)
        self.remix_of = remix_of
        self.root_id = root_id
        self.depth = depth
        self.deleted = False
        self.ladder_key: str | None = None
        self.labels: tuple[str, ...] = ()
        self.branded_by = ""

    @staticmethod
    def identify(generation_id: UUID) -> UUID:
        """Return the ID of the video that a generation becomes."""
        return named("video", generation_id)

    @classmethod
    def publish(  # noqa: PLR0913 - the fields of a publication
        cls,
        *,
        author_id: UUID,
        generation_id: UUID,
        caption: str,
        visibility: str,
        remixable: bool,
        prompt: str,
        cameo_ids: tuple[UUID, ...],
        parent: "Video | None",
        video_key: str,
        poster_key: str,
        thumbnail_key: str,
        width: int,
        height: int,
        duration_ms: int,
        at: datetime,
    ) -> Self:
        """Return the video of a generation, as a remix of `parent` or the first of its line.

        Raises:
            RemixingForbidden: the parent is not to be remixed.
            CaptionInvalid, VisibilityUnknown: it cannot be published like this.
        """
        _check_caption(caption)
        _check_visibility(visibility)
        video_id = cls.identify(generation_id)
        if parent:
            parent.require_remixable(by=author_id)
        return cls.begin(
            VideoPublished,
            video_id,
            at,
            author_id=author_id,
            generation_id=generation_id,
            caption=caption,
            visibility=visibility,
            remixable=remixable,
            prompt=prompt,
            cameo_ids=cameo_ids,
            remix_of=parent.id if parent else None,
            root_id=parent.root_id if parent else video_id,
            depth=parent.depth + 1 if parent else 0,
            video_key=video_key,
            poster_key=poster_key,
            thumbnail_key=thumbnail_key,
            width=width,
            height=height,
            duration_ms=duration_ms,
        )

    def require_visible(self, relation: Relation) -> None:
        """Let pass who may see the video.

        Raises:
            VideoNotFound: they may not, and may not know that it is there.
        """
        if not may_see(self.visibility, relation, deleted=self.deleted):
            raise VideoNotFound("There is no such video.")

    def require_remixable(self, *, by: UUID) -> None:
        """Let pass who may remix the video: its author always, others if it is remixable.

        Raises:
            RemixingForbidden: the author does not want it.
            VideoNotFound: it has been deleted.
        """
        if self.deleted:
            raise VideoNotFound("There is no such video.")
        if not self.remixable and by != self.author_id:
            raise RemixingForbidden("The author does not let this video be remixed.")

    def edit(
        self, *, caption: str, visibility: Visibility, remixable: bool, by: UUID, at: datetime
    ) -> None:
        """Change what the author may change. What stays the same records nothing.

        Raises:
            NotVideoAuthor: `by` did not publish it.
            CaptionInvalid, VisibilityUnknown: it cannot be like this.
        """
        self._require_author(by)
        _check_caption(caption)
        _check_visibility(visibility)
        if caption != self.caption:
            self.trigger(CaptionChanged, at, caption=caption)
        if visibility != self.visibility:
            self.trigger(VisibilityChanged, at, visibility=visibility)
        if remixable != self.remixable:
            self.trigger(RemixingChanged, at, remixable=remixable)

    def declare_branded(self, brand: str, *, by: UUID, at: datetime) -> None:
        """Say which brand paid for the video; "" is none. As it is records nothing.

        Raises:
            NotVideoAuthor: `by` did not publish it.
            BrandInvalid: no brand is called like this.
        """
        self._require_author(by)
        if brand and (len(brand) > BRAND_LENGTH_MAX or not is_name(brand)):
            raise BrandInvalid(f"A brand has 1 to {BRAND_LENGTH_MAX} characters on one line.")
        if brand != self.branded_by:
            self.trigger(BrandedContentDeclared, at, brand=brand)

    def delete(self, *, by: UUID, as_moderator: bool, at: datetime) -> None:
        """Take the video away for good. To delete it again records nothing.

        Raises:
            NotVideoAuthor: `by` neither published it nor moderates.
        """
        if not as_moderator:
            self._require_author(by)
        if not self.deleted:
            self.trigger(VideoDeleted, at)

    def add_renditions(self, ladder_key: str, *, rungs: int, size_bytes: int, at: datetime) -> None:
        """Let the video be streamed by a ladder. Once it has one, another records nothing.

        Raises:
            VideoNotFound: it has been deleted.
        """
        if self.deleted:
            raise VideoNotFound("There is no such video.")
        if self.ladder_key is None:
            self.trigger(
                RenditionsBuilt, at, ladder_key=ladder_key, rungs=rungs, size_bytes=size_bytes
            )

    def label(self, labels: Collection[str], *, by: UUID, at: datetime) -> None:
        """Say what the video is like, instead of what was said before. As it is records nothing.

        Raises:
            VideoNotFound: it has been deleted.
            LabelUnknown: there is no such label, or one is named twice.
        """
        if self.deleted:
            raise VideoNotFound("There is no such video.")
        ordered = tuple(label for label in LABELS if label in labels)
        if len(ordered) != len(labels):
            raise LabelUnknown(f"The labels are some of {', '.join(LABELS)}, each once.")
        if ordered != tuple(self.labels):
            self.trigger(VideoLabelled, at, labels=ordered, by=by)

    def evolve(self, event: VideoEvent) -> None:
        match event:
            case VideoPublished():
                pass  # __init__ took its fields.
            case CaptionChanged():
                self.caption = event.caption
            case VisibilityChanged():
                self.visibility = event.visibility
            case RemixingChanged():
                self.remixable = event.remixable
            case VideoDeleted():
                self.deleted = True
            case RenditionsBuilt():
                self.ladder_key = event.ladder_key
            case VideoLabelled():
                self.labels = tuple(event.labels)
            case BrandedContentDeclared():
                self.branded_by = event.brand
            case _:
                assert_never(event)

    def _require_author(self, by: UUID) -> None:
        if by != self.author_id:
            raise NotVideoAuthor("Only who published a video may do this.")


def _check_caption(caption: str) -> None:
    if len(caption) > CAPTION_LENGTH_MAX or not is_readable(caption):
        raise CaptionInvalid(
            f"A caption has {CAPTION_LENGTH_MAX} characters at most, and no control characters."
        )


def _check_visibility(visibility: str) -> None:
    if visibility not in get_args(Visibility):
        raise VisibilityUnknown("The visibility is public, followers or link.")
