"""Carries the requests of Stripe's own client to the double without a network in between.

Everything else is real: what the client encodes, which headers it sends, what it makes of answers.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from stripe import APIConnectionError

from myriorama.billing.stripe_double.exchange import Asked, ConnectionEnded, Exchange


class InProcess(stripe.HTTPClient):
    """What the client sends through. A connection that ends is the error that the client knows."""

    name = "in process"

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - stripe leaves a type out
        self._exchange = exchange

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *_: Any,
        **__: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        asked = Asked(method.upper(), parts.path, parts.query, named, body)
        try:
            answer = self._exchange.answer(asked)
        except ConnectionEnded:
            raise APIConnectionError("The connection ended.", should_retry=True) from None  # type: ignore[no-untyped-call]  # the client is typed in part
        headers = {"idempotent-replayed": "true"} if answer.replayed else {}
        return answer.body.decode(), answer.status, headers

    def close(self) -> None:
        pass
