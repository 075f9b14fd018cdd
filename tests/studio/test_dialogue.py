"""What is quoted in a prompt is said by whom the prompt says, and signs are not read out."""

import time

import pytest

from myriorama.studio.dialogue import Line, language, lines


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ('Ana says "hello" by the sea', [Line("hello", "Ana", 0)]),
        (
            "@ana: “Look at the sea!” and Bob Smith answers, “It is blue.”",
            [Line("Look at the sea!", "Ana", 0), Line("It is blue.", "Bob Smith", 1)],
        ),
        ("«Привет, мир» говорит Ana", [Line("Привет, мир", "Ana", 0)]),
        ("„Guten Morgen“, sagt Ana", [Line("Guten Morgen", "Ana", 0)]),
        (
            'a little fox whispers to the owl, "come here"',
            [Line("come here", "fox")],
        ),
        (
            '"Good morning!" says the old king and waves. He adds: "Good bye"',
            [Line("Good morning!", "king"), Line("Good bye", "king")],
        ),
        ('a cat says "hello there " and leaves', [Line("hello there", "cat")]),
        ('a robot on the moon. "Where is everybody?"', [Line("Where is everybody?")]),
    ],
)
def test_quotations_are_lines_of_who_says_them(prompt: str, said: list[Line]) -> None:
    assert lines(prompt, ["Ana", "Bob Smith"]) == said


@pytest.mark.parametrize("marks", ['""', "“”", "„“", "«»", "「」"])
def test_a_quotation_may_be_as_long_as_the_prompt(marks: str) -> None:
    speech = " ".join(["well"] * 390)

    assert lines(f"Ana says {marks[0]}{speech}{marks[1]}", ["Ana"]) == [Line(speech, "Ana", 0)]


@pytest.mark.parametrize(
    "prompt",
    [
        'a sign that says "open all day" in a meadow',
        'a T-shirt with the words "best dad ever"',
        'a poster titled "The Big Dog"',
        'a 5" screen beside a 7" screen',
        'a "cinematic" dog, very "moody"',
        'three dots: "..."',
        'a quotation that never ends: "hello there',
    ],
)
def test_what_is_to_be_read_or_is_no_speech_is_not_spoken(prompt: str) -> None:
    assert lines(prompt) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hello, my friend", "en-us"),
        ("xyzzy", "en-us"),
        ("Ich habe keine Zeit, und das ist gut", "de"),
        ("Qu'est-ce que c'est, où est la gare", "fr"),
        ("¿Dónde está?", "es"),
        ("Привет, мир", "ru"),
        ("Як справи, друже мій", "uk"),
        ("こんにちは世界", "ja"),
        ("你好世界", "cmn"),
    ],
)
def test_a_line_is_spoken_in_its_language_where_that_can_be_told(text: str, code: str) -> None:
    assert language(text) == code


def test_no_prompt_takes_long_to_be_read() -> None:
    hostile = ["a " * 1_000 + '"x y"', "Ana " * 500 + ': "x y"', "a. " * 700 + '"b c"']
    hostile += [mark * 2_000 for mark in '"“”„«»「」']
    hostile += [unit * 500 for unit in ('"a" ', '"a ', ' "a', "“a ", "„a ", "«a ")]
    before_s = time.process_time()

    for prompt in hostile:
        lines(prompt, ["Ana"])

    assert time.process_time() - before_s < 5
