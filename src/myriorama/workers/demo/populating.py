"""The demo world, peopled: its crowd moves into a house, publishes, watches and likes.

All of it goes through the two logs, at the time at which it is recorded: what a few days would
bring is brought in minutes. Clips are rendered before, by the house itself.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple, TypeVar
from uuid import UUID

from myriorama.application.demo_world import Clip, DemoWorld, Newcomer, Showing
from myriorama.store.identity import new_id
from myriorama.store.view_arrays import pack_batch, pack_viewings
from myriorama.store.view_writer import Report, Served, ViewWriter
from myriorama.store.viewlog import Viewing
from myriorama.workers.demo.creators import CREATORS, WORDINGS
from myriorama.workers.demo.crowd import ORIGINAL, Crowd, Ints, Session, Work

T = TypeVar("T")

THEMES = {
    prompt: theme
    for theme, creator in enumerate(CREATORS)
    for prompt in (*creator.prompts, *creator.casts)
}

WATCHED_EACH = 120
"""How many videos somebody watches, on average."""

_TOGETHER = 100


class Themed(NamedTuple):
    """A clip, and the theme that it belongs to."""

    clip: Clip
    theme: int


class Populated(NamedTuple):
    """Who lives in the demo world, and what they published."""

    account_ids: Sequence[UUID]
    video_ids: Sequence[UUID]


def themed(clip: Clip) -> Themed:
    """Return a clip with its theme: the creator's whose sentence it was rendered from."""
    return Themed(clip, THEMES[clip.prompt])


def populate(
    world: DemoWorld,
    writer: ViewWriter,
    clips: Sequence[Themed],
    *,
    people: int,
    videos: int,
) -> Iterator[str | Populated]:
    """Let a crowd move in around the clips. Yields what is done, and at last who and what is there.

    Raises:
        psycopg.Error: the database refused something; what was recorded stays.
    """
    crowd = Crowd([themed.theme for themed in clips], people=people)
    newcomers = [Newcomer(each.handle, each.display_name, each.bio) for each in crowd.people]
    account_ids = world.open(newcomers, at=datetime.now(UTC))
    follows = [(account_ids[who], _of(account_ids, others)) for who, others in crowd.follows()]
    world.follow(follows, at=datetime.now(UTC))
    yield f"{people} people moved in, who follow {sum(len(others) for _, others in follows)} times"
    works = crowd.works(videos)
    showings = [_showing(work, clips, account_ids) for work in works]
    video_ids = world.publish(showings, at=datetime.now(UTC))
    remixes = sum(work.parent != ORIGINAL for work in works)
    yield f"{videos} videos of {len(clips)} clips, {remixes} of them remixes"
    watched, likes, sessions = 0, list[tuple[UUID, UUID]](), list[Session]()
    for session in crowd.sessions(works, each=WATCHED_EACH):
        sessions.append(session)
        watched += len(session.videos)
        viewer_id = account_ids[session.viewer]
        likes += [(viewer_id, liked) for liked in _of(video_ids, session.videos[session.liked])]
        if len(sessions) == _TOGETHER:
            _watch(writer, sessions, showings, account_ids, video_ids)
            sessions.clear()
    _watch(writer, sessions, showings, account_ids, video_ids)
    yield f"{watched} views"
    yield f"{world.like(likes, at=datetime.now(UTC))} likes"
    yield Populated(account_ids, video_ids)


def _showing(work: Work, clips: Sequence[Themed], account_ids: Sequence[UUID]) -> Showing:
    clip = clips[work.clip].clip
    prompt = WORDINGS[work.wording % len(WORDINGS)].format(clip.prompt)
    opening = _OPENINGS[work.wording // len(WORDINGS) % len(_OPENINGS)]
    parent = None if work.parent == ORIGINAL else work.parent
    return Showing(account_ids[work.author], clip, prompt, opening.format(clip.prompt), parent)


def _watch(
    writer: ViewWriter,
    sessions: Sequence[Session],
    showings: Sequence[Showing],
    account_ids: Sequence[UUID],
    video_ids: Sequence[UUID],
) -> None:
    """Log the pages that were read, and what was watched of them."""
    if not sessions:
        return
    pages, reports = list[Served](), list[Report]()
    for session in sessions:
        decision_id, viewer_id = new_id(), account_ids[session.viewer]
        page, shown = _of(video_ids, session.videos), _of(showings, session.videos)
        ids = [video_id.bytes for video_id in page]
        pages.append(Served(decision_id.bytes, viewer_id.bytes, "latest", None, ids))
        shares: list[float] = session.shares.tolist()
        viewings = [
            Viewing(video_id, decision_id, round(share * showing.clip.duration_ms), int(share))
            for video_id, showing, share in zip(page, shown, shares, strict=True)
        ]
        name = pack_batch(viewer_id, decision_id, 0)
        digest = sha256(name).digest()
        reports.append(Report(name, digest, pack_viewings(viewings), len(viewings)))
    writer.append_slates(pages)
    for outcome in writer.append_viewings(reports).values():
        if isinstance(outcome, Exception):
            raise outcome


def _of(items: Sequence[T], places: Ints) -> list[T]:
    """Return the items at the places."""
    chosen: list[int] = places.tolist()
    return [items[place] for place in chosen]


_OPENINGS = (
    "{}",
    "Made this today: {}",
    "For a slow evening: {}",
    "Could not stop watching: {}",
    "One more time: {}",
    "My take: {}",
    "Somebody asked for this: {}",
    "Small but mine: {}",
)
