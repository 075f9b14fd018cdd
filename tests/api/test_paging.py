"""Lists in pages: each item once and in its order, and no place that a list did not give."""

import pytest

from myriorama.api.paging import CursorInvalid, Cursors, Page
from myriorama.store.signing import Signer

CURSORS = Cursors(Signer(b"a secret of this test, and long enough"))


def page_after(cursor: str | None, limit: int, *, of: int) -> Page[str]:
    (after,) = CURSORS.read("numbers", cursor) or (0,)
    found = [number for number in range(1, of + 1) if number > int(after)][: limit + 1]
    return CURSORS.page("numbers", found, limit, item=str, place=lambda number: (number,))


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
def test_a_list_read_page_by_page_shows_each_item_once_in_its_order(limit: int) -> None:
    pages = [page_after(None, limit, of=6)]

    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(page_after(cursor, limit, of=6))

    assert [item for page in pages for item in page.items] == ["1", "2", "3", "4", "5", "6"]
    assert len(pages) == -(-6 // limit)


def test_a_list_of_nothing_is_one_empty_page() -> None:
    assert page_after(None, 20, of=0) == Page(items=[], next_cursor=None)


def test_the_cursor_of_another_list_is_refused() -> None:
    cursor = page_after(None, 2, of=6).next_cursor

    with pytest.raises(CursorInvalid):
        CURSORS.read("letters", cursor)
