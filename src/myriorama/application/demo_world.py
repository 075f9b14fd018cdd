"""Commands of the operator by which many people come to a house at once, with what they made.

What they publish shows clips that were rendered before: the files are those of the clip's draft,
whose marks name the clip's own generation. What happens is recorded as all that happens is, but
many commands in one transaction.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from domain.account.aggregate import Account, Email, Handle
from domain.aggregate import Aggregate
from domain.following.aggregate import Following
from domain.generation.aggregate import Generation
from domain.generation.errors import DraftNotFound
from domain.reaction.aggregate import Reaction
from domain.video.aggregate import Video
from myriorama.application.accounts import NEW_ACCOUNT_SCOPES
from myriorama.application.passwords import Passwords
from myriorama.store.identity import new_id
from myriorama.store.log import Log

T = TypeVar("T")

_TOGETHER = 200


@dataclass(frozen=True)
class Newcomer:
    """Somebody who comes. Nobody signs in as them: their password is forgotten at once."""

    handle: str
    display_name: str
    bio: str


@dataclass(frozen=True)
class Clip:
    """What was rendered, and of what: the files of a draft. Keys name objects."""

    prompt: str
    cameo_ids: tuple[UUID, ...]
    video_key: str
    poster_key: str
    thumbnail_key: str
    width: int
    height: int
    duration_ms: int


@dataclass(frozen=True)
class Showing:
    """A video that shows a clip; `parent` is the place among the showings of what it remixes."""

    author_id: UUID
    clip: Clip
    prompt: str
    caption: str
    parent: int | None


class DemoWorld:
    """Lets people come to a house, follow, publish and like."""

    def __init__(self, log: Log, passwords: Passwords) -> None:
        self._log = log
        self._passwords = passwords

    def clip(self, generation_id: UUID) -> Clip:
        """Return what a generation came to.

        Raises:
            DraftNotFound: it is not completed.
        """
        generation = self._log.find(Generation, generation_id)
        if generation is None or generation.completed is None:
            raise DraftNotFound(generation_id)
        made, recipe = generation.completed, generation.recipe
        return Clip(
            recipe.prompt,
            recipe.cameo_ids,
            made.video_key,
            made.poster_key,
            made.thumbnail_key,
            made.width,
            made.height,
            made.duration_ms,
        )

    def open(self, newcomers: Sequence[Newcomer], *, at: datetime) -> Sequence[UUID]:
        """Open an account for each; return their IDs."""
        password_hash = self._passwords.hash(secrets.token_urlsafe(24))
        account_ids = [new_id() for _ in newcomers]
        for some in _batches(zip(newcomers, account_ids, strict=True)):
            opened = list[Aggregate]()
            for newcomer, account_id in some:
                email = f"{newcomer.handle}@example.org"
                account = Account.open(
                    account_id,
                    handle=newcomer.handle,
                    display_name=newcomer.display_name,
                    email=email,
                    password_hash=password_hash,
                    age_band="18+",
                    scopes=NEW_ACCOUNT_SCOPES,
                    invitation_id=None,
                    invited_by=None,
                    at=at,
                )
                account.change_profile(
                    display_name=newcomer.display_name,
                    bio=newcomer.bio,
                    avatar_upload_id=None,
                    at=at,
                )
                opened += [
                    account,
                    Handle.claim(newcomer.handle, account_id=account_id, at=at),
                    Email.claim(email, account_id=account_id, at=at),
                ]
            self._log.save(*opened)
        return account_ids

    def follow(self, follows: Iterable[tuple[UUID, Sequence[UUID]]], *, at: datetime) -> None:
        """Let accounts that follow nobody yet follow others."""
        for some in _batches(follows):
            begun = list[Following]()
            for account_id, others in some:
                following = Following.start(account_id, at=at)
                for other_id in others:
                    following.follow(other_id, at=at)
                begun.append(following)
            self._log.save(*begun)

    def publish(self, showings: Sequence[Showing], *, at: datetime) -> Sequence[UUID]:
        """Publish what was rendered, in order; return the IDs of the videos.

        A parent is published before what remixes it.
        """
        published = list[Video]()
        for some in _batches(showings):
            for showing in some:
                clip = showing.clip
                published.append(
                    Video.publish(
                        author_id=showing.author_id,
                        generation_id=new_id(),
                        caption=showing.caption,
                        visibility="public",
                        remixable=True,
                        prompt=showing.prompt,
                        cameo_ids=clip.cameo_ids,
                        parent=None if showing.parent is None else published[showing.parent],
                        video_key=clip.video_key,
                        poster_key=clip.poster_key,
                        thumbnail_key=clip.thumbnail_key,
                        width=clip.width,
                        height=clip.height,
                        duration_ms=clip.duration_ms,
                        at=at,
                    )
                )
            self._log.save(*published[-len(some) :])
        return [video.id for video in published]

    def like(self, likes: Iterable[tuple[UUID, UUID]], *, at: datetime) -> int:
        """Let accounts like videos, each once; return how many likes there are."""
        count = 0
        for some in _batches(likes):
            reactions = list[Reaction]()
            for account_id, video_id in some:
                reaction = Reaction.start(account_id, video_id, at=at)
                reaction.like(at=at)
                reactions.append(reaction)
            self._log.save(*reactions)
            count += len(reactions)
        return count


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while some := list(islice(remaining, _TOGETHER)):
        yield some
