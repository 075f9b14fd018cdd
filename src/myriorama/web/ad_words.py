"""What stands on the pages of advertisers, in words: money, moments of a zone, states, kinds."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

CALLS_TO_ACTION: Mapping[str, str] = {
    "learn_more": "Learn more",
    "shop_now": "Shop now",
    "install": "Install",
    "sign_up": "Sign up",
    "book_now": "Book now",
    "watch_more": "Watch more",
    "get_offer": "Get the offer",
    "contact_us": "Contact us",
    "subscribe": "Subscribe",
    "donate": "Donate",
}

REVIEW_REASONS: Mapping[str, str] = {
    "adult": "It is for adults only",
    "broken_landing_page": "The landing page cannot be relied on",
    "cameo_not_granted": "Somebody in it has not agreed to advertise",
    "deceptive": "It deceives",
    "prohibited_goods": "What it sells is not advertised here",
    "low_quality": "The video is too poor",
    "mislabelled": "It is of another category",
    "restricted_category": "This advertiser may not advertise it",
    "trademark": "It uses what belongs to others",
    "unsafe": "It is not safe to show",
    "words": "Words that are refused here",
}

KINDS: Mapping[str, str] = {
    "cpm": "1,000 viewable impressions",
    "cpv": "a view",
    "cpc": "a click",
}

BILLED: Mapping[str, str] = {
    "cpm": "a viewable impression",
    "cpv": "a view",
    "cpc": "a click",
}

OUTCOMES: Mapping[str, str] = {
    "charged": "Charged",
    "credited": "Charged, and given back",
    "leaked": "Free: no budget had room left",
    "invalid": "Free: it is not believed",
    "waiting": "Waiting for what is reported",
    "not_reported": "Free: nothing happened that is billed",
}

OBJECTIVES: Mapping[str, str] = {
    "awareness": "Be seen by many",
    "views": "Be watched",
    "visits": "Lead to your page",
}

PACINGS: Mapping[str, tuple[str, str]] = {
    "even": ("Even", "over the day, as viewers come"),
    "front": ("Front", "more of it early"),
    "asap": ("As soon as it can", "until the budget is spent"),
}

TIERS: Mapping[str, str] = {
    "limited": "Beside the safest videos alone",
    "standard": "Beside videos that most would call safe",
    "full": "Beside everything that is not unsafe",
}

STATES: Mapping[str, str] = {
    "active": "active",
    "approved": "approved",
    "completed": "completed",
    "draft": "draft",
    "exhausted": "budget spent",
    "in_review": "in review",
    "paused": "paused",
    "rejected": "rejected",
    "withdrawn": "withdrawn",
}

TOP_UP_STATES: Mapping[str, str] = {
    "requested": "being prepared",
    "submitted": "being prepared",
    "open": "not paid yet",
    "action_required": "your bank asks for something",
    "unresolved": "being looked into",
    "succeeded": "paid",
    "failed": "not paid",
}

BUDGETS: Mapping[str, str] = {
    "advertiser": "What was paid in",
    "campaign": "The campaign",
    "line": "The line item, in all",
    "line_day": "The line item, today",
}

DELIVERIES: Mapping[str, str] = {
    "due": "on its way",
    "delivered": "delivered",
    "given_up": "given up",
}

WINDOWS: Mapping[int, str] = {3600: "hour", 86_400: "day", 604_800: "week"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = 24
_MICROS = 1_000_000


def money(micros: int, currency: str) -> str:
    """Say an amount in whole coins, or as exactly as it is below a coin: 12.50 USD, 0.0042 USD."""
    amount = Decimal(micros) / _MICROS
    if abs(amount) >= 1 or not micros:
        return f"{amount:,.2f} {currency}"
    exact = f"{amount:.6f}".rstrip("0")
    whole, _, part = exact.partition(".")
    return f"{whole}.{part.ljust(2, '0')} {currency}"


def units(micros: int | None) -> str:
    """Write an amount as a field takes it, exactly: 12.5."""
    return "" if micros is None else f"{(Decimal(micros) / _MICROS).normalize():f}"


def local(moment: str, zone: str) -> str:
    """Say a moment (ISO 8601) by the clocks of a zone."""
    there = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%b %Y, %H:%M}"


def day(text: str) -> str:
    """Say a day (ISO 8601): "23 Nov 2026"."""
    there = date.fromisoformat(text)
    return f"{there.day} {there:%b %Y}"


def clock(moment: str, zone: str) -> str:
    """Say the time of day of a moment (ISO 8601) by the clocks of a zone."""
    return f"{datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)):%H:%M}"


def wall(moment: str | None, zone: str) -> str:
    """Write a moment as a field for local time takes it, by the clocks of a zone."""
    if moment is None:
        return ""
    return f"{datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


def cap(each: Mapping[str, int]) -> str:
    """Say a frequency cap: "3 times a day"."""
    window = WINDOWS.get(each["window_s"], f"{each['window_s']} seconds")
    return f"{each['count']} times a {window}" if each["count"] > 1 else f"once a {window}"


def hours(week: str | None) -> str:
    """Say at which hours of the week something is shown, day by day."""
    if week is None or "0" not in week:
        return "at all hours"
    days = [week[start : start + _HOURS] for start in range(0, len(week), _HOURS)]
    said = [f"{name} {_spans(day)}" for name, day in zip(DAYS, days, strict=True) if "1" in day]
    return "; ".join(said) or "never"


def _spans(day: str) -> str:
    """Say the hours of a day as spans: "8-12, 14-20"."""
    edges = [hour for hour in range(_HOURS + 1) if _at(day, hour) != _at(day, hour - 1)]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return ", ".join(f"{start}\N{EN DASH}{end}" for start, end in pairs)


def _at(day: str, hour: int) -> bool:
    return 0 <= hour < _HOURS and day[hour] == "1"
