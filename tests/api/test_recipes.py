"""Storyboards, extensions, stitches, remakes and remixes over HTTP, and what is wrong with them."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from myriorama.application.work import Works
from tests.api.generating import (
    GPU,
    SignUp,
    hand_out,
    left,
    lend,
    seen,
    upload,
)
from tests.people import Person

SHOTS = [{"prompt": "a heron wades", "seconds": 2}, {"prompt": "it flies off", "seconds": 4}]


class Room:
    """Somebody, and a worker that makes what they ask for."""

    def __init__(self, who: Person, gpu: GPU, works: Works) -> None:
        self.who = who
        self.gpu = gpu
        self._works = works

    def post(self, path: str, **content: Any) -> Any:
        return self.who.post(f"/v1/generations{path}", json=content)

    def submitted(self, path: str = "", **content: Any) -> str:
        answer = self.post(path, **content)
        assert answer.status_code == 201, answer.text
        generation_id: str = answer.json()["generation_id"]
        return generation_id

    def work(self, generation_id: str) -> dict[str, Any]:
        hand_out(self._works, generation_id)
        claimed = self.gpu.claim(generation_id)
        assert claimed.status_code == 200, claimed.text
        work: dict[str, Any] = claimed.json()
        return work

    def made(self, path: str = "", **content: Any) -> str:
        generation_id = self.submitted(path, **content)
        self.work(generation_id)
        assert self.gpu.complete(generation_id).status_code == 204
        return generation_id

    def recipe(self, generation_id: str) -> dict[str, Any]:
        told: dict[str, Any] = seen(self.who, generation_id)["recipe"]
        return told

    def refusal(self, path: str = "", **content: Any) -> tuple[int, str, str]:
        answer = self.post(path, **content)
        problem = answer.json()
        return answer.status_code, problem["code"], problem["detail"]


@pytest.fixture
def room(person: SignUp, gpu: GPU, works: Works) -> Room:
    return Room(person("alice"), gpu, works)


def test_a_storyboard_is_made_and_one_shot_of_it_comes_out_otherwise(room: Room) -> None:
    board = room.submitted(shots=SHOTS, seed=5)
    work = room.work(board)
    room.gpu.complete(board)
    before = left(room.who)

    again = room.submitted(f"/{board}/reroll", shot=1, seed=77)
    rerolled = room.work(again)

    first, second = work["shots"]
    told = room.recipe(again)
    assert (first["prompt"], second["seconds"], work["seconds"]) == ("a heron wades", 4, 6)
    assert [shot["seed"] for shot in rerolled["shots"]] == [first["seed"], 77]
    assert rerolled["rerolls"] == 1
    assert rerolled["rerolled_key"].startswith("masters/")
    assert (told["remake_of"], told["rerolls"], told["model"]) == (board, 1, "procedural-1")
    assert before - left(room.who) == 4


def test_a_video_goes_on_and_its_parts_are_joined(room: Room) -> None:
    fox = room.made(prompt="a fox leaps", orientation="square")
    rest = room.submitted(prompt="it rests", seconds=3, extends=fox)
    work = room.work(rest)
    room.gpu.complete(rest, transcript="Let me rest.")
    before = left(room.who)

    whole = room.submitted("/stitch", generation_ids=[fox, rest])
    joining = room.work(whole)

    told = seen(room.who, whole)
    assert work["extends_key"].startswith("masters/")
    assert (work["width"], work["height"], work["seconds"]) == (640, 640, 3)
    assert room.recipe(rest)["extends"] == fox
    assert joining["stitch_keys"][0] == work["extends_key"]
    assert [key.split("/")[0] for key in joining["stitch_captions"]] == ["captions", "captions"]
    assert joining["stitch_transcripts"] == ["Let me rest."]
    assert (told["seconds"], told["prompt"]) == (7, "a fox leaps / it rests")
    assert told["recipe"]["stitches"] == [fox, rest]
    assert left(room.who) == before


def test_what_was_published_goes_on_too_and_what_was_deleted_does_not(room: Room) -> None:
    fox = room.made(prompt="a fox leaps")
    video = room.who.post("/v1/videos", json={"generation_id": fox}).json()["video_id"]

    published = room.post("", prompt="it rests", extends=fox)
    room.who.delete(f"/v1/videos/{video}")
    deleted = room.refusal(prompt="it rests", extends=fox)

    assert published.status_code == 201
    assert deleted[:2] == (404, "generation_not_found")


def test_a_remake_has_the_same_recipe_to_the_seed(room: Room) -> None:
    board = room.made(shots=SHOTS)

    again = room.submitted(f"/{board}/remake")

    first, second = seen(room.who, board), seen(room.who, again)
    assert second["seed"] == first["seed"]
    assert second["recipe"]["shots"] == first["recipe"]["shots"]
    assert second["recipe"]["remake_of"] == board
    assert first["recipe"]["model_digest"] == "5e" * 32


def test_a_remix_is_the_parents_but_for_what_is_changed_and_takes_no_cameo_along(
    room: Room, person: SignUp, works: Works, gpu: GPU, tmp_path: Path
) -> None:
    bob = Room(person("bob"), gpu, works)
    cameo = lend(room.who, tmp_path, audience="everyone")
    fox = room.made(prompt="a fox leaps", orientation="landscape", seconds=3, cameo_ids=[cameo])
    video = room.who.post("/v1/videos", json={"generation_id": fox}).json()["video_id"]

    remix = bob.submitted(remix_of=video, resolution="720p")
    work = bob.work(remix)

    told = seen(bob.who, remix)
    assert (told["prompt"], told["seconds"]) == ("a fox leaps", 3)
    assert (told["width"], told["height"], told["cameo_ids"]) == (1280, 704, [])
    assert told["seed"] != seen(room.who, fox)["seed"]
    assert work["parent_video_key"].startswith("videos/")
    assert work["parent_title"] == "a fox leaps"


def test_who_is_in_a_video_has_a_say_in_what_goes_on_from_it(
    room: Room, person: SignUp, works: Works, gpu: GPU, tmp_path: Path
) -> None:
    bob = Room(person("bob"), gpu, works)
    cameo = lend(room.who, tmp_path)
    permission = f"/v1/cameos/{cameo}/permissions/{bob.who.account_id}"
    room.who.put(permission, json={"verdict": "granted"})
    fox = bob.submitted(prompt="a fox leaps", cameo_ids=[cameo])
    work = bob.work(fox)
    gpu.complete(fox)
    extended = bob.submitted(prompt="it rests", extends=fox)

    room.who.put(permission, json={"verdict": "denied"})
    refusals = [
        bob.refusal(prompt="it rests", extends=fox),
        bob.refusal("/stitch", generation_ids=[fox, fox]),
        bob.refusal(f"/{fox}/remake"),
    ]

    assert work["consents"] == [
        {"cameo_id": cameo, "owner_id": str(room.who.account_id), "permission": "granted"}
    ]
    assert work["cameos"][0]["cameo_id"] == cameo
    assert seen(bob.who, extended)["cameo_ids"] == [cameo]
    assert {refusal[:2] for refusal in refusals} == {(403, "casting_forbidden")}


def test_what_others_made_is_not_there(room: Room, person: SignUp) -> None:
    fox, mallory = room.made(prompt="a fox leaps"), person("mallory")

    answers = [
        mallory.post("/v1/generations", json={"prompt": "it rests", "extends": fox}),
        mallory.post("/v1/generations/stitch", json={"generation_ids": [fox, fox]}),
        mallory.post(f"/v1/generations/{fox}/remake"),
        mallory.post(f"/v1/generations/{fox}/reroll", json={"shot": 0}),
    ]

    assert {answer.json()["code"] for answer in answers} == {"generation_not_found"}
    assert {answer.status_code for answer in answers} == {404}


def test_what_cannot_be_made_is_told_with_what_can_and_costs_nothing(room: Room) -> None:
    small, square = room.made(prompt="a fox"), room.made(prompt="a fox", orientation="square")
    waiting = room.submitted(prompt="a fox")
    before = left(room.who)
    shot = SHOTS[0]

    wrong: dict[str, dict[str, Any]] = {
        "storyboard_invalid": {"shots": SHOTS, "seconds": 7},
        "model_cannot": {"shots": [{**shot, "seconds": 1}, shot]},
        "model_unknown": {"prompt": "a fox", "model": "sora-9"},
        "length_invalid": {"prompt": "a fox", "seconds": 16},
        "prompt_invalid": {},
        "extension_invalid": {"prompt": "it rests", "extends": small, "orientation": "square"},
        "generation_not_found": {"prompt": "it rests", "extends": waiting},
        "upload_not_found": {"prompt": "a fox", "image_upload_id": str(uuid4())},
    }
    told = {code: room.refusal(**wish) for code, wish in wrong.items()}
    stitched = room.refusal("/stitch", generation_ids=[small, square])
    rolled = room.refusal(f"/{small}/reroll", shot=0)

    assert {code: refusal[1] for code, refusal in told.items()} == {code: code for code in wrong}
    assert "6 seconds together, and the video 7" in told["storyboard_invalid"][2]
    assert "2 to 15 seconds" in told["model_cannot"][2]
    assert "procedural-1" in told["model_unknown"][2]
    assert stitched[:2] == (422, "stitch_invalid")
    assert "480x832, 640x640" in stitched[2]
    assert rolled[:2] == (422, "shot_unknown")
    assert left(room.who) == before


def test_what_is_out_of_all_bounds_is_no_request(room: Room) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("", {"shots": [SHOTS[0]] * 9}),
        ("", {"prompt": "x" * 2001}),
        ("", {"prompt": "a fox", "seconds": 31}),
        ("/stitch", {"generation_ids": [str(uuid4())]}),
        ("/stitch", {"generation_ids": [str(uuid4())] * 9}),
        (f"/{uuid4()}/reroll", {"shot": 8}),
    ]

    answers = [room.post(path, **content) for path, content in wrong]

    assert {answer.status_code for answer in answers} == {400}


def test_a_picture_for_the_last_frame_is_for_models_that_take_one(
    room: Room, tmp_path: Path
) -> None:
    wish = {"prompt": "a fox", "last_image_upload_id": upload(room.who, tmp_path)}

    status, code, detail = room.refusal(**wish)

    assert (status, code) == (422, "model_cannot")
    assert "begin with an image" in detail


def test_what_the_screening_refuses_is_told_at_once_and_takes_nothing(room: Room) -> None:
    before = left(room.who)

    answer = room.post("", prompt="a naked child")
    told = seen(room.who, answer.json()["generation_id"])

    assert (answer.status_code, answer.json()["state"]) == (201, "refused")
    assert (told["state"], told["reason"]) == ("refused", answer.json()["reason"])
    assert "refuse" in {verdict["verdict"] for verdict in told["recipe"]["verdicts"]}
    assert left(room.who) == before


def test_a_video_that_the_frames_refuse_is_reachable_for_nobody(room: Room, gpu: GPU) -> None:
    fox = room.submitted(prompt="a fox leaps")
    room.work(fox)
    verdict = {"stage": "frames", "check": "skin", "version": "1", "verdict": "refuse"}

    answer = gpu.complete(fox, verdicts=[{**verdict, "code": "nudity", "detail": "Frame 3."}])
    told = seen(room.who, fox)

    assert answer.status_code == 204
    assert (told["state"], told["reason"]) == ("refused", "nudity")
    assert (told["video_url"], told["sprite_url"], told["captions_url"]) == (None, None, None)
    assert room.who.post("/v1/videos", json={"generation_id": fox}).status_code == 404
    assert left(room.who) == 296
