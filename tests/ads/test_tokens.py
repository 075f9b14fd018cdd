"""Ad tokens: believed as they were signed, until they expire, and in no other form."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads.tokens import (
    COLUMNS,
    TOKEN_BYTES,
    AdToken,
    AdTokenExpired,
    AdTokenInvalid,
    Tokens,
    columns,
    days,
    unpacked,
)

KEYS = {1: b"a key of the tests, of thirty-two"}
NOON_MS = 1_795_348_800_000
TOKENS = Tokens(KEYS)
# As it was signed before tokens told how long the ad plays.
OF_BEFORE = (
    "AQAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAwAAAAAAAAAAAAAAAAAAAAQAAA"
    "AAAAAABQAAAAAAAAAQaP__________AwAAAAGiAyCiAAAAAaIDKcnAAAtKZ30RsApUQZyQMvJWc65FUtM"
)

micros = st.integers(0, 2**62)


def token(**changed: object) -> AdToken:
    fields: dict[str, object] = {
        "decision_id": UUID(int=1),
        "line_id": UUID(int=2),
        "creative_id": UUID(int=3),
        "advertiser_id": UUID(int=4),
        "lease_id": 5,
        "kind": "cpm",
        "price_micros": 4_200,
        "viewer": 2**64 - 1,
        "position": 3,
        "surface": 0,
        "decided_ms": NOON_MS,
        "expires_ms": NOON_MS + 600_000,
        "day": 739_943,
        "key_id": 1,
        "duration_ms": 8_000,
        **changed,
    }
    return AdToken(**fields)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # given by name


@given(
    st.uuids(),
    st.integers(1, 2**62),
    st.sampled_from(["cpm", "cpv", "cpc"]),
    micros,
    st.integers(0, 2**64 - 1),
)
def test_what_was_signed_is_read_as_it_was(
    line_id: UUID, lease_id: int, kind: str, price: int, viewer: int
) -> None:
    signed = token(
        line_id=line_id,
        lease_id=lease_id,
        kind=kind,
        price_micros=price,
        viewer=viewer,
    )

    text = TOKENS.sign(signed)

    assert TOKENS.verify(text, now_ms=NOON_MS) == signed


@given(st.integers(0, TOKEN_BYTES * 8 - 1))
def test_no_bit_of_it_may_be_changed(bit: int) -> None:
    packed = bytearray(unpacked(TOKENS.sign(token())))

    packed[bit // 8] ^= 1 << bit % 8

    forged = urlsafe_b64encode(packed).rstrip(b"=").decode()
    with pytest.raises(AdTokenInvalid):
        TOKENS.verify(forged, now_ms=NOON_MS)


@pytest.mark.parametrize("text", ["", "a", "=" * 171, "A" * 171, "A" * 172, "é" * 171, "A" * 10**6])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(AdTokenInvalid):
        TOKENS.verify(text, now_ms=NOON_MS)


def test_a_token_has_one_spelling() -> None:
    text = TOKENS.sign(token())

    other = text[:-1] + chr(ord(text[-1]) + 1)

    assert urlsafe_b64decode(other + "=") == urlsafe_b64decode(text + "=")
    with pytest.raises(AdTokenInvalid):
        TOKENS.verify(other, now_ms=NOON_MS)


def test_a_token_expires() -> None:
    text = TOKENS.sign(token())

    assert TOKENS.verify(text, now_ms=NOON_MS + 599_999)
    with pytest.raises(AdTokenExpired):
        TOKENS.verify(text, now_ms=NOON_MS + 600_000)


def test_a_key_follows_another_and_both_are_believed() -> None:
    before = TOKENS.sign(token())
    both = Tokens({**KEYS, 2: b"the key that follows, of thirty-2"})

    after = both.sign(token())

    assert both.verify(before, now_ms=NOON_MS).key_id == 1
    assert both.verify(after, now_ms=NOON_MS).key_id == 2
    with pytest.raises(AdTokenInvalid):
        TOKENS.verify(after, now_ms=NOON_MS)


def test_many_are_read_at_once_by_columns() -> None:
    packed = [unpacked(TOKENS.sign(token(price_micros=price))) for price in (1, 2, 2**62)]

    read = columns(packed)

    assert read.dtype == COLUMNS
    assert read["price_micros"].tolist() == [1, 2, 2**62]
    assert days(read).tolist() == [739_943] * 3
    assert read["decision_id"][0].tobytes() == UUID(int=1).bytes
    assert all(TOKENS.is_genuine(each) for each in packed)


@given(st.integers(0, 60_000), st.integers(1, 2**20 - 1))
def test_how_long_the_ad_plays_is_told_by_a_moment_too_short_and_never_too_long(
    duration_ms: int, day: int
) -> None:
    text = TOKENS.sign(token(duration_ms=duration_ms, day=day))

    read = TOKENS.verify(text, now_ms=NOON_MS)

    assert 0 <= duration_ms - read.duration_ms < 16
    assert read.day == day == days(columns([unpacked(text)]))[0]


def test_an_ad_that_plays_for_longer_than_can_be_told_plays_for_as_long_as_can_be() -> None:
    text = TOKENS.sign(token(duration_ms=2**40))

    assert TOKENS.verify(text, now_ms=NOON_MS).duration_ms == 65_520
    assert TOKENS.verify(text, now_ms=NOON_MS).day == 739_943


def test_a_token_of_before_lengths_were_told_is_believed() -> None:
    read = TOKENS.verify(OF_BEFORE, now_ms=NOON_MS)

    assert read == token(duration_ms=0)
