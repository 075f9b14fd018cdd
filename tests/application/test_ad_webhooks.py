"""Webhooks of advertisers: how many there may be, whether the read side knows of them or not."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.ad_webhook.errors import TooManyAdWebhooks
from domain.advertiser.aggregate import Advertiser
from myriorama.application.ad_webhooks import WEBHOOKS_MAX, AdWebhooks, WebhookSecrets
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.store.signing import Signer
from projections.ad_webhooks import AdWebhooks as AdWebhooksProjection
from tests.advertising import advertiser
from tests.folding import fold

ALICE, BOB = uuid4(), uuid4()
URL = "https://shop.example.com/hooks"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def webhooks(log: Log, pool: Pool) -> AdWebhooks:
    secrets = WebhookSecrets(Signer(b"a secret of the tests, 32 bytes!").key)
    return AdWebhooks(log, pool, secrets, inside=())


@pytest.fixture
def fox(log: Log) -> Advertiser:
    opened = advertiser(ALICE)
    log.save(opened)
    return opened


@pytest.mark.parametrize("folded", [False, True])
def test_an_advertiser_has_ten_webhooks_at_most_and_another_once_one_is_closed(
    webhooks: AdWebhooks, fox: Advertiser, pool: Pool, *, folded: bool
) -> None:
    opened = [webhooks.open(fox.id, URL, by=ALICE, at=AT) for _ in range(WEBHOOKS_MAX)]
    if folded:
        fold(pool, AdWebhooksProjection())

    with pytest.raises(TooManyAdWebhooks):
        webhooks.open(fox.id, URL, by=ALICE, at=AT)
    webhooks.close(fox.id, opened[0].webhook_id, by=ALICE, at=AT)
    webhooks.open(fox.id, URL, by=ALICE, at=AT)

    with pytest.raises(TooManyAdWebhooks):
        webhooks.open(fox.id, URL, by=ALICE, at=AT)


def test_webhooks_of_others_take_no_place(webhooks: AdWebhooks, fox: Advertiser, log: Log) -> None:
    owl = advertiser(BOB)
    log.save(owl)
    for _ in range(WEBHOOKS_MAX):
        webhooks.open(owl.id, URL, by=BOB, at=AT)

    assert webhooks.open(fox.id, URL, by=ALICE, at=AT).secret
