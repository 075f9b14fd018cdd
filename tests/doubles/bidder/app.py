"""The bidder itself: an app that answers as it is told, and remembers what it was asked."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal
from uuid import uuid4

import msgspec

from tests.doubles.bidder.requests import Request

Answers = Literal[
    "bid", "nothing", "hang", "garbage", "huge", "redirect", "error", "foreign", "another",
    "other_currency", "encoded", "wrong_type", "drip",
]  # fmt: skip
Message = MutableMapping[str, Any]


class BidderDouble:
    """Bids `price` for a thousand with the creative `crid`, or does what `answers` says."""

    def __init__(self) -> None:
        self.answers: Answers = "bid"
        self.price = 3.0
        self.crid = ""
        self.exp: int | None = None
        self.asked: list[Request] = []
        self.refused: list[str] = []
        self.paths: list[str] = []
        self.waiting = 0
        self.released = threading.Event()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, body = await self._answer(scope, content)
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": named})
        while self.answers == "drip" and len(body) > 1:
            await send({"type": "http.response.body", "body": body[:1], "more_body": True})
            body = body[1:]
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Message, content: bytes) -> tuple[int, dict[str, str], bytes]:
        if scope["method"] != "POST":
            return 204, {}, b""
        self.paths.append(scope["path"])
        try:
            request = msgspec.json.decode(content, type=Request)
        except msgspec.DecodeError as error:
            self.refused.append(str(error))
            return 400, {}, b""
        self.asked.append(request)
        if self.answers == "hang":
            self.waiting += 1
            await asyncio.to_thread(self.released.wait)
        return self._said(request)

    def _said(self, request: Request) -> tuple[int, dict[str, str], bytes]:  # noqa: C901 - one case a fault
        bid: dict[str, Any] = {
            "id": uuid4().hex,
            "impid": request.imp[0].id,
            "price": self.price,
            "crid": self.crid,
            "dealid": request.imp[0].pmp.deals[0].id,
            "adomain": ["shop.example.com"],
        }
        if self.exp is not None:
            bid["exp"] = self.exp
        response: dict[str, Any] = {
            "id": request.id,
            "cur": request.cur[0],
            "seatbid": [{"seat": "1", "bid": [bid]}],
        }
        json = {"Content-Type": "application/json"}
        match self.answers:
            case "nothing":
                return 204, {}, b""
            case "garbage":
                return 200, json, b'{"id": '
            case "huge":
                response["ext"] = "x" * 1_000_000
            case "redirect":
                return 307, {"Location": "/elsewhere"}, b""
            case "error":
                return 500, {}, b""
            case "foreign":
                bid["crid"] = str(uuid4())
            case "another":
                response["id"] = uuid4().hex
            case "other_currency":
                response["cur"] = "JPY"
            case "encoded":
                json["Content-Encoding"] = "gzip"
                return 200, json, b"\x1f\x8b\x08"
            case "wrong_type":
                bid["price"] = "3.0"
            case _:
                pass
        return 200, json, msgspec.json.encode(response)
