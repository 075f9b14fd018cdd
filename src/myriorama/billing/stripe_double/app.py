"""The double over HTTP: Stripe's paths, a page to pay on with a test card, and its reports.

It listens on this machine alone, takes test keys alone, and keeps what it knows in one file, so
that customers and keys outlast a restart.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec
import stripe

from domain.top_up.currencies import MINOR_DIGITS
from myriorama.billing.stripe_double.bank import Bank, CardRefused, Missing, StateUnfit, Thing
from myriorama.billing.stripe_double.cards import NumberRefused
from myriorama.billing.stripe_double.exchange import Asked, ConnectionEnded, Exchange
from myriorama.billing.stripe_double.signatures import delivery

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_PAGE = re.compile("/pay/([A-Za-z0-9_]+)")
_BODY_BYTES_MAX = 64 * 1024
_DELIVER_EVERY_S, _AGAIN_S_MAX = 0.2, 30.0
_HTML = b"text/html; charset=utf-8"

_FORM = """<!doctype html><html lang=en><meta name=viewport content="width=device-width">
<title>Pay (test)</title><style>body{{font:16px sans-serif;max-width:26rem;margin:3rem auto;
padding:0 1rem}}input,button{{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;
margin:.3rem 0}}</style><h1>{amount} {currency}</h1>
<p>This is a double of Stripe on your own machine: no money moves. Pay with a test card;
<code>4242 4242 4242 4242</code> is good,
<code>4000 0000 0000 0002</code> is declined, and no other card pays.</p><p role=alert>{told}</p>
<form method=post><label>Card
<input name=card inputmode=numeric value="4242 4242 4242 4242" required></label>
<button>Pay</button></form></html>"""


class DoubleApp:
    """An ASGI application. What happens is reported to `webhook_url`, signed, until it is taken."""

    def __init__(self, *, address: str, webhook_url: str, secret: str, kept_in: Path) -> None:
        """Take where it is reached, where and how it reports, and the file that it keeps."""
        self._webhook_url = webhook_url
        self._secret = secret
        self._kept_in = kept_in
        self._delivered = 0
        self.bank = Bank(clock_s=_now_s, page=address)
        self.exchange = Exchange(self.bank, clock_s=_now_s, api_version=stripe.api_version)
        with suppress(FileNotFoundError):
            kept = msgspec.json.decode(kept_in.read_bytes())
            self.bank.restore(kept["bank"])
            self.exchange.restore(kept["keys"])
            self._delivered = kept["delivered"]

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        reporting = asyncio.create_task(self._report())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        reporting.cancel()
        with suppress(asyncio.CancelledError):
            await reporting
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        body = await _body(receive)
        method, path = scope["method"], scope["path"]
        if found := _PAGE.fullmatch(path):
            status, headers, content = self._paid_on(found[1], method, body)
        else:
            headers = [(b"content-type", b"application/json")]
            asked = Asked(method, path, scope["query_string"].decode(), _named(scope), body)
            try:
                answer = self.exchange.answer(asked)
            except ConnectionEnded:
                return
            status, content = answer.status, answer.body
            if answer.replayed:
                headers.append((b"idempotent-replayed", b"true"))
        if method == "POST":
            self._keep()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _paid_on(
        self, session_id: str, method: str, body: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Show the page to pay on, or pay on it and lead back to whoever opened it."""
        html = [(b"content-type", _HTML)]
        session: Thing = {}
        try:
            session = self.bank.page(session_id)
            if method != "POST":
                return 200, html, _form(session, "")
            card = parse_qs(body.decode()).get("card", [""])[0].replace(" ", "")
            paid = self.bank.pay(session_id, card)
        except Missing:
            return 404, html, b"There is no such page."
        except (CardRefused, NumberRefused) as refused:
            code = refused.decline.decline_code or refused.decline.code
            return 402, html, _form(session, f"{refused} ({code})")
        except StateUnfit as unfit:
            return 410, html, str(unfit).encode()
        return 303, [(b"location", paid["success_url"].encode())], b""

    async def _report(self) -> None:
        """Deliver what has happened, in order, each until it is taken."""
        pause_s = _DELIVER_EVERY_S
        async with httpx.AsyncClient(timeout=10) as client:
            while True:
                await asyncio.sleep(pause_s)
                try:
                    while self._delivered < len(self.bank.events):
                        await self._deliver(client, self.bank.events[self._delivered])
                        self._delivered += 1
                        self._keep()
                    pause_s = _DELIVER_EVERY_S
                except httpx.HTTPError:
                    pause_s = min(_AGAIN_S_MAX, 2 * pause_s)

    async def _deliver(self, client: httpx.AsyncClient, event: Thing) -> None:
        body, signature = delivery(event, self._secret, at_s=_now_s())
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
        answer = await client.post(self._webhook_url, content=body, headers=headers)
        answer.raise_for_status()

    def _keep(self) -> None:
        kept = {
            "bank": self.bank.kept(),
            "keys": self.exchange.kept(),
            "delivered": self._delivered,
        }
        written = self._kept_in.with_suffix(".new")
        written.write_bytes(msgspec.json.encode(kept))
        written.replace(self._kept_in)


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > _BODY_BYTES_MAX:
            return body


def _named(scope: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _form(session: Thing, told: str) -> bytes:
    currency = session["currency"].upper()
    digits = MINOR_DIGITS.get(currency, 2)
    amount = f"{Decimal(session['amount_total']).scaleb(-digits):,.{digits}f}"
    return _FORM.format(amount=amount, currency=escape(currency), told=escape(told)).encode()


def _now_s() -> int:
    return int(time.time())
