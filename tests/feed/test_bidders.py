"""Bidders: asked at public addresses alone, and left alone for a while if they fail."""

import asyncio
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from msgspec.structs import replace

from ads.asking import Asked, House, request_of
from ads.index import Index
from ads.rules import Rules
from ads.viewer import Viewer
from myriorama.bench.ad_markets import Purse, creative, line
from myriorama.feed.ad_market import ShownCreative, Stall
from myriorama.feed.bidders import Bidders
from myriorama.feed.outside_bids import OutsideBids
from tests.doubles.bidder.app import BidderDouble
from tests.doubles.bidder.loopback import bidding
from tests.feed.test_ad_pages import SHOWN

ALICE, BOB = UUID(int=1).bytes, UUID(int=2).bytes
NOW_MS = 1_900_000_000_000
HOUSE = House("a.example.org", "A", "1")
PATIENCE_S = 20.0
ASKED = Asked("r1", line(1, bidder="https://bidder.example.com/"), "USD", 500)


@pytest.fixture
def bidder() -> Iterator[tuple[BidderDouble, str]]:
    with bidding() as found:
        yield found


def _ask(host: str, *, inside: tuple[str, ...] = (), times: int = 1) -> list[object]:
    async def asked() -> list[object]:
        bidders = Bidders(inside, tmax_ms=2000)
        found = [await bidders.ask(f"http://{host}/", b"{}") for _ in range(times)]
        await bidders.close()
        return list(found)

    return asyncio.run(asked())


def test_nobody_is_asked_inside_our_own_networks(bidder: tuple[BidderDouble, str]) -> None:
    double, host = bidder

    assert _ask(host) == ["inside"]
    assert _ask(f"localhost:{host.partition(':')[2]}") == ["inside"]
    assert double.paths == []


def test_whoever_fails_again_and_again_is_left_alone(bidder: tuple[BidderDouble, str]) -> None:
    double, host = bidder

    answers = _ask(host, inside=(host,), times=8)

    # What is no request is refused by the bidder; the sixth is not sent any more.
    assert answers == ["broken"] * 5 + ["resting"] * 3
    assert len(double.refused) == 5


def test_an_answer_that_comes_in_drops_is_late_as_a_whole(bidder: tuple[BidderDouble, str]) -> None:
    double, host = bidder
    double.answers = "drip"

    async def asked() -> object:
        bidders = Bidders((host,), tmax_ms=100)
        request = request_of(ASKED, Viewer(1), HOUSE, user_id="v1", tmax_ms=100)
        found = await bidders.ask(f"http://{host}/", request)
        await bidders.close()
        return found

    # Each of some hundred drops is in time; a connection alone might take ten times as long.
    assert asyncio.run(asked()) == "late"
    assert len(double.asked) == 1


def test_two_bidders_know_a_viewer_by_two_names_and_one_by_one(
    bidder: tuple[BidderDouble, str],
) -> None:
    double, host = bidder
    lines = [
        line(1, bidder=f"http://{host}/one"),
        line(2, bidder=f"http://{host}/two"),
    ]
    shown: dict[UUID, ShownCreative] = {
        creative(number).creative_id: replace(SHOWN, currency="USD") for number in (1, 2)
    }
    stall = Stall(Index.of(lines, {}, 1), Purse(), shown)
    adult = Viewer(1, age_band="18+")
    double.answers = "nothing"

    async def asked() -> None:
        outside = OutsideBids(Bidders((host,), tmax_ms=2000), HOUSE, key=b"k" * 32)
        for turn, viewer_id in enumerate((ALICE, BOB, ALICE)):
            outside.ask(stall, viewer_id, adult, Rules(), NOW_MS + 1000 * turn)
            while len(double.asked) < 2 * (turn + 1):  # noqa: ASYNC110 - of another thread
                await asyncio.sleep(0.01)
        await outside.close()

    asyncio.run(asked())

    names: dict[str, list[str]] = {}
    for request, path in zip(double.asked, double.paths, strict=True):
        assert request.user is not None
        names.setdefault(path, []).append(request.user.id)
    assert {path: len(set(of)) for path, of in names.items()} == {"/one": 2, "/two": 2}
    assert set(names["/one"]).isdisjoint(names["/two"])
    assert double.refused == []


def test_a_bid_for_who_could_be_followed_is_none_once_they_want_contextual_ads(
    bidder: tuple[BidderDouble, str],
) -> None:
    double, host = bidder
    lines = [line(1, bidder=f"http://{host}/one")]
    shown: dict[UUID, ShownCreative] = {
        creative(1).creative_id: replace(SHOWN, currency="USD"),
    }
    stall = Stall(Index.of(lines, {}, 1), Purse(), shown)
    adult = Viewer(1, age_band="18+")
    contextual = Viewer(1, contextual_only=True)
    now_ms = time.time_ns() // 1_000_000
    double.crid = str(creative(1).creative_id)

    async def kept() -> tuple[int, int]:
        outside = OutsideBids(Bidders((host,), tmax_ms=2000), HOUSE, key=b"k" * 32)
        outside.ask(stall, ALICE, adult, Rules(), now_ms)
        while not outside.of(ALICE, adult, stall.index, now_ms):  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.01)
        of = [len(outside.of(ALICE, each, stall.index, now_ms)) for each in (adult, contextual)]
        await outside.close()
        return of[0], of[1]

    assert asyncio.run(asyncio.wait_for(kept(), PATIENCE_S)) == (1, 0)
    assert double.refused == []
