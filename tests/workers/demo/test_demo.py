"""The demo world: prompts say what their clips show, and its crowd lives as people do."""

from collections import Counter

import numpy as np
import pytest

from myriorama.studio import wording
from myriorama.workers.demo.creators import CREATORS, WORDINGS
from myriorama.workers.demo.crowd import ORIGINAL, Crowd, Ints, first_of_crowd
from myriorama.workers.demo.populating import THEMES
from myriorama.workers.seed import Inhabitant


def places(found: Ints) -> list[int]:
    listed: list[int] = found.tolist()
    return listed


@pytest.mark.parametrize("creator", CREATORS, ids=lambda creator: str(creator.handle))
def test_all_that_a_prompt_says_is_drawn_in_whichever_words_it_is_said(
    creator: Inhabitant,
) -> None:
    for prompt in (*creator.prompts, *creator.casts):
        cameos = [creator.handle] if prompt in creator.casts else []

        drawn = wording.read(prompt, cameos)

        assert all(subject.drawing or subject.cameo == 0 for subject in drawn.subjects), prompt
        assert drawn.setting.place is not None, prompt
        for words in WORDINGS:
            assert wording.read(words.format(prompt), cameos) == drawn


def test_whoever_moves_in_first_tells_that_a_crowd_is_there() -> None:
    for people in (10, 300):
        assert Crowd([0, 1, 2], people=people).people[0].handle == first_of_crowd()


def test_the_same_seed_draws_the_same_crowd_and_another_another() -> None:
    one, same, other = (Crowd([0, 1, 2], people=20, seed=seed) for seed in (1, 1, 2))

    assert one.works(50) == same.works(50) != other.works(50)


def test_nobody_follows_themselves_watches_twice_or_remixes_what_is_not_there_yet() -> None:
    crowd = Crowd(list(THEMES.values()), people=30)

    follows = dict(crowd.follows())
    works = crowd.works(200)
    sessions = list(crowd.sessions(works, each=40))

    assert all(who not in others for who, others in follows.items())
    assert all(work.parent < number for number, work in enumerate(works))
    assert 20 < sum(work.parent != ORIGINAL for work in works) < 100
    watched = Counter((each.viewer, video) for each in sessions for video in places(each.videos))
    assert set(watched.values()) == {1}
    assert all(works[video].author != viewer for viewer, video in watched)


def test_people_watch_to_the_end_what_they_like() -> None:
    crowd = Crowd(list(THEMES.values()), people=30)
    themes = list(THEMES.values())
    works = crowd.works(200)

    shares: dict[bool, list[float]] = {True: [], False: []}
    for each in crowd.sessions(works, each=40):
        interests = crowd.people[each.viewer].interests
        for video, share in zip(places(each.videos), each.shares, strict=True):
            shares[themes[works[video].clip] in interests].append(float(share))

    assert np.mean(shares[True]) > 3 * np.mean(shares[False])
