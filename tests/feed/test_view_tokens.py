"""View tokens prove what was shown, to whom, for a day."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myriorama.feed.view_tokens import (
    VIEW_TOKEN_S,
    Shown,
    ViewTokenExpired,
    ViewTokenInvalid,
    ViewTokens,
)
from myriorama.store.signing import Signer

NOW = 1_800_000_000
ALICE, MALLORY, VIDEO, DECISION = (uuid4() for _ in range(4))
TOKENS = ViewTokens(Signer(b"a secret of the tests, long enough"))


def token(viewer_id: UUID = ALICE, tokens: ViewTokens = TOKENS) -> str:
    return tokens.of_page(viewer_id.bytes, DECISION.bytes, [VIDEO.bytes], now=NOW)[0].decode()


def test_a_token_tells_the_video_and_the_page_for_a_day() -> None:
    for later in (0, VIEW_TOKEN_S - 1):
        assert TOKENS.read(token(), ALICE, now=NOW + later) == Shown(VIDEO, DECISION)

    with pytest.raises(ViewTokenExpired):
        TOKENS.read(token(), ALICE, now=NOW + VIEW_TOKEN_S)


def test_a_token_of_another_viewer_or_another_house_proves_nothing() -> None:
    elsewhere = ViewTokens(Signer(b"another secret of the tests, as long"))

    for foreign in (token(MALLORY), token(tokens=elsewhere)):
        with pytest.raises(ViewTokenInvalid):
            TOKENS.read(foreign, ALICE, now=NOW)


def test_parts_of_two_tokens_do_not_make_a_third() -> None:
    other_page = TOKENS.of_page(ALICE.bytes, uuid4().bytes, [VIDEO.bytes], now=NOW)[0].decode()

    with pytest.raises(ViewTokenInvalid):
        TOKENS.read(token()[:32] + other_page[32:], ALICE, now=NOW)


@given(index=st.integers(0, 71), letter=st.sampled_from("ABCxyz019-_"))
def test_a_token_changed_anywhere_proves_nothing(index: int, letter: str) -> None:
    real = token()
    forged = real[:index] + letter + real[index + 1 :]

    if forged != real:
        with pytest.raises(ViewTokenInvalid):
            TOKENS.read(forged, ALICE, now=NOW)


@given(st.text(max_size=100))
def test_what_is_no_token_proves_nothing(text: str) -> None:
    with pytest.raises(ViewTokenInvalid):
        TOKENS.read(text, ALICE, now=NOW)
