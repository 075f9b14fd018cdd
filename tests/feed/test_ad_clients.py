"""What an app tells of itself: language and platform, and a country that a proxy vouches for."""

import pytest

from myriorama.feed.ad_clients import Client, Clients


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("de-AT,de;q=0.9", "de"),
        ("EN", "en"),
        ("gsw;q=1", "gsw"),
        ("*", ""),
        ("german", ""),
        ("", ""),
    ],
)
def test_the_first_language_counts(said: str, language: str) -> None:
    assert Clients().of([(b"accept-language", said.encode())]).language == language


@pytest.mark.parametrize(
    ("agent", "platform"),
    [
        ("Myriorama/1.0 (iOS 26)", "ios"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "ios"),
        ("Mozilla/5.0 (Linux; Android 16)", "android"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "web"),
        ("curl/8.0", ""),
    ],
)
def test_the_platform_is_what_the_agent_names(agent: str, platform: str) -> None:
    assert Clients().of([(b"user-agent", agent.encode())]).platform == platform


def test_a_country_is_believed_of_the_header_that_the_house_names_alone() -> None:
    headers = [(b"cf-ipcountry", b"de"), (b"x-country", b"FR")]

    assert Clients(country_header="CF-IPCountry").of(headers) == Client(country="DE")
    assert Clients().of(headers) == Client()


@pytest.mark.parametrize("said", [b"Germany", b"", b"D1", b"\xff\xff", b"DE" * 999])
def test_what_names_no_country_is_none(said: bytes) -> None:
    assert Clients(country_header="x-country").of([(b"x-country", said)]).country == ""
