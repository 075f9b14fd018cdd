"""What a page shows of ads, and when it shows none."""

from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest

from ads.index import Index
from ads.insertion import Insertion, decide
from ads.lines import HOURS, Cap, Line, Suitability, Targeting
from ads.page import Safety, Slot
from ads.rules import Rules
from ads.viewer import Viewer
from ads.warming import warm_up
from myriorama.bench.ad_markets import NOW_MS, PATIENCE_US, Purse, creative, line, page

RULES = Rules(deadline_us=PATIENCE_US, explore=0.0)
ALICE = Viewer(1, country="NZ", language="en", age_band="18+", interests=frozenset({"surfing"}))


def _decided(  # noqa: PLR0913 - all that a decision rests on
    lines: list[Line],
    slots: list[Slot] | None = None,
    *,
    viewer: Viewer = ALICE,
    rules: Rules = RULES,
    purse: Purse | None = None,
    seed: int = 1,
) -> Insertion:
    index = Index.of(lines, {}, version=7)
    slots = page(20) if slots is None else slots
    return decide(index, viewer, slots, purse or Purse(), rules, NOW_MS, seed)


def _positions(insertion: Insertion) -> list[int]:
    return [each.position for each in insertion.placements]


def _viewer(**changed: object) -> Viewer:
    return msgspec.structs.replace(ALICE, **changed)


def test_ads_stand_apart_from_the_start_of_a_session_and_from_one_another() -> None:
    lines = [line(number) for number in range(8)]

    insertion = _decided(lines)

    positions = _positions(insertion)
    assert insertion.reason == "sold"
    assert insertion.version == 7
    assert positions[0] >= RULES.first_position
    assert len(positions) == RULES.ads_page_max
    # Between two ads there are as many videos as the gap says, beside the ads themselves.
    assert all(b - a - 1 >= RULES.gap for a, b in pairwise(positions))


@pytest.mark.parametrize(("since_last_ad", "first"), [(None, 1), (0, 4), (1, 3), (3, 1), (40, 1)])
def test_the_gap_is_kept_across_pages(since_last_ad: int | None, first: int) -> None:
    viewer = _viewer(since_last_ad=since_last_ad, videos_in_session=20)

    insertion = _decided([line(1)], viewer=viewer)

    assert _positions(insertion) == [first]


@pytest.mark.parametrize("shown", ["ads_in_session", "ads_in_hour"])
def test_a_session_and_an_hour_have_so_many_ads(shown: str) -> None:
    rules = msgspec.structs.replace(RULES, ads_session_max=5, ads_hour_max=5)
    lines = [line(number) for number in range(8)]

    almost = _decided(lines, viewer=_viewer(**{shown: 4}), rules=rules)
    full = _decided(lines, viewer=_viewer(**{shown: 5}), rules=rules)

    assert len(almost.placements) == 1
    assert full == Insertion((), 7, "load")


@pytest.mark.parametrize("safety", ["unsafe", None])
def test_no_ad_stands_beside_what_is_unsafe_or_what_nobody_has_looked_at(
    safety: Safety | None,
) -> None:
    slots = page(20)
    slots[::2] = page(20, safety)[::2]

    insertion = _decided([line(1)], slots)

    assert insertion == Insertion((), 7, "unsafe")


def test_what_is_of_limited_safety_suits_only_lines_that_allow_it() -> None:
    slots = page(12, "limited")
    anywhere = line(1, suitability=Suitability(tier="full"))

    assert _decided([line(2)], slots).placements == ()
    assert len(_decided([anywhere], slots).placements) == 1


@pytest.mark.parametrize(
    "vetoed",
    [
        Suitability(blocked_authors=frozenset({UUID(int=103)})),
        Suitability(blocked_keywords=frozenset({"WAR"})),
        Suitability(blocked_categories=frozenset({"news"})),
    ],
)
def test_an_ad_stands_on_neither_side_of_what_its_line_blocks(vetoed: Suitability) -> None:
    slots = page(6)
    slots[3] = msgspec.structs.replace(slots[3], keywords=frozenset({"war"}), category="news")
    blocking, other = line(1, suitability=vetoed, bid_micros=9000), line(2)

    insertion = _decided([blocking, other], slots)

    # The better ad would stand in the first gap, which is beside that video.
    assert [(each.line.line_id.int, each.position) for each in insertion.placements] == [(1, 5)]


def test_what_the_bound_leaves_open_is_searched() -> None:
    slots = [msgspec.structs.replace(each, worth=0.0) for each in page(20)]
    blocked = Suitability(blocked_authors=frozenset(each.author_id for each in slots[:14]))
    lines = [line(number) for number in range(2, 8)]

    anywhere = _decided([line(1, bid_micros=9000), *lines], slots)
    behind = _decided([line(1, bid_micros=9000, suitability=blocked), *lines], slots)

    assert not anywhere.searched
    assert behind.searched
    assert [each.line.line_id.int for each in behind.placements].index(1) > 0


def test_competitors_and_lines_of_one_advertiser_share_no_page() -> None:
    rivals = [line(number, category="cars") for number in range(3)]
    own = [line(number, advertiser_id=UUID(int=1)) for number in range(3, 6)]

    insertion = _decided([*rivals, *own])

    shown = [each.line for each in insertion.placements]
    assert sorted(each.category for each in shown) == ["", "cars"]


def test_minors_see_no_ad_by_age_or_interest_nor_any_for_adults() -> None:
    lines = [
        line(1, targeting=Targeting(interests=frozenset({"surfing"}))),
        line(2, targeting=Targeting(age_bands=frozenset({"13-15"}))),
        line(3, category="gambling"),
        line(4, category="toys", targeting=Targeting(countries=frozenset({"NZ"}))),
    ]
    index = Index.of(lines, {}, version=1)
    minor = _viewer(is_minor=True, age_band="13-15")

    rows = index.eligible(minor, NOW_MS)

    assert [index.lines[int(row)].line_id.int for row in rows] == [4]


def test_whoever_asks_for_contextual_ads_is_not_targeted_by_interests() -> None:
    by_interest = line(1, targeting=Targeting(interests=frozenset({"surfing"})))

    assert len(_decided([by_interest]).placements) == 1
    assert _decided([by_interest], viewer=_viewer(contextual_only=True)).reason == "no_demand"


@pytest.mark.parametrize("scope", ["line", "campaign", "advertiser", "creative"])
def test_a_cap_holds_for_its_window_and_no_longer(scope: str) -> None:
    capped = line(1, caps=(Cap(scope, 2, 60),))  # type: ignore[arg-type]  # a string of the scopes
    counted = capped.ids_of(capped.creatives[0])[scope]  # type: ignore[index]  # as above
    within = {counted.int: (NOW_MS - 59_999, NOW_MS - 10)}
    beyond = {counted.int: (NOW_MS - 60_000, NOW_MS - 10)}

    assert _decided([capped], viewer=_viewer(shown_ms=within)).reason == "no_demand"
    assert _decided([capped], viewer=_viewer(shown_ms=beyond)).reason == "sold"


def test_a_line_goes_on_with_the_creatives_that_are_below_their_caps() -> None:
    both = line(1, creatives=(creative(1), creative(2)), caps=(Cap("creative", 1, 60),))
    viewer = _viewer(shown_ms={both.creatives[0].creative_id.int: (NOW_MS - 1,)})

    shown = {_decided([both], viewer=viewer, seed=seed).placements[0] for seed in range(8)}

    assert {each.creative for each in shown} == {both.creatives[1]}
    assert {each.propensity for each in shown} == {1.0}


def test_creatives_take_turns_by_the_seed() -> None:
    both = line(1, creatives=(creative(1), creative(2)))

    shown = [_decided([both], seed=seed).placements[0] for seed in range(32)]

    assert {each.creative for each in shown} == set(both.creatives)
    assert {each.propensity for each in shown} == {0.5}


def test_a_line_runs_in_its_flight_and_in_its_hours_of_its_zone() -> None:
    now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    hour = 24 * now.weekday() + now.hour
    daypart = tuple(each == hour for each in range(HOURS))
    on_air = line(1, daypart=daypart)
    elsewhere = line(2, daypart=daypart, zone="Asia/Kathmandu")
    over = line(3, flight_until_ms=NOW_MS)
    early = line(4, flight_from_ms=NOW_MS + 1)

    index = Index.of([on_air, elsewhere, over, early], {}, version=1)

    assert [index.lines[row] for row in index.eligible(ALICE, NOW_MS).tolist()] == [on_air]


def test_a_bid_below_the_reserve_buys_nothing_and_a_lone_bidder_pays_no_more_than_its_bid() -> None:
    reserve = RULES.reserve_cpm_micros

    assert _decided([line(1, bid_micros=reserve - 1)]).reason == "no_demand"
    (alone,) = _decided([line(1, bid_micros=50_000)]).placements
    assert reserve <= alone.price_micros < 50_000


def test_a_multiplier_shades_the_bid_and_the_price_never_exceeds_it() -> None:
    lines = [line(1, bid_micros=10_000), line(2, bid_micros=9_000)]
    slots = page(5)
    rules = msgspec.structs.replace(RULES, ads_page_max=1)

    shaded = Index.of(lines, {lines[0].line_id: 0.5}, version=1)
    (won,) = decide(shaded, ALICE, slots, Purse(), rules, NOW_MS, 1).placements

    assert won.line == lines[1]
    assert 4_999 <= won.price_micros <= 9_000
    with pytest.raises(ValueError, match="multiplier"):
        Index.of(lines, {lines[0].line_id: 1.5}, version=1)


def test_who_cannot_pay_is_left_out_and_the_next_one_is_shown() -> None:
    lines = [line(1, bid_micros=10_000), line(2, bid_micros=9_000)]
    rules = msgspec.structs.replace(RULES, ads_page_max=1)

    (shown,) = _decided(lines, rules=rules, purse=Purse(empty={0})).placements
    nobody = _decided(lines, rules=rules, purse=Purse(empty={0, 1}))

    assert shown.line == lines[1]
    assert nobody == Insertion((), 7, "no_money")


class _Asked(Purse):
    """A purse that tells how often it was asked."""

    times = 0

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        self.times += 1
        return super().hold(line_row, micros, now_ms, probability)


def test_however_many_bid_without_money_the_others_are_sold_at_once() -> None:
    boasting = [line(number, bid_micros=9_000_000_000) for number in range(100)]
    purse = _Asked(empty=range(100))

    shown = _decided([*boasting, line(200), line(201)], purse=purse).placements

    assert {each.line.line_id.int for each in shown} == {200, 201}
    assert purse.times <= 2 * RULES.ads_page_max


def test_what_is_rare_is_held_by_how_likely_it_is() -> None:
    purse = Purse()

    (shown,) = _decided([line(1, kind="cpc", bid_micros=900_000)], purse=purse).placements

    assert purse.held == [(0, shown.price_micros, shown.p_billed)]
    assert 0 < shown.p_billed < 0.1


class _Broken(Purse):
    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        raise ConnectionError(line_row, micros, now_ms, probability)


def test_whatever_goes_wrong_the_page_stays_as_it_is() -> None:
    assert _decided([line(1)], purse=_Broken()) == Insertion((), 7, "error")
    nan = [msgspec.structs.replace(slot, worth=float("nan")) for slot in page(20)]
    assert _decided([line(1)], nan) == Insertion((), 7, "error")


def test_a_decision_that_takes_too_long_shows_no_ad() -> None:
    warm_up()
    hasty = msgspec.structs.replace(RULES, deadline_us=1)

    assert _decided([line(1)], rules=hasty) == Insertion((), 7, "late")


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_page_too_short_for_an_ad_has_none(length: int) -> None:
    assert _decided([line(1)], page(length)) == Insertion((), 7, "short_page")


def test_no_lines_no_ads() -> None:
    assert _decided([]) == Insertion((), 7, "no_demand")


def test_the_same_seed_decides_the_same() -> None:
    lines = [line(number, creatives=(creative(1), creative(2))) for number in range(30)]

    assert _decided(lines, seed=5) == _decided(lines, seed=5)


def test_what_is_explored_is_as_likely_as_is_said() -> None:
    rules = msgspec.structs.replace(RULES, explore=1.0)
    lines = [line(number) for number in range(3)]
    slots = page(6)

    drawn = [_decided(lines, slots, rules=rules, seed=seed) for seed in range(900)]

    times: dict[tuple[int, int], int] = {}
    for each in drawn:
        (placement,) = each.placements
        assert each.reason == "explored"
        assert placement.price_micros == placement.reserve_micros
        assert placement.propensity == pytest.approx(1 / 9)
        key = placement.line_row, placement.position
        times[key] = times.get(key, 0) + 1
    assert len(times) == 9
    assert all(60 < count < 145 for count in times.values())
