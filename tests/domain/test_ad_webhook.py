"""Webhooks: where they may lead, and when they are open."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.ad_webhook.aggregate import AdWebhook
from domain.ad_webhook.errors import AdWebhookNotFound, AdWebhookURLInvalid

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE = uuid4()


def webhook(url: str = "https://shop.example.com/hooks", inside: tuple[str, ...] = ()) -> AdWebhook:
    return AdWebhook.open(uuid4(), advertiser_id=uuid4(), url=url, inside=inside, by=ALICE, at=NOON)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://db.internal/",
        "https://2130706433/",
        "https://shop.example.com:5432/",
        "https://alice@shop.example.com/",
        "https://127.0.0.1.nip.io/",
        "javascript:alert(1)",
        "https://shop.example.com/ x",
        "https://shop.example.com/\r\nX: y",
        "https://[",
        "https://shop.example.com:99999/",
        "https://shop.example.com/" + "a" * 512,
        "",
    ],
)
def test_a_url_that_leads_elsewhere_than_to_the_public_web_is_refused(url: str) -> None:
    with pytest.raises(AdWebhookURLInvalid):
        webhook(url)


def test_a_host_inside_may_be_named_by_the_operator() -> None:
    assert webhook("http://127.0.0.1:9000/x", ("127.0.0.1:9000",)).is_open


def test_a_webhook_that_was_disabled_goes_on_with_a_new_secret() -> None:
    hook = webhook()
    hook.disable(failing_since=NOON, at=NOON)
    hook.disable(failing_since=NOON, at=NOON)

    hook.rotate_secret(by=ALICE, at=NOON)

    assert (hook.is_open, hook.secret_number) == (True, 2)
    assert len(hook.collect_events()) == 3


def test_a_webhook_is_closed_for_good() -> None:
    hook = webhook()
    hook.close(by=ALICE, at=NOON)

    with pytest.raises(AdWebhookNotFound):
        hook.rotate_secret(by=ALICE, at=NOON)
    with pytest.raises(AdWebhookNotFound):
        hook.close(by=ALICE, at=NOON)
