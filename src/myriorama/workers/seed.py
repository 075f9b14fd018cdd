"""A small living world: people who follow one another, and what they have made, through the API."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import structlog

logger = structlog.get_logger(__name__)

_PATIENCE_S = 300.0
_POLL_S = 0.5
_ENDS = frozenset({"failed", "refused", "cancelled", "rejected", "withdrawn"})


@dataclass(frozen=True)
class Inhabitant:
    """Somebody of a world, and the prompts of what they publish.

    What `casts` them is rendered with their own cameo, which everybody may cast: its face is the
    picture of what they published first.
    """

    handle: str
    display_name: str
    bio: str
    prompts: Sequence[str]
    casts: Sequence[str] = ()


class Done(NamedTuple):
    """What was done; `generation_id` is of what was published, if something was."""

    said: str
    generation_id: UUID | None = None


WORLD = (
    Inhabitant(
        "luna",
        "Luna",
        "Night animals, gently.",
        ("a fox jumps on a green meadow", "an owl flies at night under the stars"),
    ),
    Inhabitant(
        "otto",
        "Otto",
        "Everything that rolls.",
        ("a red ball bounces on the beach", "a car rolls through the city in the rain"),
    ),
    Inhabitant(
        "mira",
        "Mira",
        "Space, mostly.",
        ("a rocket flies through space", "a star spins on a purple stage"),
    ),
    Inhabitant(
        "juno",
        "Juno",
        "Deep water.",
        ("an octopus dances under water", "a fish swims in the sea"),
    ),
)


class Operator(NamedTuple):
    """What only whoever runs the house can do: let people in, and give scopes.

    `admit` issues an access token for who has an account, for as long as a request takes, with the
    scopes that are named: so what was interrupted goes on, though nobody knows their passwords.
    """

    invite: Callable[[], str]
    appoint: Callable[[str, Sequence[str]], object]
    admit: Callable[[UUID, Sequence[str]], str]


class WorldIncomplete(RuntimeError):
    """Something of the small world could not be made; what was made stays."""


def seed(api: httpx.Client, operator: Operator) -> Iterator[str]:
    """Bring the small world to life, or what of it is missing. Yields what is done.

    Args:
        api: a client whose base URL is the API's.
        operator: lets people in.

    Raises:
        WorldIncomplete: a generation failed, or took longer than five minutes.
    """
    yield from (done.said for done in move_in(api, operator, WORLD) if done.said)


def move_in(
    api: httpx.Client, operator: Operator, inhabitants: Sequence[Inhabitant]
) -> Iterator[Done]:
    """Let people sign up, follow one another and publish; what is there already stays as it is.

    Yields each video that is there at last; of what was there before, nothing is said.

    Raises:
        WorldIncomplete: a generation failed, or took longer than five minutes.
    """
    people = [enter(api, operator, inhabitant) for inhabitant in inhabitants]
    if any(person.is_new for person in people):
        for person in people:
            for other in inhabitants:
                if other.handle != person.inhabitant.handle:
                    person.call("PUT", f"/v1/accounts/{other.handle}/follow")
        yield Done(f"{len(people)} people follow one another")
    waiting = [
        (person, prompt, person.ask(prompt))
        for person in people
        for prompt in person.inhabitant.prompts
    ]
    yield from _published(waiting)
    cast = [(person, person.record_cameo()) for person in people if person.inhabitant.casts]
    yield from _published(
        [
            (person, prompt, person.ask(prompt, cameo_id))
            for person, cameo_id in cast
            for prompt in person.inhabitant.casts
        ]
    )


def _published(waiting: "Sequence[tuple[Person, str, str]]") -> Iterator[Done]:
    for number, (person, prompt, generation_id) in enumerate(waiting, start=1):
        draft = person.await_completion(generation_id)
        is_new = person.publish(draft, prompt.capitalize())
        said = f"{number} of {len(waiting)} videos: {prompt}" if is_new else ""
        yield Done(said, UUID(generation_id))


class Person:
    """Somebody who has signed up, and does what they want through the API."""

    def __init__(
        self,
        api: httpx.Client,
        inhabitant: Inhabitant,
        token_with: Callable[[Sequence[str]], str],
        *,
        is_new: bool,
    ) -> None:
        self._api = api
        self._token_with = token_with
        self.scopes: tuple[str, ...] = ("viewer", "creator")
        self.inhabitant = inhabitant
        self.is_new = is_new
        self.poster_url = ""

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token_with(self.scopes)}"}

    def call(self, method: str, url: str, body: object = None) -> Any:
        """Send a request, and return what is answered.

        Raises:
            WorldIncomplete: it was refused.
        """
        answer = self._api.request(method, url, json=body, headers=self._headers)
        if answer.is_error:
            raise WorldIncomplete(f"{method} {url}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def ask(self, prompt: str, *cameo_ids: str) -> str:
        """Have a video made, unless it is already, or is being; return its generation."""
        asked = self.call("GET", "/v1/generations?limit=100")["items"]
        for generation in asked:
            if generation["prompt"] == prompt and generation["state"] not in _ENDS:
                return str(generation["generation_id"])
        return str(
            self.call("POST", "/v1/generations", wanted(prompt, *cameo_ids))["generation_id"]
        )

    def publish(self, draft: Any, caption: str) -> bool:
        """Publish a draft to everybody; return whether it was not published yet."""
        self.poster_url = self.poster_url or str(draft["poster_url"])
        waiting = self.call("GET", "/v1/drafts")["items"]
        if all(each["generation_id"] != draft["generation_id"] for each in waiting):
            return False
        publication = {"caption": caption, "visibility": "public", "remixable": True}
        self.call("POST", "/v1/videos", {"generation_id": draft["generation_id"], **publication})
        return True

    def record_cameo(self) -> str:
        """Record a cameo of the picture of what was published first, or find it; return its ID."""
        for cameo in self.call("GET", "/v1/cameos?limit=100")["items"]:
            if cameo["name"] == self.inhabitant.handle and cameo["state"] == "active":
                return str(cameo["cameo_id"])
        picture = self._api.get(self.poster_url).raise_for_status()
        upload = self._api.post(
            "/v1/uploads",
            files={"file": ("face.jpg", picture.content)},
            data={"purpose": "image"},
            headers=self._headers,
        ).raise_for_status()
        form = {"name": self.inhabitant.handle, "audience": "everyone"}
        cameo = self.call(
            "POST", "/v1/cameos", {**form, "face_upload_id": upload.json()["upload_id"]}
        )
        return str(cameo["cameo_id"])

    def await_completion(self, generation_id: str) -> Any:
        """Return a generation once it is completed.

        Raises:
            WorldIncomplete: it failed, or takes too long.
        """
        return self.await_state(f"/v1/generations/{generation_id}", "completed")

    def await_state(self, url: str, state: str) -> Any:
        """Return what is to be read there once it is in a state.

        Raises:
            WorldIncomplete: it came to another end, or takes too long.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            found = self.call("GET", url)
            if found["state"] == state:
                return found
            if found["state"] in _ENDS:
                raise WorldIncomplete(f"{url}: {found}")
            time.sleep(_POLL_S)
        raise WorldIncomplete(f"{url} took longer than {_PATIENCE_S:.0f} s")


def enter(api: httpx.Client, operator: Operator, inhabitant: Inhabitant) -> Person:
    """Let somebody sign up, or in who has before.

    Raises:
        WorldIncomplete: they were refused.
    """
    known = api.get(f"/v1/accounts/{inhabitant.handle}")
    if known.is_success:
        of = UUID(known.json()["account_id"])
        return Person(api, inhabitant, partial(operator.admit, of), is_new=False)
    answer = api.post(
        "/v1/accounts",
        json={
            "handle": inhabitant.handle,
            "display_name": inhabitant.display_name,
            "email": f"{inhabitant.handle}@example.org",
            # Nobody signs in as them again: the password is forgotten at once.
            "password": secrets.token_urlsafe(24),
            "age_band": "18+",
            "invitation_code": operator.invite(),
        },
    )
    if answer.is_error:
        raise WorldIncomplete(f"{inhabitant.handle}: {answer.status_code} {answer.text}")
    admitted = partial(operator.admit, UUID(answer.json()["account_id"]))
    person = Person(api, inhabitant, admitted, is_new=True)
    person.call("PATCH", "/v1/me", {"bio": inhabitant.bio})
    return person


def wanted(prompt: str, *cameo_ids: str) -> dict[str, object]:
    """Return what is sent to ask for an upright video of four seconds."""
    size = {"seconds": 4, "orientation": "portrait", "resolution": "480p"}
    return {"prompt": prompt, "cameo_ids": cameo_ids, **size}
