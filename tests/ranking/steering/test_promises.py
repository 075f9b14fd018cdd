"""Who asks for more of something is shown more of it, as long as there is any that is not seen."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.steering.aggregate import Steering, Wish
from projections.projection import Recorded
from ranking.decision import Decision
from ranking.embedding import PromptVectors
from ranking.heuristic import Heuristic
from ranking.pipeline import rank
from ranking.policy import DEFAULT, Policy
from ranking.query import Query
from ranking.state import State
from ranking.steering.effect import Promise, effect
from ranking.steering.parser import understand
from tests.ranking.worlds import NOON, NOON_MS, account, liked, opened, published, video

ALICE = 0
PEOPLE, VIDEOS, PAGE = 81, 600, 20
# The videos about dragons, as in a demo house: of twelve authors, of ten lines, all of one prompt.
DRAGONS = (44, 68, 78, 116, 208, 222, 230, 256, 258, 505, 554, 561, 590)
AUTHORS = (13, 48, 52, 75, 68, 66, 60, 21, 68, 45, 43, 71, 74)
ROOTS = (44, 66, 78, 66, 208, 222, 230, 66, 76, 78, 60, 561, 438)
DRAGON = "a dragon flies through the sky at sunset"
WAYS = ("", ", animated simply", ", picture book style", ", in bright colours")
PLACES = ("in an old town", "on the moon", "under water", "made of paper", "in a museum")
THINGS = (
    "a glass whale above a city", "a steam train crosses a viaduct", "soup boils in a pot",
    "a fox in the snow", "a potter at the wheel", "rain on a tin roof", "two cats chase some wool",
    "an astronaut floats above the earth", "a football match, a goal is scored",
    "a lighthouse in a storm", "a clown juggles in the circus", "paper boats on a river",
)  # fmt: skip


class House:
    """Six hundred videos, many of them remixed and liked, but none of those about dragons."""

    def __init__(self) -> None:
        vectors = PromptVectors.load()
        self.state, self.position = State(vectors.embed, vectors.topics), 0
        self.steering = Steering.start(account(ALICE), at=NOON)
        chance = np.random.default_rng(7)
        for number in range(PEOPLE):
            self.happened(opened(number))
        for number in range(VIDEOS):
            self.happened(_made(number))
        for number in chance.permutation(VIDEOS)[:250].tolist():
            for fan in range(0 if number in DRAGONS else int(chance.integers(1, 20))):
                self.happened(liked(1 + fan, number))

    def happened(self, event: object) -> None:
        self.position += 1
        self.state.fold_domain([Recorded(self.position, NOON, event)], upto=self.position)

    def says(self, text: str) -> Sequence[UUID]:
        wishes = [
            Wish(uuid4(), each.kind, each.about, each.terms, _author(each.about, each.terms),
                 each.strength, each.expires_at, each.said)
            for each in understand(text, at=NOON).rules
        ]  # fmt: skip
        kept = self.steering.add(wishes, at=NOON)
        self.record()
        return kept

    def undoes(self, rules: Sequence[UUID]) -> None:
        for rule in rules:
            self.steering.remove(rule, at=NOON)
        self.record()

    def record(self) -> None:
        for event in self.steering.collect_events():
            self.happened(event)

    def page(
        self, *, seed: int = 1, seen: Sequence[UUID] = (), policy: Policy = DEFAULT
    ) -> Decision:
        query = Query(
            decision=UUID(int=7),
            viewer=account(ALICE).bytes,
            kind="for_you",
            as_of_ms=NOON_MS + 3_600_000,
            seed=seed,
            size=60,
            pending=tuple(each.bytes for each in seen),
        )
        return rank(self.state, Heuristic(), policy, query)

    def promises(self) -> Sequence[Promise]:
        every = np.arange(VIDEOS, dtype=np.int32)
        return effect(self.state, ALICE, every, NOON_MS, DEFAULT.steering).promises


@pytest.fixture(scope="module")
def built() -> House:
    return House()


@pytest.fixture
def house(built: House) -> House:
    built.steering.reset(at=NOON)
    built.record()
    return built


def numbers(page: Decision, places: int = PAGE) -> list[int]:
    return [placed.video.int - video(0).int for placed in page.order[:places]]


def dragons(page: Decision, places: int = PAGE) -> int:
    return sum(number in DRAGONS for number in numbers(page, places))


def _made(number: int) -> object:
    if number not in DRAGONS:
        prompt = f"{THINGS[number % 12]} {PLACES[number // 12 % 5]}"
        root = number * 37 % 100
        is_remix = number % 3 == 0 and root < number and root not in DRAGONS
        changes = {"remix_of": video(root), "depth": 1} if is_remix else {}
        root_id = video(root if is_remix else number)
        author = 1 + number % 80
        return published(number, author, prompt=prompt, caption="", root_id=root_id, **changes)
    place = DRAGONS.index(number)
    root = ROOTS[place]
    changes = {"remix_of": video(root), "depth": 1} if root < number else {}
    prompt = f"{DRAGON}{WAYS[place % 4]}"
    root_id = video(min(root, number))
    return published(number, AUTHORS[place], prompt=prompt, caption="", root_id=root_id, **changes)


def _author(about: str, terms: Sequence[str]) -> UUID | None:
    return account(int(terms[0].removeprefix("p"))) if about == "author" else None


@pytest.mark.parametrize("seed", range(5))
def test_who_says_more_dragons_is_shown_a_third_of_them_on_the_next_page(
    house: House, seed: int
) -> None:
    before = house.page(seed=seed)

    kept = house.says("more dragons")
    after = house.page(seed=seed)
    house.undoes(kept)

    assert dragons(before) <= 1
    assert dragons(after) >= 0.35 * PAGE
    assert [p.video for p in house.page(seed=seed).order] == [p.video for p in before.order]


def test_promised_videos_say_that_they_were_asked_for_and_nothing_else_does(house: House) -> None:
    house.says("more dragons")

    page = house.page()

    asked = [number for number, placed in zip(numbers(page, 60), page.order, strict=True)
             if "steered" in placed.sources]  # fmt: skip
    assert set(asked) <= set(DRAGONS)
    assert len(asked) == dragons(page, 60)


def test_a_promise_holds_on_every_stretch_but_where_a_place_explores(house: House) -> None:
    house.says("more dragons")

    shown = [number in DRAGONS for number in numbers(house.page())]

    assert shown[0]
    assert all(sum(shown[:place]) >= 0.35 * (place - 1) - 1e-9 for place in range(1, PAGE + 1))


def test_the_caps_on_authors_and_lines_hold_for_what_was_promised(house: House) -> None:
    house.says("only dragons")

    page = house.page()

    serials = house.state.videos.serials([placed.video.bytes for placed in page.order])
    caps = DEFAULT.diversity
    for first in range(PAGE - caps.window):
        window = serials[first : first + caps.window]
        for of, most in (("author", caps.author_max), ("line", caps.line_max)):
            assert (
                np.unique(getattr(house.state.videos, of)[window], return_counts=True)[1].max()
                <= most
            )


def test_what_was_seen_is_not_repeated_and_when_nothing_is_left_the_page_is_full_all_the_same(
    house: House,
) -> None:
    house.says("more dragons")
    seen = [video(number) for number in DRAGONS[:11]]

    some, none = house.page(seen=seen), house.page(seen=[video(number) for number in DRAGONS])

    assert dragons(some) == 2
    assert dragons(none) == 0
    assert len(some.order) == len(none.order) == 60


def test_the_stronger_the_wish_the_larger_the_share_that_is_promised(house: House) -> None:
    shares = list[float]()
    for text in ("a few more dragons", "more dragons", "a lot more dragons", "only dragons"):
        house.says(text)
        (promise,) = house.promises()
        shares.append(promise.share)

    assert shares == [0.175, 0.35, 0.525, 0.7]


def test_several_promises_share_a_page_and_leave_some_of_it_to_everything_else(
    house: House,
) -> None:
    house.says("only dragons, only whales, more soup")

    page = house.page()

    assert sum(promise.share for promise in house.promises()) == pytest.approx(0.8)
    shown = numbers(page)
    assert dragons(page) >= 5
    assert sum(number % 12 == 0 and number not in DRAGONS for number in shown) >= 6
    assert sum(number % 12 == 2 and number not in DRAGONS for number in shown) >= 3


def test_the_author_whom_somebody_asked_for_is_not_capped(house: House) -> None:
    house.says("only @p5")

    page = house.page()

    by_p5 = [1 + number % 80 == 5 and number not in DRAGONS for number in numbers(page, 10)]
    assert sum(by_p5) > DEFAULT.diversity.author_max


def test_a_limit_holds_against_a_promise(house: House) -> None:
    house.says("more dragons, a lot less @p68")

    page = house.page()

    order = page.order[:PAGE]
    by = house.state.videos.author[
        house.state.videos.serials([placed.video.bytes for placed in order])
    ]
    p68 = house.state.people.serial(account(68).bytes)
    assert np.count_nonzero(by == p68) <= 0.05 * PAGE
    assert dragons(page) >= 0.35 * PAGE


def test_what_is_explored_keeps_its_places_and_its_probabilities(house: House) -> None:
    before = house.page()
    house.says("more dragons")

    after = house.page()

    for page in (before, after):
        explored = [place for place, placed in enumerate(page.order, 1) if placed.slot != "rank"]
        assert explored == [4, 12, 20, 28, 36, 44, 52, 60]
        likely = [placed.log_propensity for placed in page.order if placed.slot != "rank"]
        assert min(each for each in likely if each is not None) >= np.log(0.01) - 1e-6


def test_a_policy_of_before_promises_nothing(house: House) -> None:
    house.says("more dragons")

    page = house.page(policy=Policy.recorded('{"version": "of-before"}'))

    assert 1 <= dragons(page) <= 3
