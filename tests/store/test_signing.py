"""What the server signs is believed for its purpose and in its time alone."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myriorama.store.signing import SignatureExpired, SignatureInvalid, Signer

SIGNER = Signer(b"a secret of thirty-two bytes....")
NOW = 1_900_000_000
KEY = "videos/ab/abcdef.mp4"


@given(payload=st.binary(max_size=64))
def test_what_was_signed_comes_back_in_every_process_with_the_same_secret(payload: bytes) -> None:
    token = SIGNER.sign("cursor", payload)

    assert Signer(b"a secret of thirty-two bytes....").verify("cursor", token) == payload


@given(payload=st.binary(max_size=64), place=st.integers(min_value=0), to=st.characters())
def test_a_token_with_any_character_changed_is_refused(payload: bytes, place: int, to: str) -> None:
    token = SIGNER.sign("cursor", payload)
    place %= len(token)
    changed = token[:place] + to + token[place + 1 :]

    if changed == token:
        assert SIGNER.verify("cursor", changed) == payload
    else:
        with pytest.raises(SignatureInvalid):
            SIGNER.verify("cursor", changed)


@given(token=st.text(max_size=80))
def test_no_text_that_a_stranger_makes_up_is_believed(token: str) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.verify("cursor", token)


def test_a_token_is_believed_for_its_own_purpose_alone() -> None:
    token = SIGNER.sign("cursor", b"42")

    with pytest.raises(SignatureInvalid):
        SIGNER.verify("view", token)


def test_another_secret_signs_nothing_that_is_believed_here() -> None:
    token = Signer(b"another secret, which MALLORY has").sign("cursor", b"42")

    with pytest.raises(SignatureInvalid):
        SIGNER.verify("cursor", token)


def test_a_token_has_one_spelling() -> None:
    token = SIGNER.sign("cursor", b"42")

    for spelling in (token + "=", token + "\n", f" {token}", token + "=="):
        with pytest.raises(SignatureInvalid):
            SIGNER.verify("cursor", spelling)


def test_a_token_with_an_expiry_is_believed_until_then_and_no_longer() -> None:
    token = SIGNER.sign_until("view", b"42", NOW + 60)

    assert SIGNER.verify_until("view", token, NOW + 59) == b"42"
    with pytest.raises(SignatureExpired):
        SIGNER.verify_until("view", token, NOW + 60)


def test_a_token_without_an_expiry_is_not_read_as_one_that_has_it_nor_the_other_way() -> None:
    forever, until = SIGNER.sign("view", b"\xff" * 16), SIGNER.sign_until("view", b"", NOW + 60)

    with pytest.raises(SignatureInvalid):
        SIGNER.verify_until("view", forever, NOW)
    with pytest.raises(SignatureInvalid):
        SIGNER.verify("view", until)


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="guessed"):
        Signer(b"short")


@given(now=st.integers(0, 2**33), lifetime_s=st.integers(1, 10**6))
def test_a_media_url_lives_for_its_lifetime_and_at_most_half_of_it_more(
    now: int, lifetime_s: int
) -> None:
    key, expires, signature = parts(SIGNER.media_url(KEY, now=now, lifetime_s=lifetime_s))

    SIGNER.verify_media(key, expires, signature, now + lifetime_s - 1)
    with pytest.raises(SignatureExpired):
        SIGNER.verify_media(key, expires, signature, now + lifetime_s + (lifetime_s + 1) // 2)


def test_everybody_gets_the_same_media_url_for_half_of_its_lifetime() -> None:
    start = NOW - NOW % 1800 + 1

    urls = {SIGNER.media_url(KEY, now=start + second) for second in range(1800)}

    assert len(urls) == 1
    assert SIGNER.media_url(KEY, now=start + 1800) not in urls


def test_a_media_url_opens_no_other_object_and_no_later_time() -> None:
    key, expires, signature = parts(SIGNER.media_url(KEY, now=NOW))

    for other_key, other_expires in ((f"{key}x", expires), (key, expires + 1)):
        with pytest.raises(SignatureInvalid):
            SIGNER.verify_media(other_key, other_expires, signature, NOW)


@given(signature=st.text(max_size=40))
def test_a_signature_that_a_stranger_makes_up_opens_nothing(signature: str) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.verify_media(KEY, NOW + 60, signature, NOW)


@given(key=st.text(min_size=1, max_size=40))
def test_no_key_can_add_to_the_url_or_break_out_of_it(key: str) -> None:
    url = SIGNER.media_url(key, now=NOW)

    named, expires, signature = parts(url)

    assert named == key
    SIGNER.verify_media(named, expires, signature, NOW)


def parts(url: str) -> tuple[str, int, str]:
    split = urlsplit(url)
    query = parse_qs(split.query, strict_parsing=True)
    assert set(query) == {"expires", "signature"}
    key = unquote(split.path.removeprefix("/media/"))
    return key, int(query["expires"][0]), query["signature"][0]
