"""The paths that the double knows, each with the parameters that Stripe's own client types."""

import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, NamedTuple

from stripe.params import (
    CustomerCreateParams,
    EventListParams,
    PaymentIntentCreateParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    PaymentMethodAttachParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionRetrieveParams,
)

from myriorama.billing.stripe_double.bank import Bank, Thing
from myriorama.billing.stripe_double.parameters import Form, ParameterWrong, checked, parsed

_LIMIT, _LIMIT_MAX = 10, 100
_MINOR_MIN, _MINOR_MAX = 50, 99_999_999


class RouteUnknown(Exception):
    """The double does not know this path."""


class _Route(NamedTuple):
    method: str
    path: re.Pattern[str]
    parameters: Any
    does: Callable[[Bank, str, Form], Thing]


def routed(bank: Bank, method: str, path: str, query: str, body: bytes) -> Thing:
    """Do what is asked, and return what Stripe would.

    Raises:
        RouteUnknown: it is not known here.
        ParameterWrong: Stripe would not take the parameters.
        Missing, StateUnfit, CardRefused: as the bank says.
    """
    for route in _ROUTES:
        found = route.path.fullmatch(path)
        if route.method == method and found:
            form = parsed(body.decode() if method == "POST" else query)
            return route.does(bank, found.group(1) if found.groups() else "", _checked(route, form))
    raise RouteUnknown(f"{method}: {path}")


def _checked(route: _Route, form: Form) -> Form:
    read = checked(route.parameters, form)
    amounts = [("amount", read["amount"])] if "amount" in read else []
    amounts += [
        (f"line_items[{place}][price_data][unit_amount]", item["price_data"]["unit_amount"])
        for place, item in enumerate(read.get("line_items", []))
    ]
    for name, amount in amounts:
        if not _MINOR_MIN <= amount <= _MINOR_MAX:
            raise ParameterWrong(f"Invalid amount: {name}", name, "amount_out_of_range")
    return read


def _charge(bank: Bank, _: str, wanted: Form) -> Thing:
    for name in ("customer", "payment_method", "confirm", "off_session"):
        if not wanted.get(name):  # the double knows no other way to charge
            raise ParameterWrong(f"Missing required param: {name}.", name, "parameter_missing")
    return bank.charge(wanted)


def _open_page(bank: Bank, _: str, wanted: Form) -> Thing:
    for name in ("customer", "mode", "line_items", "success_url"):
        if not wanted.get(name):
            raise ParameterWrong(f"Missing required param: {name}.", name, "parameter_missing")
    return bank.open_page(wanted)


def _listed(things: Iterable[Thing], wanted: Form, url: str) -> Thing:
    """Return a page of a list, newest first."""
    limit = wanted.get("limit", _LIMIT)
    if not 1 <= limit <= _LIMIT_MAX:
        raise ParameterWrong("Invalid limit", "limit", "parameter_invalid_integer")
    newest = list(things)[::-1]
    if after := wanted.get("starting_after"):
        ids = [thing["id"] for thing in newest]
        if after not in ids:
            raise ParameterWrong("No such object", "starting_after", "resource_missing")
        newest = newest[ids.index(after) + 1 :]
    data = deepcopy(newest[:limit])
    return {"object": "list", "url": url, "has_more": len(newest) > limit, "data": data}


def _intents(bank: Bank, _: str, wanted: Form) -> Thing:
    of = wanted.get("customer")
    found = (intent for intent in bank.intents.values() if of in {None, intent["customer"]})
    return _listed(found, wanted, "/v1/payment_intents")


def _events(bank: Bank, _: str, wanted: Form) -> Thing:
    types = wanted.get("types")
    created: Form | int = wanted.get("created") or 0
    since = created.get("gte", 0) if isinstance(created, dict) else created
    found = (
        event
        for event in bank.events
        if event["created"] >= since and (not types or event["type"] in types)
    )
    return _listed(found, wanted, "/v1/events")


def _route(
    method: str, path: str, parameters: Any, does: Callable[[Bank, str, Form], Thing]
) -> _Route:
    return _Route(method, re.compile(path.replace("*", "([A-Za-z0-9_]+)")), parameters, does)


_ROUTES = (
    _route("POST", "/v1/customers", CustomerCreateParams, lambda b, _, f: b.open_customer(f)),
    _route(
        "POST",
        "/v1/payment_methods/*/attach",
        PaymentMethodAttachParams,
        lambda b, i, f: b.keep_card(i, f["customer"]),
    ),
    _route("POST", "/v1/payment_intents", PaymentIntentCreateParams, _charge),
    _route("GET", "/v1/payment_intents", PaymentIntentListParams, _intents),
    _route(
        "GET",
        "/v1/payment_intents/*",
        PaymentIntentRetrieveParams,
        lambda b, i, _: b.find(b.intents, i),
    ),
    _route("POST", "/v1/checkout/sessions", SessionCreateParams, _open_page),
    _route("GET", "/v1/checkout/sessions/*", SessionRetrieveParams, lambda b, i, _: b.page(i)),
    _route(
        "POST", "/v1/checkout/sessions/*/expire", SessionExpireParams, lambda b, i, _: b.expire(i)
    ),
    _route("GET", "/v1/events", EventListParams, _events),
)
