"""The pages of explore, of the search, and of a hashtag, over HTTP."""

from collections.abc import Callable

from litestar import Litestar
from litestar.testing import TestClient

from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish

People = Callable[[str], Person]
ATTACK = '"><script>alert("fox")</script> #fox'


def test_what_trends_and_what_is_found_is_shown_as_text(
    person: People, api: TestClient[Litestar], log: Log
) -> None:
    alice = person("alice")
    video = publish(log, alice.account_id, ATTACK)
    alice.put(f"/v1/videos/{video.id}/like")

    pages = {
        path: api.get(path)
        for path in ("/web/explore", "/web/search?typed=fox", "/web/hashtags/fox")
    }

    for page in pages.values():
        assert page.status_code == 200
        assert f'href="/videos/{video.id}"' in page.text
        assert "<script" not in page.text
    assert 'href="/hashtags/fox"' in pages["/web/explore"].text
    assert 'href="/accounts/alice"' in pages["/web/explore"].text
    found = api.get("/web/search", params={"typed": ATTACK}, headers={"HX-Request": "true"})
    assert found.headers["hx-push-url"].startswith("/search?typed=%22%3E%3Cscript")
    assert "<script" not in found.text


def test_the_addresses_open_their_fragments(api: TestClient[Litestar]) -> None:
    for path in ("/explore", "/search?typed=a+fox", "/hashtags/fox"):
        assert f'data-fragment="/web{path}"' in api.get(path).text


def test_where_nothing_is_one_is_told_where_to_go_on(api: TestClient[Litestar]) -> None:
    assert "Nothing trends yet" in api.get("/web/explore").text
    assert "No video is like that" in api.get("/web/search?typed=fox").text
    assert "What would you like to see" in api.get("/web/search").text
    assert "No video that you can see says #fox" in api.get("/web/hashtags/fox").text


def test_more_is_asked_for_with_the_same_words(person: People, log: Log) -> None:
    alice = person("alice")
    videos = [publish(log, alice.account_id, f"bear & #owl {n}") for n in range(26)]
    alice.put(f"/v1/videos/{videos[-1].id}/like")

    first = alice.get("/web/search", params={"typed": "bear & #owl"}).text
    start = first.index('hx-get="/web/search?cursor=') + len('hx-get="')
    url = first[start : first.index('"', start)].replace("&amp;", "&")
    rest = alice.get(url).text

    assert "typed=bear+%26+%23owl" in url
    shown = [video for video in videos if f"/videos/{video.id}" in first + rest]
    assert len(shown) == 26
    assert rest.count('class="tile"') == 2
