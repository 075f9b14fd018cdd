"""An opportunity elsewhere, as the decision knows it: what a seller declares, and nothing guessed.

What is not declared is not known: a viewer whose year of birth is not told is no adult, and what a
place is about must be said in codes that are known to be safe.
"""

from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from urllib.parse import urlsplit
from uuid import UUID

from ads.content_categories import CODES, are_blocked
from ads.countries import ALPHA_2
from ads.openrtb import BidRequest, Content, Inventory, Video
from ads.page import Safety, Slot
from ads.rules import Rules
from ads.viewer import Shown, Viewer

MIME = "video/mp4"
VAST_4_2 = 13
SKIPPABLE = 16
"""The attribute of a creative that its viewer may skip, as each of ours."""

IAB_1 = 1
ADULT_YEARS = 18

SURROUNDED = 4
"""So many videos like the declared one are taken to stand around the ad."""

# Of the IAB's first taxonomy: arts, cars, careers, education, family, food, hobbies, home, pets,
# sports, fashion, technology, travel, property, shopping; less what among them is for adults.
_SAFE = frozenset(f"IAB{n}" for n in (1, 2, 4, 5, 6, 8, 9, 10, 16, 17, 18, 19, 20, 21, 22))
_NOT_SAFE = frozenset({"IAB8-5", "IAB8-18", "IAB9-7", "IAB9-9", "IAB17-18", "IAB19-3"})
_OURS = {code: category for category, code in CODES.items()}
_PLATFORMS = {"ios": "ios", "ipados": "ios", "android": "android"}
_MATURE = 3
_MILLION = 1_000_000
_THOUSAND = 1_000


def rules_of(house: Rules) -> Rules:
    """Return the rules by which a line bids elsewhere: the house's reserves, and one ad."""
    return Rules(
        first_position=1,
        gap=1,
        ads_page_max=1,
        reserve_cpm_micros=house.reserve_cpm_micros,
        reserve_cpv_micros=house.reserve_cpv_micros,
        reserve_cpc_micros=house.reserve_cpc_micros,
        ad_cost_micros=0,
        worth_micros=0,
        explore=0.0,
        adult_categories=house.adult_categories,
        deadline_us=20_000,
    )


def page_of(request: BidRequest) -> tuple[Slot, ...]:
    """Return what an ad would stand between."""
    inventory = request.app or request.site or Inventory()
    content = inventory.content or Content()
    codes, taxonomy = content.cat, content.cattax
    if not codes:
        codes = inventory.pagecat or inventory.sectioncat or inventory.cat
        taxonomy = inventory.cattax
    keywords = f"{content.keywords} {content.title}".replace(",", " ").casefold().split()
    phrases = (each.strip().casefold() for each in content.keywords.split(","))
    slot = Slot(
        UUID(int=0),
        UUID(int=0),
        _category(codes),
        frozenset([*keywords, *phrases]) - {""},
        _safety(codes, taxonomy, content.qagmediarating),
    )
    return (slot,) * SURROUNDED


def viewer_of(request: BidRequest, pseudonym: int, shown_ms: Shown, *, now_ms: int) -> Viewer:
    """Return who watches; only an adult who may be followed has an age."""
    device, user = request.device, request.user
    born = user.yob if user else None
    year = datetime.fromtimestamp(now_ms / _THOUSAND, UTC).year
    # Whoever was born eighteen years ago may not have had that birthday yet.
    is_adult = born is not None and year - born > ADULT_YEARS and not is_for_children(request)
    is_followed = not (device and (device.dnt or device.lmt))
    return Viewer(
        pseudonym=pseudonym,
        country=_country(request),
        language=_language(request),
        age_band="18+" if is_adult and is_followed else "",
        platform=_platform(request),
        is_minor=not is_adult,
        shown_ms=shown_ms,
        contextual_only=not (is_adult and is_followed),
        hidden_categories=_blocked(request),
    )


def is_for_children(request: BidRequest) -> bool:
    """Whether nothing of this viewer may be kept."""
    return request.regs is not None and bool(request.regs.coppa)


def is_readable(request: BidRequest) -> bool:
    """Whether what the seller does not want is said in words that are known here."""
    return request.cattax == IAB_1 or not (request.bcat or request.acat)


def plays(video: Video, duration_ms: int) -> bool:
    """Whether a player takes a creative of ours that is so long."""
    longest = video.maxduration
    return (
        MIME in video.mimes
        and (not video.protocols or VAST_4_2 in video.protocols)
        and SKIPPABLE not in video.battr
        and duration_ms >= video.minduration * _THOUSAND
        and (longest is None or duration_ms <= longest * _THOUSAND)
    )


def is_blocked(domain: str, blocked: frozenset[str]) -> bool:
    """Whether a domain, or one above it, is among those that a seller blocks."""
    labels = domain.casefold().rstrip(".").split(".")
    return any(".".join(labels[start:]) in blocked for start in range(len(labels)))


def domain_of(website: str) -> str:
    """Return the domain of a website, which may be written without its scheme."""
    parts = urlsplit(website if "//" in website else f"//{website}")
    return (parts.hostname or "").removeprefix("www.")


def cpm_micros(event_micros: int, p_billed: float) -> int:
    """Return what a thousand showings are worth of which each may bring an event; never more."""
    worth = Decimal(event_micros) * _THOUSAND * Decimal(p_billed)
    return int(worth.to_integral_value(ROUND_FLOOR))


def event_micros(cpm: Decimal, p_billed: float, *, least: int, most: int) -> int:
    """Return what one event costs at a price of a thousand showings, in units of the currency.

    The price is what somebody else says: no event costs less than its reserve, or more than was
    bid for it.
    """
    micros = cpm * _MILLION / (_THOUSAND * Decimal(p_billed))
    return min(max(int(micros.to_integral_value(ROUND_FLOOR)), least), most)


def _category(codes: tuple[str, ...]) -> str | None:
    found = (_OURS.get(code) or _OURS.get(code.partition("-")[0]) for code in codes)
    return next((category for category in found if category), None)


def _safety(codes: tuple[str, ...], taxonomy: int, rating: int | None) -> Safety | None:
    if not codes or taxonomy != IAB_1:
        return None
    safe = all(code.partition("-")[0] in _SAFE and code not in _NOT_SAFE for code in codes)
    return "safe" if safe and rating != _MATURE else "unsafe"


def _blocked(request: BidRequest) -> frozenset[str]:
    """Return the categories that this seller shows no ads of."""
    blocked, allowed = frozenset(request.bcat), frozenset(request.acat)
    return frozenset(
        category
        for category in CODES
        if are_blocked(category, blocked) or (allowed and not are_blocked(category, allowed))
    )


def _country(request: BidRequest) -> str:
    for of in (request.device, request.user):
        if of is not None and of.geo is not None and of.geo.country:
            return ALPHA_2.get(of.geo.country.upper(), "")
    return ""


def _language(request: BidRequest) -> str:
    inventory = request.app or request.site
    said = inventory.content.language if inventory and inventory.content else ""
    said = said or (request.device.language if request.device else "")
    return said.replace("_", "-").partition("-")[0].lower()


def _platform(request: BidRequest) -> str:
    named = request.device.os.strip().lower() if request.device else ""
    return _PLATFORMS.get(named) or ("web" if request.site is not None else "")
