"""The price of an ad: what the page loses by it, over how likely it is billed."""

from math import floor


def price_micros(
    displaced_micros: float,
    viewer_micros: float,
    p_charged: float,
    reserve_micros: int,
    most_micros: int,
) -> int:
    """Return what the billed event costs: the reserve, and what is taken from all others.

    That is the price of Vickrey, Clarke and Groves, in whole micros.

    Args:
        displaced_micros: what the page could be worth without this advertiser, less what its other
            ads are worth beside this one, each beyond its reserve and what it takes of the viewer.
        viewer_micros: what the viewer loses by this ad, and by what moves down for it.
        p_charged: how likely it is that the viewer comes there, and that what is billed happens.
        reserve_micros: the least that it costs.
        most_micros: what the line bids for it now.
    """
    price = reserve_micros + (displaced_micros + viewer_micros) / p_charged
    return min(max(floor(price), reserve_micros), most_micros)
