"""The pages as people use them: by clicks, in a real browser, on a whole house."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright

from myriorama.application.demo_world import DemoWorld, Newcomer, Showing
from myriorama.application.passwords import Passwords
from myriorama.store.log import Log
from myriorama.store.postgres import open_pool
from myriorama.workers.programs import furnished
from tests.e2e.conftest import House
from tests.people import PASSWORD

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)
# A browser that says it has no head is a crawler, and nothing is charged for its ads.
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36"
)
PATIENCE_MS = 30_000
RENDER_MS_MAX = 180_000

PLAYS_WITH_SOUND = """() => {
    const video = document.querySelector(".slide.current video");
    return video && !video.paused && video.currentTime > 0.2 && video.videoWidth > 0
        && video.webkitAudioDecodedByteCount > 0;
}"""

# Progress may pass faster than a test can look: it is noted as it is shown.
NOTE_PROGRESS = """() => {
    window.progress = [];
    new MutationObserver(() => {
        const state = document.querySelector(".live [data-state]");
        if (state) window.progress.push(state.textContent);
    }).observe(document, { subtree: true, childList: true, characterData: true });
}"""


@dataclass
class Visitor:
    """Somebody with a phone of their own, and what its console said."""

    page: Page
    house: House
    console: list[str] = field(default_factory=list[str])

    def open(self, path: str) -> None:
        self.page.goto(f"{self.house.url}{path}")

    def sign_up(self, handle: str) -> None:
        """Follow the link of an invitation, and sign up."""
        self.open(f"/?invitation={self.house.invitation()}")
        self.page.get_by_label("Handle", exact=True).fill(handle)
        self.page.get_by_label("E-mail", exact=True).fill(f"{handle}@example.org")
        self.page.locator("#sign-up").get_by_label("Password").fill(PASSWORD)
        self.page.get_by_label("Age").select_option("18+")
        self.page.get_by_role("button", name="Sign up").click()
        expect(self.page.get_by_role("navigation", name="Feeds")).to_be_visible()

    def sign_in(self, handle: str) -> None:
        """Sign in again, with the scopes that one has by now."""
        self.page.evaluate("localStorage.clear()")
        self.open("/")
        self.page.get_by_text("I have an account").click()
        self.page.get_by_label("Handle or e-mail").fill(handle)
        self.page.locator("#sign-in").get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("navigation", name="Feeds")).to_be_visible()

    def go(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()

    def generate(self, prompt: str) -> None:
        """Ask for a video, watch its progress, and wait for the draft."""
        self.page.evaluate(NOTE_PROGRESS)
        self.page.get_by_label("What shall happen?").fill(prompt)
        self.page.get_by_role("button", name="Generate").click()
        draft = self.page.locator(".draft video")
        expect(draft).to_be_visible(timeout=RENDER_MS_MAX)
        expect(draft).to_have_attribute("aria-label", f"Draft: {prompt}")

    def publish(self, caption: str) -> None:
        self.page.get_by_label("Caption").fill(caption)
        self.page.get_by_role("button", name="Publish").click()
        expect(self.page.locator(".slide").first).to_contain_text(caption)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("There is no Chromium on the PATH: `make test` installs it, or says how.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def arrive(
    browser: Browser, house: House, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Visitor]]:
    """Let somebody come with a phone of their own; if the test fails, tell what the phones said."""
    visitors: list[Visitor] = []

    def arrive() -> Visitor:
        context = browser.new_context(
            viewport={"width": 390, "height": 844},
            has_touch=True,
            is_mobile=True,
            user_agent=PHONE,
        )
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context.new_page(), house)
        visitor.page.on("console", lambda said: visitor.console.append(said.text))
        visitor.page.on("pageerror", lambda error: visitor.console.append(str(error)))
        visitors.append(visitor)
        return visitor

    expect.set_options(timeout=PATIENCE_MS)
    failures = request.session.testsfailed
    yield arrive
    for visitor in visitors:
        visitor.page.context.close()
    if request.session.testsfailed > failures:
        said = "\n".join(line for visitor in visitors for line in visitor.console)
        print(f"== console\n{said}\n{house.logs()}")  # noqa: T201 - pytest shows it of failures


def test_a_sentence_becomes_a_video_that_a_follower_sees_likes_and_remixes(
    arrive: Callable[[], Visitor],
) -> None:
    alice, bob = arrive(), arrive()
    alice.sign_up("alice_clicks")
    bob.sign_up("bob_clicks")
    bob.open("/accounts/alice_clicks")
    bob.page.get_by_role("button", name="Follow alice_clicks").click()

    alice.go("Create")
    alice.generate("a fox jumps on a green meadow")
    alice.publish("The first jump")
    alice.page.wait_for_function(PLAYS_WITH_SOUND)

    assert any("Being drawn" in state for state in alice.page.evaluate("window.progress"))
    with bob.page.expect_response(_is_counted_view) as counted:
        bob.go("Home")
        expect(bob.page.locator(".slide")).to_contain_text("The first jump")
        bob.page.wait_for_function(PLAYS_WITH_SOUND)
    assert counted.value.json()["accepted"] == 1
    expect(bob.page.locator(".slide .badge")).to_have_text("AI generated")
    _like_and_comment(bob.page)
    bob.page.get_by_role("link", name="Remix").click()
    expect(bob.page.get_by_label("What shall happen?")).to_have_value(
        "a fox jumps on a green meadow"
    )
    bob.generate("an owl flies under the stars")
    bob.publish("The owl answers")
    bob.page.get_by_role("link", name="See what this remixes").first.click()
    slide = bob.page.locator(".slide")
    expect(slide).to_have_count(1)
    expect(slide.get_by_role("link", name="Remix", exact=True)).to_have_text("1")
    expect(slide.locator('[data-toggle$="/like"]')).to_have_text("1")
    expect(slide).to_contain_text(" view")
    assert not _failures(alice) + _failures(bob)


def test_who_signs_out_everywhere_is_out_on_every_phone(arrive: Callable[[], Visitor]) -> None:
    first, second = arrive(), arrive()
    first.sign_up("carol_clicks")
    second.open("/")
    second.page.get_by_text("I have an account").click()
    second.page.get_by_label("Handle or e-mail").fill("carol_clicks")
    second.page.locator("#sign-in").get_by_label("Password").fill("not the password")
    second.page.get_by_role("button", name="Sign in").click()
    expect(second.page.locator("#sign-in").get_by_role("alert")).not_to_be_empty()
    second.page.locator("#sign-in").get_by_label("Password").fill(PASSWORD)
    second.page.get_by_role("button", name="Sign in").click()
    expect(second.page.get_by_role("navigation", name="Feeds")).to_be_visible()

    first.go("You")
    first.page.get_by_role("button", name="Sign out everywhere", exact=True).click()

    expect(first.page.get_by_role("heading", name="Sign up")).to_be_visible()
    second.page.reload()
    expect(second.page.get_by_role("heading", name="Sign up")).to_be_visible()


def test_an_ad_is_paid_for_reviewed_seen_for_two_seconds_and_charged(
    arrive: Callable[[], Visitor], house: House
) -> None:
    alice, bob, carol = arrive(), arrive(), arrive()
    alice.sign_up("alice_sells")
    bob.sign_up("bob_looks")
    carol.sign_up("carol_reviews")
    house.command("appoint", "carol_reviews", "moderator")
    alice.go("Create")
    alice.generate("a kite flies over the beach")
    _publish_around(house, alice.page.locator(".draft").first.get_attribute("id") or "")

    console = _advertiser(alice)
    creative = _creative(alice)
    carol.sign_in("carol_reviews")
    carol.open("/ad-review")
    carol.page.get_by_label(re.compile("^Why")).first.fill("It is a kite.")
    carol.page.get_by_role("button", name="Approve").click()
    expect(carol.page.get_by_text("Nothing waits for a decision.")).to_be_visible()
    alice.open(creative)
    expect(alice.page.get_by_text("It may be shown.")).to_be_visible()
    _line_item(alice, console)

    bob.open("/latest")
    ad = bob.page.locator(".slide.ad")
    expect(bob.page.locator(".slide").first).to_be_visible()
    while not ad.count():  # a line may be shown from within a second on
        bob.page.reload()
        expect(bob.page.locator(".slide").first).to_be_visible()
    with bob.page.expect_request(_tells_viewable) as told:
        ad.first.scroll_into_view_if_needed()
    answer = told.value.response()
    assert answer
    assert answer.json()["refused"] == []
    expect(ad.first.locator(".sponsored")).to_have_text("Sponsored")
    expect(ad.first).to_contain_text("Paid for by Fox & Sons")
    link = ad.first.get_by_role("link", name="Shop now")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener nofollow sponsored")
    ad.first.get_by_role("button", name="Why this?").click()
    expect(bob.page.locator("#sheet")).to_contain_text("Fox & Sons (shop.example.com) pays")

    alice.open(f"{console}/reports")
    while alice.page.locator("#report-paid").inner_text() == "0.00 USD":  # until it is settled
        alice.page.reload()
        expect(alice.page.locator("#report-paid")).to_be_visible()
    assert alice.page.locator("#report-paid").inner_text().endswith(" USD")
    expect(alice.page.locator("#report-viewable")).to_contain_text("1")
    house.command("verify", "ledger")
    assert not _failures(alice) + _failures(bob) + _failures(carol)


def _publish_around(house: House, draft: str) -> None:
    """Let somebody publish videos that an ad may stand between."""
    with open_pool(furnished(house.home)["MYRIORAMA_DATABASE_URL"], size_max=1) as pool:
        world, now = DemoWorld(Log(pool), Passwords()), datetime.now(UTC)
        clip = world.clip(UUID(draft.removeprefix("draft-")))
        (author_id,) = world.open([Newcomer("dora_publishes", "Dora", "")], at=now)
        showings = [Showing(author_id, clip, clip.prompt, f"Kite {n}", None) for n in range(6)]
        world.publish(showings, at=now)


def _advertiser(alice: Visitor) -> str:
    """Open an advertiser and top up with a test card; return the address of its console."""
    page = alice.page
    alice.open("/advertise")
    page.get_by_label(re.compile("^Name")).fill("Fox & Sons")
    page.get_by_label(re.compile("^Website")).fill("10.0.0.1")
    page.get_by_label("What you sell").select_option("finance")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".wrong")).to_contain_text("A website is a public host")
    alice.console.clear()  # the browser tells of the refusal
    page.get_by_label(re.compile("^Website")).fill("shop.example.com")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".wallet .sum")).to_have_text("0.00 USD")
    page.get_by_role("button", name="Go on to pay").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.locator(".told")).to_contain_text("paid: it is in the wallet")
    expect(page.locator(".wallet .sum")).to_have_text("50.00 USD")
    return page.evaluate("location.pathname")  # type: ignore[no-any-return]  # of any page


def _creative(alice: Visitor) -> str:
    """Make the draft a creative, and submit it; return the address of its page."""
    page = alice.page
    page.get_by_role("link", name="Make one of a video of yours").click()
    expect(page.get_by_role("heading", name="A video of yours as an ad")).to_be_visible()
    page.get_by_label(re.compile("^Name")).fill("The kite")
    page.get_by_label("Headline").fill("It flies by itself")
    page.get_by_label("Button").select_option("shop_now")
    page.get_by_role("button", name="Draft it").click()
    page.get_by_role("button", name="Have it reviewed").click()
    expect(page.get_by_text("A person looks at it")).to_be_visible()
    return page.evaluate("location.pathname")  # type: ignore[no-any-return]  # of any page


def _line_item(alice: Visitor, console: str) -> None:
    """Open a campaign, and a line item in it that shows the creative to everybody."""
    page = alice.page
    alice.open(console)
    page.locator("form[data-goto*=campaigns]").get_by_label("Name").fill("Spring")
    page.get_by_role("button", name="Open the campaign").click()
    form = page.locator("form[data-goto*=line-items]")
    form.get_by_label("Name").fill("Everybody")
    form.get_by_label(re.compile("As soon as it can")).check()
    form.get_by_role("button", name="Open the line item").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("h1 .state")).to_have_text("active")


def _tells_viewable(request: Request) -> bool:
    return request.url.endswith("/v1/ad-events") and '"viewable"' in (request.post_data or "")


def _like_and_comment(page: Page) -> None:
    like = page.get_by_role("button", name="Like", exact=True)
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_have_text("1")
    page.get_by_role("button", name="Comments").click()
    page.get_by_label("Write a comment").fill("What a fox!")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".comment")).to_contain_text("What a fox!")
    page.get_by_role("button", name="Reply").click()
    page.get_by_label("Write a comment").fill("It jumps again.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Show 1 reply").click()
    expect(page.locator(".replies .comment")).to_contain_text("It jumps again.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Comments")).to_have_text("2")


def _is_counted_view(response: Response) -> bool:
    return response.url.endswith("/v1/views") and response.ok


def _failures(visitor: Visitor) -> list[str]:
    return [line for line in visitor.console if "rror" in line or "refused" in line.lower()]
