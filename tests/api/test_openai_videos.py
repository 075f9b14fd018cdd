"""Videos in OpenAI's shape: what its clients send to `/v1/videos`, and what they are answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from myriorama.application.work import Works
from myriorama.store.log import Log
from tests.api.generating import GPU, hand_out, left, seen
from tests.drafts import draft
from tests.people import Person
from tests.studio.foreign_media import photo, two_colours

SignUp = Callable[[str], Person]
WISH = {"prompt": "a fox jumps over a brook", "seconds": "4", "size": "480x832"}


def create(who: Person, **wish: Any) -> dict[str, Any]:
    answer = who.post("/v1/videos", json={**WISH, **wish})
    assert answer.status_code == 200, answer.text
    video: dict[str, Any] = answer.json()
    return video


def generation_of(video: dict[str, Any]) -> str:
    return str(UUID(hex=video["id"].removeprefix("video_")))


def test_a_video_is_told_as_it_goes_on_and_fetched_when_it_is_done(
    person: SignUp, gpu: GPU, works: Works
) -> None:
    alice = person("alice")
    video = create(alice, model="sora-2")
    url = f"/v1/videos/{video['id']}"
    early = alice.get(f"{url}/content")
    hand_out(works, generation_of(video))
    gpu.claim(generation_of(video))
    rendering = alice.get(url).json()
    gpu.complete(generation_of(video))

    done = alice.get(url).json()
    content = alice.get(f"{url}/content")

    assert (video["object"], video["status"], video["progress"]) == ("video", "queued", 0)
    assert (video["model"], video["seconds"], video["size"]) == ("procedural-1", "4", "480x832")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "video_not_ready")
    assert rendering["status"] == "in_progress"
    assert (done["status"], done["progress"], done["error"]) == ("completed", 100, None)
    assert done["completed_at"] >= done["created_at"] == video["created_at"]
    assert content.status_code == 200
    assert content.content == f"video of {generation_of(video)}".encode()


def test_a_form_with_a_picture_asks_for_the_same(person: SignUp, tmp_path: Path) -> None:
    alice = person("alice")
    picture = photo(tmp_path / "fox.jpg", two_colours(64, 64)).read_bytes()

    made = alice.post("/v1/videos", data=WISH, files={"input_reference": ("fox.jpg", picture)})
    wrong = alice.post("/v1/videos", data=WISH, files={"input_reference": ("fox.jpg", b"no")})

    assert made.status_code == 200, made.text
    assert seen(alice, generation_of(made.json()))["image_upload_id"]
    assert wrong.status_code == 422
    assert wrong.json()["error"]["type"] == "invalid_request_error"


def test_what_cannot_be_is_refused_in_both_shapes_of_errors(person: SignUp) -> None:
    alice = person("alice")
    wrongs: list[dict[str, Any]] = [
        {"size": "1024x1792"},
        {"seconds": "99"},
        {"model": "sesame-3"},
        {"prompt": ""},
    ]

    answers = [alice.post("/v1/videos", json={**WISH, **wrong}) for wrong in wrongs]
    nobody = alice.client.get("/v1/videos")

    told = [(answer.status_code, answer.json()["error"]["code"]) for answer in answers]
    assert told == [
        (422, "size_unknown"),
        (422, "length_invalid"),
        (422, "model_unknown"),
        (400, "invalid_request"),
    ]
    size = answers[0].json()
    assert size["code"] == size["error"]["code"]
    assert size["error"]["param"] == "size"
    assert "480x832" in size["error"]["message"]
    assert "720x1280" in size["error"]["message"]
    assert (nobody.status_code, nobody.json()["error"]["type"]) == (401, "authentication_error")
    assert left(alice) == 300


def test_what_is_refused_has_failed_with_its_reason(person: SignUp) -> None:
    alice = person("alice")

    video = create(alice, prompt="a nude statue in a museum")

    read = alice.get(f"/v1/videos/{video['id']}").json()
    assert (video["status"], video["error"]["code"]) == ("failed", "sexual_content")
    assert read["error"] == {
        "code": "sexual_content",
        "message": "Nudity and sexual acts are not made here.",
    }


def test_videos_are_listed_page_by_page_either_way(person: SignUp) -> None:
    alice = person("alice")
    made = [create(alice, prompt=f"a fox and {number} hares")["id"] for number in range(3)]

    page = alice.get("/v1/videos", params={"limit": 2}).json()
    rest = alice.get("/v1/videos", params={"after": page["last_id"]}).json()
    oldest = alice.get("/v1/videos", params={"limit": 1, "order": "asc"}).json()
    wrong = alice.get("/v1/videos", params={"after": "video_1"})

    assert [video["id"] for video in page["data"]] == [made[2], made[1]]
    assert (page["object"], page["has_more"]) == ("list", True)
    assert ([video["id"] for video in rest["data"]], rest["has_more"]) == ([made[0]], False)
    assert oldest["last_id"] == made[0]
    assert wrong.status_code == 404


def test_a_remix_says_of_what_it_is_one_and_what_is_deleted_is_gone(
    person: SignUp, log: Log
) -> None:
    alice = person("alice")
    of = f"video_{draft(log, alice.account_id).hex}"
    alice.post("/v1/invitations")  # answered once all before it can be read

    remix = alice.post(f"/v1/videos/{of}/remix", json={"prompt": "a bear jumps"}).json()
    read = alice.get(f"/v1/videos/{remix['id']}").json()
    deleted = [alice.delete(f"/v1/videos/{one}").json() for one in (of, remix["id"])]

    assert remix["remixed_from_video_id"] == read["remixed_from_video_id"] == of
    assert (read["prompt"], read["seconds"], read["size"]) == ("a bear jumps", "4", "480x832")
    assert deleted[0] == {"id": of, "object": "video.deleted", "deleted": True}
    assert alice.get(f"/v1/videos/{of}").status_code == 404
    assert alice.get("/v1/videos").json()["data"] == []


def test_what_was_stitched_is_remixed_by_the_default_model_as_long_as_that_can(
    person: SignUp, gpu: GPU, works: Works, log: Log
) -> None:
    alice = person("alice")
    parts = [str(draft(log, alice.account_id)) for _ in range(5)]
    alice.post("/v1/invitations")  # answered once all before it can be read
    stitch = alice.post("/v1/generations/stitch", json={"generation_ids": parts}).json()
    hand_out(works, stitch["generation_id"])
    gpu.claim(stitch["generation_id"])
    gpu.complete(stitch["generation_id"])
    url = f"/v1/videos/video_{UUID(stitch['generation_id']).hex}"

    whole = alice.get(url).json()
    remix = alice.post(f"{url}/remix", json={"prompt": "a bear jumps"})

    told = remix.json()
    read = alice.get(f"/v1/videos/{told['id']}").json()
    assert (whole["model"], whole["seconds"]) == ("stitcher-1", "20")
    assert remix.status_code == 200, remix.text
    assert (told["model"], told["seconds"], told["size"]) == ("procedural-1", "15", "480x832")
    assert (read["model"], read["seconds"]) == (told["model"], told["seconds"])
    assert read["remixed_from_video_id"] == whole["id"]


def test_what_is_published_is_deleted_as_a_video(person: SignUp, log: Log) -> None:
    alice = person("alice")
    made = draft(log, alice.account_id)
    url = f"/v1/videos/video_{made.hex}"
    published = alice.post("/v1/videos", json={"generation_id": str(made)})

    refused = alice.delete(url)

    told = refused.json()["error"]
    assert published.status_code == 201, published.text
    assert (refused.status_code, told["code"]) == (409, "video_published")
    assert told["message"] == "It is published; delete the video."
    assert alice.get(url).json()["status"] == "completed"


def test_what_is_neither_json_nor_a_form_of_parts_is_told_of_both(person: SignUp) -> None:
    refused = person("alice").post("/v1/videos", data=WISH)

    assert refused.status_code == 415
    assert "application/json or multipart/form-data" in refused.json()["detail"]


def test_our_own_dialect_stays_at_the_same_path(person: SignUp, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    made = draft(log, alice.account_id)
    alice.post("/v1/invitations")  # answered once all before it can be read

    both = alice.post("/v1/videos", json={"generation_id": str(made), "prompt": "a fox"})
    neither = alice.post("/v1/videos", json={"caption": "a fox"})
    meddled = bob.get(f"/v1/videos/video_{made.hex}")

    assert [answer.status_code for answer in (both, neither)] == [400, 400]
    assert "error" not in both.json()
    assert meddled.status_code == 404
