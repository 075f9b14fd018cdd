"""Ads in other players: the document of an ad, and the pixels that end in the log of reports."""

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
import vastlint  # pyright: ignore[reportMissingTypeStubs]  # it ships no types
from litestar import Litestar
from litestar.testing import TestClient

from ads.beacons import Beacon
from ads.tokens import AdToken
from domain.creative.aggregate import Creative
from myriorama.bootstrap.settlement import create_ad_tokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.store.signing import Signer
from tests.advertising import NOON
from tests.api.advertised import Advertised, advertised, approve
from tests.people import Person

HTTP = {"VAST-2.0-mediafile-https", "VAST-2.0-tracking-https"}
REPORTED = "SELECT beacon FROM ad_events ORDER BY position"


@pytest.fixture
def fox(person: Callable[[str], Person], log: Log) -> Advertised:
    fox = advertised(log, person("alice").account_id)
    approve(log, fox.creative_id)
    return fox


def signed(settings: Settings, fox: Advertised, **differing: object) -> str:
    now_ms = time.time_ns() // 1_000_000
    token = AdToken(
        decision_id=UUID(int=7),
        line_id=fox.line_item_id,
        creative_id=fox.creative_id,
        advertiser_id=fox.advertiser_id,
        lease_id=1,
        kind="cpm",
        price_micros=1_500,
        viewer=1,
        position=3,
        surface=1,
        decided_ms=now_ms - 60_000,
        expires_ms=now_ms + 600_000,
        day=739_578,
    )
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    return tokens.sign(msgspec.structs.replace(token, **differing))


def read(api: TestClient[Litestar], token: str) -> bytes:
    answer = api.get(f"/v1/vast/{token}.xml")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/xml")
    return answer.content


def test_a_player_reads_a_valid_document_by_the_token_alone(
    api: TestClient[Litestar], settings: Settings, fox: Advertised
) -> None:
    token = signed(settings, fox)
    # Once the read side has the creative, it is shown.
    until = time.monotonic() + 10
    while b"<Ad " not in (content := read(api, token)):
        assert time.monotonic() < until

    result = vastlint.validate(content)

    assert result.valid
    # The server of the tests is reached by http, of which the linter warns.
    assert {each.id for each in result.issues if each.severity == "warning"} <= HTTP
    assert b"Fox and Sons" in content
    assert f"/v1/ad-events/{token}/complete.gif".encode() in content


def test_what_was_withdrawn_is_no_ad_to_any_player(
    api: TestClient[Litestar], settings: Settings, fox: Advertised, log: Log
) -> None:
    token = signed(settings, fox)
    until = time.monotonic() + 10
    while b"<Ad " not in read(api, token):
        assert time.monotonic() < until
    creative = log.find(Creative, fox.creative_id)
    assert creative is not None

    creative.withdraw(by=UUID(int=1), at=NOON + timedelta(days=1))
    log.save(creative)

    while b"<Ad " in (content := read(api, token)):
        assert time.monotonic() < until
    assert vastlint.validate(content).valid


def test_pixels_end_in_the_log_of_reports_and_what_is_only_told_does_not(
    api: TestClient[Litestar], settings: Settings, fox: Advertised, pool: Pool
) -> None:
    track = f"/v1/ad-events/{signed(settings, fox)}"

    answers = [
        api.get(f"{track}/{event}.gif", headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"})
        for event in ("impression", "start", "viewable", "complete", "click", "error")
    ]

    assert {each.status_code for each in answers} == {200}
    assert {each.content[:6] for each in answers} == {b"GIF89a"}
    assert {each.headers["cache-control"] for each in answers} == {"no-store"}
    with pool.connection() as connection:
        reported = connection.execute(REPORTED).fetchall()
    assert reported == [(Beacon.VIEWABLE,), (Beacon.COMPLETE,), (Beacon.CLICK,)]


@pytest.mark.parametrize(
    ("event", "differing", "code"),
    [
        ("viewable.gif", {"expires_ms": 1}, "ad_token_expired"),
        ("start.gif", {"expires_ms": 1}, "ad_token_expired"),
        ("bought.gif", {}, "ad_event_not_found"),
    ],
)
def test_what_is_no_report_stores_nothing(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    api: TestClient[Litestar],
    settings: Settings,
    fox: Advertised,
    pool: Pool,
    event: str,
    differing: dict[str, object],
    code: str,
) -> None:
    track = f"/v1/ad-events/{signed(settings, fox, **differing)}"

    refused = api.get(f"{track}/{event}")

    assert refused.json()["code"] == code
    with pool.connection() as connection:
        assert connection.execute(REPORTED).fetchall() == []


def test_a_forged_token_reads_no_document(api: TestClient[Litestar]) -> None:
    for forged in ("A" * 171, "short", "A" * 5000):
        assert api.get(f"/v1/vast/{forged}.xml").json()["code"] == "ad_token_invalid"
