"""A house in which people publish, follow, steer and watch while slates are served to them.

Run by itself it serves as many as are asked for, and makes each again from the logs:

    python -m tests.replay.living_house 10000

`tests/replay/trained_house.py` does so with a model that was trained on this house's own log.
"""

import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import structlog

from domain.errors import DomainError
from domain.video.aggregate import Video
from myriorama.application.followings import Followings
from myriorama.application.reactions import Reactions
from myriorama.application.steering import Steerings
from myriorama.bootstrap.feeds import create_rankers, create_state, create_stretches
from myriorama.feed.live_state import LiveState
from myriorama.feed.ranking import Asked, Ranking
from myriorama.feed.slates import RankedSlate
from myriorama.replay.slates import Remade, Remaking
from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.identity import new_id
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects, Objects
from myriorama.store.postgres import Pool, migrate, open_pool
from myriorama.store.viewlog import Batch, Served, Viewing, Views
from ranking.decision import Decision
from ranking.query import Kind
from ranking.state import State
from ranking.steering.parser import understand
from tests.authors import open_account
from tests.publishing import publish

_PAGE = 20
_LATE_S = 120.0
_SUBJECTS = ("clay bird", "paper boat", "tin robot", "moss garden", "glass whale", "noodle soup")
_SAYINGS = ("less food", "more clay birds", "no robots", "more whales")


@dataclass
class House:
    """Where it all is, and who lives there."""

    url: str
    pool: Pool
    objects: Objects
    log: Log
    people: list[UUID] = field(default_factory=list[UUID])
    videos: list[UUID] = field(default_factory=list[UUID])
    subjects: dict[UUID, int] = field(default_factory=dict[UUID, int])

    def settle(self, people: int, videos: int) -> None:
        """Let people move in, and publish."""
        self.people = [open_account(self.log, f"person_{n}") for n in range(people)]
        chance = random.Random(1)  # noqa: S311 - nobody has to be kept from guessing
        self.videos = [self._publish(chance) for _ in range(videos)]

    def live(self, chance: random.Random) -> None:
        """Let somebody do something."""
        who, whom = chance.sample(self.people, 2)
        handle, at = f"person_{self.people.index(whom)}", datetime.now(UTC)
        video = chance.choice(self.videos)
        steerings, followings = Steerings(self.log), Followings(self.log)
        try:
            match chance.randrange(10):
                case 0 | 1 | 2:
                    self.videos.append(self._publish(chance))
                case 3 | 4:
                    Reactions(self.log).like(video, by=who, at=at)
                case 5:
                    followings.follow(who, handle, at=at)
                case 6:
                    chance.choice((followings.mute, followings.block))(who, handle, at=at)
                case 7:
                    steerings.steer(understand(chance.choice(_SAYINGS), at=at), by=who, at=at)
                case 8:
                    steerings.ask_less(video, by=who, at=at)
                case _:
                    self._delete(video)
        except DomainError:
            pass  # what may not be done is not done

    def is_fond(self, who: UUID, video_id: UUID) -> bool:
        """Tell whether a video is about what somebody likes best."""
        return self.subjects.get(video_id) == who.int % len(_SUBJECTS)

    def _publish(self, chance: random.Random) -> UUID:
        subject = chance.randrange(len(_SUBJECTS))
        caption = f"A {_SUBJECTS[subject]} number {len(self.videos)}"
        video_id = publish(self.log, chance.choice(self.people), caption).id
        self.subjects[video_id] = subject
        return video_id

    def _delete(self, video_id: UUID) -> None:
        video = self.log.find(Video, video_id)
        if video is not None:
            video.delete(by=video.author_id, as_moderator=False, at=datetime.now(UTC))
            self.log.save(video)


def serve(
    house: House, count: int, *, by: str = "", meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Serve slates by two processes' worth of state while people go on living.

    Args:
        house: where.
        count: how many.
        by: the digest of the ranker of which they have to be; others are served, not counted.
        meanwhile: is done when the first are served.
    """
    stopping = threading.Event()

    def live() -> None:
        meanwhile()
        chance = random.Random(2)  # noqa: S311 - as above
        while not stopping.is_set():
            house.live(chance)
            stopping.wait(0.05)

    living = threading.Thread(target=live)
    with ExitStack() as open_now:
        views = open_now.enter_context(Views(house.url))
        rankings = [open_now.enter_context(_ranking(house)) for _ in range(2)]
        living.start()
        try:
            asyncio.run(_served(house, rankings, views, count, by))
        finally:
            stopping.set()
            living.join()


def remaking(house: House) -> Remaking:
    """Return what makes slates again."""
    stretches = create_stretches(house.pool, house.objects)
    return Remaking(house.pool, stretches, create_state, create_rankers(house.objects).load)


def remade(house: House) -> Iterator[Remade]:
    """Make all slates again."""
    yield from remaking(house).newest()


@contextmanager
def furnished_house() -> Generator[House]:
    """Yield a house of its own, with a server of its own, in which a hundred people live."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with TemporaryDirectory(prefix="myriorama-") as folder:
        server = start_postgres(Path(folder) / "postgres")
        migrate(server.url)
        with open_pool(server.url) as pool:
            house = House(server.url, pool, FolderObjects(Path(folder) / "objects"), Log(pool))
            house.settle(people=100, videos=400)
            yield house
        server.stop()


def told(what: str, since_s: float) -> float:
    """Print what was done since when; return when it is now."""
    now_s = time.monotonic()
    print(f"{what} in {now_s - since_s:.0f} s", flush=True)  # noqa: T201 - a program's
    return now_s


def told_of_all(house: House, since_s: float) -> int:
    """Make all slates again, print what differs; return how many do."""
    count, different = 0, list[str]()
    for count, each in enumerate(remade(house), start=1):  # noqa: B007 - counts
        if not each.is_equal:
            different.append(f"{each.decision_id}: {each.difference}")
    equal = f"{count - len(different)} of {count} made again, equal to the byte,"
    told("\n".join([*different, equal]), since_s)
    return len(different)


@contextmanager
def _ranking(house: House) -> Generator[Ranking]:
    stretches, rankers = create_stretches(house.pool, house.objects), create_rankers(house.objects)

    def folded(state: State) -> None:
        rankers.keep_up(state.active.model_digest)

    with LiveState(house.url, stretches, create_state, folded=folded) as live:
        if not live.reached(stretches.heads(), timeout_s=_LATE_S):
            raise TimeoutError("the state of the ranking is not loaded")
        ranking = Ranking(live, rankers)
        yield ranking
        ranking.close()


async def _served(
    house: House, rankings: Sequence[Ranking], views: Views, count: int, by: str
) -> None:
    chance = random.Random(3)  # noqa: S311 - as above
    number = counted = 0
    while counted < count:
        number += 1
        kind: Kind = "popular" if chance.random() < 0.1 else "for_you"
        viewer = chance.choice(house.people)
        shown = tuple(video.bytes for video in chance.sample(house.videos, chance.randrange(4)))
        asked = Asked(viewer.bytes, kind, time.time_ns() // 1_000_000, shown)
        slate, _ = await chance.choice(rankings).decide(asked, new_id())
        if slate is None:
            raise RuntimeError("a slate could not be decided")
        counted += not by or (slate.ranking is not None and _ranker(slate.ranking) == by)
        page = slate.video_ids[:_PAGE]
        views.offer(Served(slate.decision_id, viewer.bytes, kind, None, page, slate.ranking))
        if page and chance.random() < 0.5:
            await views.append(_watched(house, viewer, slate, number, chance))


def _watched(
    house: House, viewer: UUID, slate: RankedSlate, number: int, chance: random.Random
) -> Batch:
    decision, viewings = UUID(bytes=slate.decision_id), list[Viewing]()
    for video_id in map(_id, slate.video_ids[: 1 + chance.randrange(6)]):
        longest_ms = 9000 if house.is_fond(viewer, video_id) else 5000
        watched_ms = chance.randrange(longest_ms)
        viewings.append(Viewing(video_id, decision, watched_ms, chance.randrange(3)))
    return Batch(viewer, uuid4(), number, sha256(decision.bytes).digest(), viewings)


def _ranker(ranking: str) -> str:
    return Decision.decode(ranking).model


def _id(packed: bytes) -> UUID:
    return UUID(bytes=packed)


def _main(count: int) -> int:
    with furnished_house() as house:
        began_s = time.monotonic()
        serve(house, count)
        return told_of_all(house, told(f"{count} slates served", began_s))


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1])))
