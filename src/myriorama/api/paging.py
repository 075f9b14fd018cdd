"""Lists in pages: a page tells the opaque, signed cursor of the next."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from domain.errors import Invalid
from myriorama.store.signing import SignatureInvalid, Signer

Row = TypeVar("Row")
T = TypeVar("T")

_PURPOSE = "cursor"

PAGE_LIMIT = 20

FROM_OLDEST = (0,)
FROM_NEWEST = (2**62,)
"""Where a list by positions of a log starts that goes up, and one that goes down."""

PageLimit = Annotated[int, QueryParameter(ge=1, le=100, description="How many items at most.")]


class CursorInvalid(Invalid):
    """The cursor is not one that this list gave."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A stretch of a list; `next_cursor` is None at its end."""

    items: list[T]
    next_cursor: str | None = None


class Cursors:
    """Signs where a list is to go on, so that nobody can make up a place."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def write(self, listing: str, after: tuple[str | int, ...]) -> str:
        """Return the cursor behind the item that `after` names, in the list `listing`."""
        return self._signer.sign(_PURPOSE, msgspec.json.encode(after), about=listing.encode())

    def read(self, listing: str, cursor: str | None) -> tuple[str | int, ...] | None:
        """Return what `write` was given; None at the start of the list.

        Raises:
            CursorInvalid: it is not one of this list's.
        """
        if cursor is None:
            return None
        try:
            payload = self._signer.verify(_PURPOSE, cursor, about=listing.encode())
        except SignatureInvalid as error:
            raise CursorInvalid("The cursor is not one that this list gave.") from error
        return msgspec.json.decode(payload, type=tuple[str | int, ...])

    def page(
        self,
        listing: str,
        found: Sequence[Row],
        limit: int,
        *,
        item: Callable[[Row], T],
        place: Callable[[Row], tuple[str | int, ...]],
    ) -> Page[T]:
        """Return the page that begins with the rows found: one more was asked for than is shown.

        `item` makes of a row what is shown, and `place` what names its place in the list.
        """
        shown = found[:limit]
        more = len(found) > limit
        return Page(
            items=[item(row) for row in shown],
            next_cursor=self.write(listing, place(shown[-1])) if more else None,
        )
