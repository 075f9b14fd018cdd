"""An audience for ads: people of the demo world read pages, and their apps tell what they saw.

Every page is asked for, every ad decided and every token reported as of anybody's app: what is
spent here was decided, held, reported and settled.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from numpy.random import Generator

_FEEDS = ("latest", "popular")
_TOGETHER = 40
_LIMIT = 20
# The first page of somebody who is new is without ads: who they are is read meanwhile.
_PAGES = 3
# Nobody can have seen an ad for two seconds before two seconds have passed, nor its end.
_WATCHING_S = 6.0
_VIEWABLE, _MUTED, _CLICKED, _HIDDEN = 0.8, 0.05, 0.04, 0.01
_QUARTILES = (
    ("first_quartile", 0.9),
    ("midpoint", 0.8),
    ("third_quartile", 0.8),
    ("complete", 0.8),
)
_APP = "Myriorama/1.0 (demo world)"


def watch_ads(
    api: httpx.Client,
    account_ids: Sequence[UUID],
    token_of: Callable[[UUID], str],
    *,
    seed: int = 7,
) -> Iterator[str]:
    """Let people read some pages each, and report what they saw of its ads. Yields what is done.

    Args:
        api: a client whose base URL is the API's.
        account_ids: who reads.
        token_of: issues an access token for an account.
        seed: the same draws the same eyes.

    Raises:
        httpx.HTTPError: the API refused a page or a report, or does not answer.
    """
    chance = np.random.default_rng(seed)
    shown = told = 0
    for start in range(0, len(account_ids), _TOGETHER):
        pages = list[tuple[str, list[str]]]()
        for number, account_id in enumerate(account_ids[start : start + _TOGETHER]):
            token, feed = token_of(account_id), _FEEDS[number % len(_FEEDS)]
            ads = _read(api, token, feed)
            pages += [(token, [ad["token"] for ad in ads])] if ads else []
        if not pages:
            continue
        time.sleep(_WATCHING_S)
        for token, ad_tokens in pages:
            events = [
                {"token": ad_token, "event": event}
                for ad_token in ad_tokens
                for event in seen(chance)
            ]
            shown += len(ad_tokens)
            told += _report(api, token, events) if events else 0
    yield f"{shown} ads were shown, and {told} events of them reported"


def seen(chance: Generator) -> Iterator[str]:
    """Draw what somebody saw and did of one ad, in its order."""
    if chance.random() >= _VIEWABLE:
        yield "skip"
        return
    yield "viewable"
    for event, share in _QUARTILES:
        if chance.random() >= share:
            yield "skip"
            break
        yield event
    for event, share in (("mute", _MUTED), ("click", _CLICKED), ("hide", _HIDDEN)):
        if chance.random() < share:
            yield event


def _read(api: httpx.Client, token: str, feed: str) -> list[Any]:
    headers = {"Authorization": f"Bearer {token}", "User-Agent": _APP}
    query: dict[str, str | int] = {"kind": feed, "limit": _LIMIT}
    ads = list[Any]()
    for _ in range(_PAGES):
        answer = api.get("/v1/feed", params=query, headers=headers).raise_for_status()
        page = answer.json()
        ads += page["ads"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    return ads


def _report(api: httpx.Client, token: str, events: Sequence[dict[str, str]]) -> int:
    headers = {"Authorization": f"Bearer {token}", "User-Agent": _APP}
    answer = api.post("/v1/ad-events", json={"events": events}, headers=headers)
    return int(answer.raise_for_status().json()["accepted"])
