"""Outside bidders: who says by HTTP what a line item bids for one viewer, and where it is asked."""

from collections.abc import Collection

from domain.ad_webhook.destination import require_destination
from domain.ad_webhook.errors import AdWebhookURLInvalid
from domain.line_item.errors import BidderInvalid


def require_bidder(url: str, *, inside: Collection[str]) -> None:
    """Let pass an https URL on a public host; or, of the hosts (host:port) `inside`, any.

    Raises:
        BidderInvalid: it is another one.
    """
    try:
        require_destination(url, inside=inside)
    except AdWebhookURLInvalid as error:
        raise BidderInvalid(
            "A bidder is an https URL of 512 characters at most, at port 443 of a public host."
        ) from error


def check_bidder(bidder: str | None, *, kind: str, guaranteed: bool) -> None:
    """Let a bidder pass for what it may bid for.

    Raises:
        BidderInvalid: the line item has no bids that could be another's.
    """
    if bidder is not None and (kind != "cpm" or guaranteed):
        raise BidderInvalid("A bidder bids for a thousand viewable impressions, not guaranteed.")
