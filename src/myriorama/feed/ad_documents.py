"""VAST documents of the house's ads, for other players: with URLs as they are reached from outside.

An ad in another app, and one of a feed that an app has another player show, read the same.
"""

from ads import vast
from ads.tokens import AdToken
from myriorama.feed.ad_items import LABEL
from myriorama.feed.ad_market import ShownCreative
from myriorama.store.signing import Signer


class AdDocuments:
    """Writes the documents."""

    def __init__(self, signer: Signer, *, public_url: str) -> None:
        """Take who signs the URLs of videos, and the URL by which the house is reached."""
        self._signer = signer
        self._public_url = public_url.rstrip("/")

    def of(  # noqa: PLR0913 - what a document tells beside the creative
        self,
        token: AdToken,
        signed: str,
        creative: ShownCreative,
        *,
        price_micros: int,
        why: str,
        now: int,
    ) -> bytes:
        """Return the document of an ad, under whose token, as it is `signed`, players report.

        `price_micros` is told as that of the billed event, `why` the path at which the viewer is
        told of the ad, and `now` is in seconds.
        """
        media = self._signer.media_url(creative.video_key, now=now)
        return vast.document(
            vast.VideoAd(
                ad_serving_id=token.decision_id,
                creative_id=creative.creative_id,
                advertiser_id=creative.advertiser_id,
                advertiser=creative.name,
                title=creative.headline or creative.name,
                category=creative.category,
                kind=token.kind,
                price_micros=price_micros,
                currency=creative.currency,
                duration_ms=creative.duration_ms,
                width=creative.width,
                height=creative.height,
                media_url=f"{self._public_url}{media}",
                landing_url=creative.landing_url,
                tracker=f"{self._public_url}/v1/ad-events/{signed}",
                label=LABEL,
                ai_label=creative.ai_label,
                why_url=f"{self._public_url}{why}",
            )
        )
