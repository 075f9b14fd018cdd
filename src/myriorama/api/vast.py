"""Routes of ads in other players: the VAST document of an ad, and the URLs by which they report.

The token is the permission, for as long as it holds: players have no account.
"""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from prometheus_client import Counter

from ads import vast
from ads.tokens import AdToken
from domain.errors import NotFound
from myriorama.api.ad_events import AdEvent, AdReports, Event
from myriorama.api.reads import Reads
from myriorama.api.tokens import Scope
from myriorama.feed.ad_documents import AdDocuments
from myriorama.feed.ad_items import why_path
from myriorama.feed.ad_market import ShownCreative
from myriorama.store.signing import Signer

# As in feed/ad_lines.sql: what is approved, there, and shows only cameos granted to the advertiser.
SHOWABLE = """
    SELECT v.creative_id, v.advertiser_id, a.name, a.website, v.headline, v.width, v.height,
           v.duration_ms, v.video_key, v.poster_key, v.thumbnail_key, v.landing_url,
           v.call_to_action, v.ai_label, v.category, a.currency
    FROM creatives v JOIN advertisers a USING (advertiser_id)
    WHERE v.creative_id = %(creative_id)s AND v.state = 'approved' AND NOT v.recalled
      AND NOT EXISTS (
          SELECT FROM unnest(v.cameo_ids) AS used (cameo_id)
          WHERE NOT EXISTS (
              SELECT FROM commercial_grants g
              WHERE g.cameo_id = used.cameo_id AND g.advertiser_id = v.advertiser_id
                AND (g.expires_at IS NULL OR g.expires_at > %(at)s)))
"""

_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_FETCHED_ANEW = {"Cache-Control": "no-store"}
_TOLD = Counter(
    "myriorama_ad_players", "What players reported that is only told, by event", ["event"]
)
_EVENTS = frozenset(get_args(Event))


class AdEventNotFound(NotFound):
    """There is no such event of an ad."""


class VastDocuments:
    """Writes the VAST documents of ads, with URLs as they are reached from outside."""

    def __init__(self, reads: Reads, signer: Signer, *, public_url: str) -> None:
        self._reads = reads
        self._documents = AdDocuments(signer, public_url=public_url)

    async def of(self, token: AdToken, text: str) -> bytes:
        """Return the document of an ad; that of no ad once its creative may not be shown."""
        at = datetime.now(UTC)
        asked = {"creative_id": token.creative_id, "at": at}
        creative = await self._reads.one(ShownCreative, SHOWABLE, asked)
        if creative is None:
            return vast.nothing()
        return self._documents.of(
            token,
            text,
            creative,
            price_micros=token.price_micros,
            why=why_path(token.decision_id),
            now=int(at.timestamp()),
        )


@get(
    "/vast/{document:str}",
    opt={"scope": Scope.PUBLIC, "refusals": ("422",)},
    media_type=vast.MEDIA_TYPE,
)
async def read_vast(
    document: FromPath[str],
    ad_reports: NamedDependency[AdReports],
    vast_documents: NamedDependency[VastDocuments],
) -> Response[bytes]:
    """Read an ad as VAST 4.2, under `<its token>.xml`; without an ad once it may not be shown."""
    text = document.removesuffix(".xml")
    content = await vast_documents.of(ad_reports.verified(text), text)
    return Response(content, media_type=vast.MEDIA_TYPE, headers=_FETCHED_ANEW)


@get(
    "/ad-events/{token:str}/{pixel:str}",
    opt={"scope": Scope.PUBLIC, "refusals": ("422",)},
    media_type="image/gif",
)
async def track_ad_event(
    token: FromPath[str],
    pixel: FromPath[str],
    request: Request[Any, None, Any],
    ad_reports: NamedDependency[AdReports],
) -> Response[bytes]:
    """Report what happened to an ad, as players do: `<event>.gif`, which is a pixel.

    The events are those of `POST /v1/ad-events`, which count as they do there; and `impression`,
    `start` and `error`, of which nobody is billed.
    """
    ad_reports.verified(token)
    event = pixel.removesuffix(".gif")
    if event in vast.TOLD_ONLY:
        _TOLD.labels(event).inc()
    elif event in _EVENTS:
        await ad_reports.store([AdEvent(token, msgspec.convert(event, Event))], request)
    else:
        raise AdEventNotFound("There is no such event of an ad.")
    return Response(_PIXEL, media_type="image/gif", headers=_FETCHED_ANEW)


router = Router("/v1", route_handlers=[read_vast, track_ad_event], tags=["Ads"])
