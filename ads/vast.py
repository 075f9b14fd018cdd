"""VAST 4.2: an ad as other players read it, with the URLs by which they report.

Elements stand in the order of the standard's schema. What an app of ours reports by `Beacon`, a
player reports by fetching a URL of the same name.
"""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID
from xml.dom.minidom import Document, Element

import msgspec

from ads.beacons import Beacon
from ads.content_categories import AUTHORITY, CODES
from ads.lines import Kind

VERSION = "4.2"
MEDIA_TYPE = "application/xml"

TOLD_ONLY = frozenset({"impression", "start", "error"})
"""What a player reports and nobody is billed for or counts: an ad that began may not be seen."""

_NAMESPACE = "http://www.iab.com/VAST"
_TRACKED: Mapping[str, Beacon] = {
    "firstQuartile": Beacon.FIRST_QUARTILE,
    "midpoint": Beacon.MIDPOINT,
    "thirdQuartile": Beacon.THIRD_QUARTILE,
    "complete": Beacon.COMPLETE,
    "mute": Beacon.MUTE,
    "skip": Beacon.SKIP,
}
_MODELS: Mapping[Kind, str] = {"cpm": "CPM", "cpv": "CPV", "cpc": "CPC"}
_MICROS = Decimal(1_000_000)
_SECOND_MS, _MINUTE_S, _HOUR_M = 1000, 60, 60
# Whoever watches a feed may pass an ad by at once.
_SKIPPED_AFTER = "00:00:00"


class VideoAd(msgspec.Struct, frozen=True):
    """An ad, as it is told to a player.

    `price_micros` is of one billed event. `tracker` is the URL under which each report lies by its
    name: "<tracker>/viewable.gif".
    """

    ad_serving_id: UUID
    creative_id: UUID
    advertiser_id: UUID
    advertiser: str
    title: str
    category: str
    kind: Kind
    price_micros: int
    currency: str
    duration_ms: int
    width: int
    height: int
    media_url: str
    landing_url: str
    tracker: str
    label: str
    ai_label: str
    why_url: str


def document(ad: VideoAd) -> bytes:
    """Return the VAST document of an ad."""
    vast = _Vast()
    inline = vast.put(vast.put(vast.root, "Ad", id=str(ad.creative_id)), "InLine")
    serving = str(ad.ad_serving_id)
    vast.put(inline, "AdSystem", "Myriorama", version="1")
    # The player puts its code where the macro stands, which is therefore not escaped as in a URL.
    vast.link(inline, "Error", f"{ad.tracker}/error.gif?code=[ERRORCODE]")
    _put_extension(vast, inline, ad)
    vast.link(inline, "Impression", f"{ad.tracker}/impression.gif", id=serving)
    vast.put(inline, "Pricing", price(ad), model=_MODELS[ad.kind], currency=ad.currency)
    viewable = vast.put(inline, "ViewableImpression", id=serving)
    vast.link(viewable, "Viewable", _tracker(ad, Beacon.VIEWABLE))
    vast.put(inline, "AdServingId", serving)
    vast.put(inline, "AdTitle", ad.title)
    vast.put(inline, "Advertiser", ad.advertiser)
    vast.put(inline, "Category", CODES.get(ad.category, CODES["other"]), authority=AUTHORITY)
    _put_creative(vast, inline, ad)
    return vast.encoded()


def nothing() -> bytes:
    """Return the document of no ad."""
    return _Vast().encoded()


def price(ad: VideoAd) -> str:
    """Return what is paid, in the unit of the currency: of a thousand where a thousand are."""
    micros = ad.price_micros * 1000 if ad.kind == "cpm" else ad.price_micros
    return f"{Decimal(micros) / _MICROS:f}"


def duration(duration_ms: int) -> str:
    """Return a duration as HH:MM:SS.mmm."""
    seconds, ms = divmod(duration_ms, _SECOND_MS)
    minutes, seconds = divmod(seconds, _MINUTE_S)
    hours, minutes = divmod(minutes, _HOUR_M)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


class _Vast:
    """A document that is being written."""

    def __init__(self) -> None:
        self._document = Document()
        self.root = self._document.createElement("VAST")
        self.root.setAttribute("version", VERSION)
        self.root.setAttribute("xmlns", _NAMESPACE)
        self._document.appendChild(self.root)

    def put(self, parent: Element, name: str, text: str = "", **attributes: str) -> Element:
        """Append an element with text."""
        element = self._element(parent, name, attributes)
        if text:
            element.appendChild(self._document.createTextNode(text))
        return element

    def link(self, parent: Element, name: str, url: str, **attributes: str) -> None:
        """Append an element with a URL, which players expect to stand as it is."""
        element = self._element(parent, name, attributes)
        element.appendChild(self._document.createCDATASection(url.replace(">", "%3E")))

    def encoded(self) -> bytes:
        return self._document.toxml(encoding="utf-8")

    def _element(self, parent: Element, name: str, attributes: Mapping[str, str]) -> Element:
        element = self._document.createElement(name)
        for attribute, value in attributes.items():
            element.setAttribute(attribute, value)
        parent.appendChild(element)
        return element


def _put_creative(vast: _Vast, inline: Element, ad: VideoAd) -> None:
    known = str(ad.creative_id)
    creatives = vast.put(inline, "Creatives")
    creative = vast.put(creatives, "Creative", id=known, adId=known, sequence="1")
    vast.put(creative, "UniversalAdId", known, idRegistry="unknown")
    linear = vast.put(creative, "Linear", skipoffset=_SKIPPED_AFTER)
    events = vast.put(linear, "TrackingEvents")
    vast.link(events, "Tracking", f"{ad.tracker}/start.gif", event="start")
    for event, beacon in _TRACKED.items():
        vast.link(events, "Tracking", _tracker(ad, beacon), event=event)
    vast.put(linear, "Duration", duration(ad.duration_ms))
    size = {"width": str(ad.width), "height": str(ad.height)}
    files = vast.put(linear, "MediaFiles")
    kind = {"delivery": "progressive", "type": "video/mp4"}
    vast.link(files, "MediaFile", ad.media_url, **kind, **size)
    clicks = vast.put(linear, "VideoClicks")
    vast.link(clicks, "ClickTracking", _tracker(ad, Beacon.CLICK), id=str(ad.ad_serving_id))
    vast.link(clicks, "ClickThrough", ad.landing_url, id=str(ad.ad_serving_id))


def _put_extension(vast: _Vast, inline: Element, ad: VideoAd) -> None:
    """Tell what a player has to show beside the ad: that it is one, and that it is generated."""
    extension = vast.put(vast.put(inline, "Extensions"), "Extension", type="myriorama")
    vast.put(extension, "Label", ad.label)
    if ad.ai_label:
        vast.put(extension, "AILabel", ad.ai_label)
    vast.link(extension, "Why", ad.why_url)


def _tracker(ad: VideoAd, beacon: Beacon) -> str:
    return f"{ad.tracker}/{beacon.name.lower()}.gif"
