"""Walks through a house over HTTP, as an app of somebody who lives there would take them."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import msgspec

PAGE = 20

_LESS_OF = 3
_PATIENCE_S, _POLL_S = 300.0, 0.5


class NotRanked(RuntimeError):
    """The feed of a house is not ranked, or empty."""


class Item(msgspec.Struct):
    """What of a card matters here."""

    video_id: UUID
    prompt: str
    duration_ms: int
    view_token: str


class Page(msgspec.Struct):
    """A page of a feed."""

    items: list[Item]
    next_cursor: str | None
    degraded: str | None = None

    @property
    def is_ranked(self) -> bool:
        """Whether it is ranked by all that is known: by a model, or by the formula."""
        return self.degraded in {None, "no model"}


class Walked(NamedTuple):
    """What was shown on end, what each page took, in ms, and how many were not ranked."""

    items: list[Item]
    took: list[float]
    degraded: int


class Shares(NamedTuple):
    """How much of a page was about something: before it was steered, after, and when undone."""

    before: float
    after: float
    undone: float | None = None


class Walker:
    """Somebody who was let in, with the token of their app."""

    def __init__(self, api: httpx.Client, handle: str, invitation: str | None) -> None:
        form = {
            "handle": handle,
            "email": f"{handle}@example.org",
            "password": uuid4().hex,
            "age_band": "18+",
            "invitation_code": invitation,
        }
        signed_up = api.post("/v1/accounts", json=form).raise_for_status().json()
        self._api = api
        self._headers = {"Authorization": f"Bearer {signed_up['access_token']}"}
        self._session, self._reports = uuid4(), 0
        self.account_id = UUID(signed_up["account_id"])

    def send(self, method: str, url: str, **request: Any) -> httpx.Response:
        """Send a request as this person.

        Raises:
            httpx.HTTPStatusError: it was refused.
        """
        answer = self._api.request(method, url, headers=self._headers, **request)
        return answer.raise_for_status()

    def page(self, kind: str, cursor: str | None) -> Page:
        """Return a page of a feed."""
        place = {"cursor": cursor} if cursor else {}
        answer = self.send("GET", "/v1/feed", params={"kind": kind, "limit": PAGE, **place})
        return msgspec.json.decode(answer.content, type=Page)

    def await_ranking(self) -> None:
        """Return once the feed is ranked by all that was recorded before this person came.

        Raises:
            NotRanked: it still is not after minutes.
        """
        self.send("PATCH", "/v1/me", json={"bio": "Out for a walk."})
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            page = self.page("for_you", None)
            if page.items and page.is_ranked:
                return
            if time.monotonic() > deadline:
                raise NotRanked(f"{len(page.items)} videos, degraded: {page.degraded}")
            time.sleep(_POLL_S)

    def walk(self, kind: str, items: int) -> Walked:
        """Follow the cursors for so many videos, and report that half of each was watched."""
        walked, cursor, degraded = Walked([], [], 0), None, 0
        while len(walked.items) < items:
            began = time.perf_counter()
            page = self.page(kind, cursor)
            walked.took.append(1000 * (time.perf_counter() - began))
            walked.items.extend(page.items)
            degraded += not page.is_ranked
            if page.items:
                self._watch(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        return walked._replace(degraded=degraded)

    def ask_less(self, topics: Callable[[Sequence[UUID]], Sequence[int]]) -> Shares:
        """Ask for less like the most frequent topic of a page, and look at the next page."""
        page = self.page("for_you", None)
        about = topics([item.video_id for item in page.items])
        topic, times = Counter(about).most_common(1)[0]
        like = [item for item, its in zip(page.items, about, strict=True) if its == topic]
        for item in like[:_LESS_OF]:
            self.send("POST", "/v1/feed/less", json={"video_id": str(item.video_id)})
        following = self.page("for_you", page.next_cursor)
        after = topics([item.video_id for item in following.items])
        return Shares(times / len(about), after.count(topic) / max(1, len(after)))

    def steer(self, say: str, word: str) -> Shares:
        """Say what the feed should be like, then undo it; each time look at the top of it."""
        before = self._share(word)
        rules = self.send("POST", "/v1/feed/steer", json={"say": say})
        after = self._share(word)
        if rules.is_success:
            self.send("DELETE", "/v1/feed/steer")
        return Shares(before, after, self._share(word))

    def _share(self, word: str) -> float:
        items = self.page("for_you", None).items
        return sum(word in item.prompt for item in items) / max(1, len(items))

    def _watch(self, items: Sequence[Item]) -> None:
        views = [
            {"view_token": item.view_token, "watched_ms": item.duration_ms // 2, "loops": 0}
            for item in items
        ]
        report = {"session": str(self._session), "sequence": self._reports, "views": views}
        self.send("POST", "/v1/views", json=report)
        self._reports += 1
