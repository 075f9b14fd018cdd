"""The rules of what one account makes of one video."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.identity import named
from domain.reaction.errors import ReportInvalid
from domain.reaction.events import (
    ReactionBegun,
    ReactionEvent,
    VideoBookmarked,
    VideoLiked,
    VideoReported,
    VideoShared,
    VideoUnbookmarked,
    VideoUnliked,
)
from domain.text import is_readable

REASONS = frozenset(
    {
        "sexual",
        "violence",
        "hate",
        "harassment",
        "self_harm",
        "minor_safety",
        "deception",
        "likeness",
        "spam",
        "other",
    }
)
NOTE_LENGTH_MAX = 1000


class Reaction(Aggregate):
    """Whether an account likes, keeps, shared or reported a video.

    What changes nothing records nothing.
    That the account may see the video is for who commands to see to.
    """

    TOPIC = "reaction"

    def __init__(self, account_id: UUID, video_id: UUID) -> None:
        self.account_id = account_id
        self.video_id = video_id
        self.liked = False
        self.bookmarked = False
        self.shared = False
        self.reported = False

    @staticmethod
    def identify(account_id: UUID, video_id: UUID) -> UUID:
        """Return the ID of the reaction of an account to a video."""
        return named("reaction", account_id, video_id)

    @classmethod
    def start(cls, account_id: UUID, video_id: UUID, *, at: datetime) -> Self:
        """Return the reaction of an account that had none to the video."""
        identity = cls.identify(account_id, video_id)
        return cls.begin(ReactionBegun, identity, at, account_id=account_id, video_id=video_id)

    def like(self, *, at: datetime) -> None:
        if not self.liked:
            self.trigger(VideoLiked, at, account_id=self.account_id, video_id=self.video_id)

    def unlike(self, *, at: datetime) -> None:
        if self.liked:
            self.trigger(VideoUnliked, at, account_id=self.account_id, video_id=self.video_id)

    def bookmark(self, *, at: datetime) -> None:
        if not self.bookmarked:
            self.trigger(VideoBookmarked, at, account_id=self.account_id, video_id=self.video_id)

    def unbookmark(self, *, at: datetime) -> None:
        if self.bookmarked:
            self.trigger(VideoUnbookmarked, at, account_id=self.account_id, video_id=self.video_id)

    def share(self, *, at: datetime) -> None:
        """Note that the account passed the video on. It counts once, and cannot be taken back."""
        if not self.shared:
            self.trigger(VideoShared, at, account_id=self.account_id, video_id=self.video_id)

    def report(self, reason: str, note: str, *, at: datetime) -> None:
        """Say that the video should not be here. The first report stands; others record nothing.

        Raises:
            ReportInvalid: it is for no reason that there is, or its note is too long or unreadable.
        """
        written = note.strip()
        if reason not in REASONS:
            raise ReportInvalid(f"A report is for one of these reasons: {sorted(REASONS)}.")
        if len(written) > NOTE_LENGTH_MAX or not is_readable(written):
            raise ReportInvalid(f"A note has at most {NOTE_LENGTH_MAX} readable characters.")
        if not self.reported:
            self.trigger(
                VideoReported,
                at,
                account_id=self.account_id,
                video_id=self.video_id,
                reason=reason,
                note=written,
            )

    def evolve(self, event: ReactionEvent) -> None:
        match event:
            case ReactionBegun():
                pass  # __init__ took its fields.
            case VideoLiked():
                self.liked = True
            case VideoUnliked():
                self.liked = False
            case VideoBookmarked():
                self.bookmarked = True
            case VideoUnbookmarked():
                self.bookmarked = False
            case VideoShared():
                self.shared = True
            case VideoReported():
                self.reported = True
            case _:
                assert_never(event)
