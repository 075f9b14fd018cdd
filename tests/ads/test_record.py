"""What is on record of the ads of a page: read as it was written, and the auction held again."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads.page import Slot
from ads.record import AdRecord, Auction, Context, Shown, beside, digest_of
from ads.rules import Rules
from ads.viewer import Viewer

NOON_MS = 1_795_348_800_000

SHOWN = Shown(
    ad_decision_id=UUID(int=1),
    position=3,
    line_id=UUID(int=2),
    campaign_id=UUID(int=3),
    advertiser_id=UUID(int=4),
    creative_id=UUID(int=5),
    kind="cpm",
    price_micros=4_200,
    bid_micros=9_000,
    multiplier=0.75,
    ecpm_micros=6_750_000,
    runner_up_micros=4_100,
    reserve_micros=500,
    p_view=0.61,
    p_click=0.002,
    p_billed=0.61,
    propensity=0.99,
    lease_id=7,
    day=739_943,
    surface=2,
    above=UUID(int=8),
    below=UUID(int=9),
    reasons=("country:DE", "interest:dance"),
    expires_ms=NOON_MS + 600_000,
)

AUCTION = Auction(NOON_MS, 12, "sold", True, 2**53 - 1, "0123456789abcdef", 0.5)  # noqa: FBT003 - in the order of its fields

viewers = st.builds(
    Viewer,
    pseudonym=st.integers(0, 2**64 - 1),
    interests=st.frozensets(st.text(max_size=8), max_size=4),
    shown_ms=st.dictionaries(st.uuids().map(lambda of: of.int), st.just((1, 2)), max_size=4),
    since_last_ad=st.none() | st.integers(0, 99),
)
slots = st.builds(
    Slot,
    video_id=st.uuids(),
    author_id=st.uuids(),
    keywords=st.frozensets(st.text(max_size=8), max_size=4),
    safety=st.sampled_from(["safe", "limited", "unsafe", None]),
    worth=st.floats(0, 1),
)


@given(viewers, st.lists(slots, max_size=5))
def test_what_was_recorded_is_read_as_it_was(viewer: Viewer, page: list[Slot]) -> None:
    whole = msgspec.structs.replace(AUCTION, context=Context(viewer, tuple(page)))
    record = AdRecord(whole, (SHOWN,))

    read = AdRecord.decode(record.encode())

    assert read == record


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        AdRecord.decode('{"auction":null}')


def test_what_a_newer_release_adds_is_passed_over() -> None:
    record = AdRecord(AUCTION, (SHOWN,))
    newer = msgspec.json.decode(record.encode()) | {"weather": "fair"}

    assert AdRecord.decode(msgspec.json.encode(newer)) == record


def test_other_rules_have_another_digest() -> None:
    assert digest_of(Rules()) == digest_of(Rules())
    assert digest_of(Rules()) != digest_of(Rules(gap=5))


def test_a_record_of_before_prices_were_told_apart_is_read() -> None:
    record = AdRecord(AUCTION, (SHOWN,))
    fields = msgspec.json.decode(record.encode())
    for name in ("displaced_micros", "viewer_micros", "p_reached"):
        del fields["shown"][0][name]

    assert AdRecord.decode(msgspec.json.encode(fields)) == record


def test_the_token_of_an_ad_proves_what_is_on_record_of_it() -> None:
    token = SHOWN.token(77, decided_ms=NOON_MS, duration_ms=8_000)

    proved = (token.decision_id, token.line_id, token.creative_id, token.advertiser_id)
    assert proved == (UUID(int=1), UUID(int=2), UUID(int=5), UUID(int=4))
    assert (token.lease_id, token.day, token.kind, token.price_micros) == (7, 739_943, "cpm", 4_200)
    assert (token.position, token.surface, token.viewer) == (3, 2, 77)
    assert (token.decided_ms, token.expires_ms) == (NOON_MS, NOON_MS + 600_000)
    assert token.duration_ms == 8_000


def test_an_ad_counts_for_its_line_campaign_advertiser_and_creative() -> None:
    assert sorted(SHOWN.counts_for) == [2, 3, 4, 5]


def test_an_ad_at_an_end_of_a_page_has_a_video_on_one_side_alone() -> None:
    page = [Slot(UUID(int=number), UUID(int=100 + number)) for number in (1, 2)]

    assert [beside(page, gap) for gap in range(3)] == [
        (None, UUID(int=1)),
        (UUID(int=1), UUID(int=2)),
        (UUID(int=2), None),
    ]
    assert beside([], 0) == (None, None)
