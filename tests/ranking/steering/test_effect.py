"""What people say of their feed moves what is on it, by as much as they said, and back."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest

from domain.following.events import AccountFollowed
from domain.steering.aggregate import Steering, Wish
from projections.projection import Recorded
from ranking.decision import Decision
from ranking.embedding import PromptVectors
from ranking.heuristic import Heuristic
from ranking.pipeline import rank
from ranking.policy import DEFAULT
from ranking.query import Query
from ranking.state import State
from ranking.steering.effect import effect, find
from ranking.steering.effect import hidden as hides
from ranking.steering.parser import understand
from tests.ranking.worlds import NOON, NOON_MS, account, opened, published, video

ALICE, BOB, AUTHORS = 0, 3, 40
SIZE = 30
DAY_MS = 86_400_000
STEERING = DEFAULT.steering
QUERY = UUID(int=7)

SUBJECTS = {
    "food": ["a chef cooks noodles", "a pizza comes out of the oven", "soup boils in a pot"],
    "politics": ["a senator speaks in parliament", "a president at an election rally"],
    "claymation": ["a claymation figure walks", "a clay dog made of plasticine, stop motion"],
    "cats": ["a cat sleeps on a sofa", "two cats chase a ball of wool"],
    "trains": ["a steam train crosses a viaduct", "a locomotive leaves the railway station"],
    "football": ["a football match, a goal is scored", "a football player dribbles"],
    "space": ["an astronaut floats above the earth", "a rocket flies to the moon"],
    "clowns": ["a clown juggles in the circus", "a clown with a red nose laughs"],
}
PLACES = ["at dawn", "in the rain", "on a Sunday", "by the river", "in an old town", "at night"]


class Home:
    """A small living world, and what Alice says of her feed in it."""

    def __init__(self) -> None:
        vectors = vectors_of_the_house()
        self.state = State(vectors.embed, vectors.topics)
        self.steering: Steering | None = None
        self.position = 0
        self.subjects = list[str]()
        for number in range(AUTHORS):
            self.happened(opened(number))
        # Each author makes videos of several subjects, as people do.
        for number in range(480):
            subject = list(SUBJECTS)[number % len(SUBJECTS)]
            prompts = SUBJECTS[subject]
            prompt = f"{prompts[number // 8 % len(prompts)]} {PLACES[number // 16 % 6]}"
            self.subjects.append(subject)
            author = 1 + (number * 7 + number // 8) % (AUTHORS - 1)
            changes = {"prompt": prompt, "caption": "", "duration_ms": 4000 + 500 * (number % 40)}
            self.happened(published(number, author, **changes))

    def happened(self, event: object) -> None:
        self.position += 1
        self.state.fold_domain([Recorded(self.position, NOON, event)], upto=self.position)

    def says(self, text: str, at: datetime = NOON) -> Sequence[UUID]:
        said = understand(text, at=at)
        assert not said.not_understood
        wishes = [
            Wish(
                uuid4(),
                asked.kind,
                asked.about,
                asked.terms,
                account(int(asked.terms[0][1:])) if asked.about == "author" else None,
                asked.strength,
                asked.expires_at,
                asked.said,
            )
            for asked in said.rules
        ]
        kept = self.her_steering().add(wishes, at=at)
        self.record()
        return kept

    def her_steering(self) -> Steering:
        self.steering = self.steering or Steering.start(account(ALICE), at=NOON)
        return self.steering

    def record(self) -> None:
        for event in self.her_steering().collect_events():
            self.happened(event)

    def page(
        self,
        *,
        as_of_ms: int = NOON_MS + 3_600_000,
        kind: str = "for_you",
        pending: Sequence[UUID] = (),
        seed: int = 11,
    ) -> Decision:
        query = Query(
            decision=QUERY,
            viewer=account(ALICE).bytes,
            kind="for_you" if kind == "for_you" else "popular",
            as_of_ms=as_of_ms,
            seed=seed,
            size=SIZE,
            pending=tuple(video.bytes for video in pending),
        )
        return rank(self.state, Heuristic(), DEFAULT, query)

    def share(self, subject: str, page: Decision | None = None) -> float:
        shown = [self.subjects[_number(placed.video)] for placed in (page or self.page()).order]
        return shown.count(subject) / len(shown)


@cache
def vectors_of_the_house() -> PromptVectors:
    return PromptVectors.load()


@pytest.fixture
def home() -> Home:
    return Home()


def _number(video_id: UUID) -> int:
    return video_id.int - video(0).int


def but_positions(page: Decision) -> bytes:
    return msgspec.structs.replace(page, domain_position=0).encode()


def test_the_shares_of_a_page_move_as_was_said(home: Home) -> None:
    before = {subject: home.share(subject) for subject in SUBJECTS}

    home.says("less food, more claymation, nothing political this week")

    after = {subject: home.share(subject) for subject in SUBJECTS}
    assert before["food"] > 0.1
    assert before["politics"] > 0.05
    assert after["food"] <= 0.1
    assert after["claymation"] >= 1.5 * before["claymation"]
    assert after["politics"] == 0


def test_to_undo_every_rule_restores_the_page_to_the_byte(home: Home) -> None:
    before = home.page()
    kept = home.says("less food, more claymation, nothing political, no clowns, more short videos")
    steered = home.page()

    for rule_id in kept:
        home.her_steering().remove(rule_id, at=NOON)
    home.record()

    assert but_positions(steered) != but_positions(before)
    assert but_positions(home.page()) == but_positions(before)


def test_what_is_undone_alone_leaves_the_other_rules_as_they_would_be(home: Home) -> None:
    other = Home()
    food, _ = home.says("less food, nothing political")

    home.her_steering().remove(food, at=NOON)
    home.record()
    other.says("nothing political")

    pages = [each.page() for each in (home, other)]
    assert but_positions(pages[0]) == but_positions(pages[1])


def test_a_limit_holds_on_every_stretch_from_the_first_place_on(home: Home) -> None:
    home.says("less food")

    order = home.page().order

    shown = [home.subjects[_number(placed.video)] == "food" for placed in order]
    assert all(sum(shown[: n + 1]) <= 0.1 * (n + 1) for n in range(len(shown)))


def test_the_stronger_the_limit_the_smaller_the_share(home: Home) -> None:
    (rule_id,) = home.says("a bit less food")
    shares = list[float]()

    for strength in (25, 50, 100):
        home.her_steering().change(rule_id, strength=strength, expires_at=None, at=NOON)
        home.record()
        (limit,) = effect(
            home.state, ALICE, np.arange(480, dtype=np.int32), NOON_MS, STEERING
        ).limits
        shares.append(limit.share)
        assert home.share("food") <= limit.share

    assert shares == [0.15, 0.1, 0.0]


def test_the_stronger_the_limit_the_less_is_shown_and_a_weak_one_leaves_some(home: Home) -> None:
    def share() -> float:
        return sum(home.share("food", home.page(seed=seed)) for seed in range(6)) / 6

    shares = [share()]
    (rule_id,) = home.says("a bit less food")

    for strength in (25, 50, 75):
        home.her_steering().change(rule_id, strength=strength, expires_at=None, at=NOON)
        home.record()
        shares.append(share())

    assert 0.4 * shares[0] < shares[1] < shares[0]
    assert shares[1] > 1.2 * shares[2] > 1.2 * 1.2 * shares[3] > 0


def test_a_rule_ends_when_it_was_said_to(home: Home) -> None:
    later = NOON_MS + 3 * DAY_MS
    before = home.page(as_of_ms=later)

    home.says("nothing political for 2 days")

    assert home.share("politics") == 0
    assert but_positions(home.page(as_of_ms=later)) == but_positions(before)


def test_what_is_boosted_is_found_by_the_source_of_steering(home: Home) -> None:
    home.says("more claymation")

    page = home.page()

    steered = [placed for placed in page.order if "steered" in placed.sources]
    assert steered
    assert {home.subjects[_number(placed.video)] for placed in steered} == {"claymation"}


def test_words_are_found_that_mean_nothing_to_the_vectors(home: Home) -> None:
    home.happened(published(480, BOB, prompt="a zxqwv", caption="Zxqwvs everywhere"))
    home.happened(published(481, BOB, prompt="a dog", caption="about #Zxqwv"))

    home.says("more zxqwv")

    serials, strength = find(home.state, home.state.people.rules(ALICE), 10)
    assert set(serials[:2].tolist()) == {480, 481}
    assert strength[0] == pytest.approx(0.5)


def is_of_a_clown(number: int) -> bool:
    return list(SUBJECTS)[number % 8] == "clowns"


def is_by_bob(number: int) -> bool:
    return 1 + (number * 7 + number // 8) % (AUTHORS - 1) == BOB


def is_long(number: int) -> bool:
    return 4000 + 500 * (number % 40) > 20_000


def is_short(number: int) -> bool:
    return 4000 + 500 * (number % 40) < 5000


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("no clowns", is_of_a_clown),
        ("hide @p3", is_by_bob),
        ("nothing over 20 seconds", is_long),
        ("no videos under 5 seconds", is_short),
    ],
)
def test_what_is_hidden_is_hidden_and_nothing_else_is(
    home: Home, text: str, hidden: Callable[[int], bool]
) -> None:
    home.says(text)

    told = hides(home.state, ALICE, np.arange(480, dtype=np.int32), NOON_MS)

    assert told.tolist() == [hidden(n) for n in range(480)]


def test_a_feed_goes_on_as_long_as_anything_is_not_hidden(home: Home) -> None:
    home.says("no clowns, no cats, no trains, no football, no space, no food")
    shown: list[UUID] = []

    while page := home.page(pending=shown).order:
        shown += [placed.video for placed in page]
        assert len(page) == min(SIZE, 120 - len(shown) + len(page))

    assert len(shown) == len(set(shown)) == 120
    assert {home.subjects[_number(video)] for video in shown} == {"politics", "claymation"}


def test_circles_and_forms_are_known(home: Home) -> None:
    home.happened(
        AccountFollowed(account(ALICE), 2, NOON, account_id=account(ALICE), other_id=account(BOB))
    )
    home.happened(published(480, BOB, remix_of=video(0), depth=1, root_id=video(0)))

    home.says("no remixes, more from people I follow")

    serials = np.arange(481, dtype=np.int32)
    told = effect(home.state, ALICE, serials, NOON_MS, STEERING)
    by_bob = home.state.videos.author == home.state.people.serial(account(BOB).bytes)
    assert np.flatnonzero(hides(home.state, ALICE, serials, NOON_MS)).tolist() == [480]
    assert ((told.boost > 0) == by_bob).all()


def test_less_like_a_video_acts_on_the_next_page_fades_and_is_taken_back(home: Home) -> None:
    before = home.page()
    shown = next(
        placed for placed in before.order if home.subjects[_number(placed.video)] == "cats"
    )
    serial = np.array([_number(shown.video)], np.int32)

    home.her_steering().ask_less(shown.video, at=NOON)
    home.record()

    now, later, gone = (
        float(effect(home.state, ALICE, serial, NOON_MS + days * DAY_MS, STEERING).boost[0])
        for days in (0, 14, 60)
    )
    assert now == pytest.approx(-4.0)
    assert later == pytest.approx(-2.0)
    assert gone == 0
    assert home.share("cats") < home.share("cats", before)
    home.her_steering().take_less_back(shown.video, at=NOON)
    home.record()
    assert not effect(home.state, ALICE, serial, NOON_MS, STEERING).boost.any()


def test_a_page_that_knows_nobody_still_hides_what_was_said(home: Home) -> None:
    impersonal = home.page(kind="popular")
    home.says("more claymation, no clowns")

    page = home.page(kind="popular")

    assert home.share("clowns", impersonal) > 0
    assert home.share("clowns", page) == 0
    assert home.share("claymation", page) <= home.share("claymation", impersonal) + 0.1
    home.her_steering().switch_personalisation(personalised=False, at=NOON)
    home.record()
    unpersonal = home.page()
    assert [placed.video for placed in unpersonal.order] == [placed.video for placed in page.order]


def test_a_reset_takes_back_all(home: Home) -> None:
    home.says("less food, no clowns")
    home.her_steering().ask_less(video(5), at=NOON + timedelta(minutes=1))
    home.record()

    home.her_steering().reset(at=NOON)
    home.record()

    serials = np.arange(480, dtype=np.int32)
    told = effect(home.state, ALICE, serials, NOON_MS, STEERING)
    assert not told.boost.any()
    assert not hides(home.state, ALICE, serials, NOON_MS).any()
    assert told.limits == ()
