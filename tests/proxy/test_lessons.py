"""What the upstream refused is remembered for an hour, for the model it was refused for."""

from __future__ import annotations

from proxy.lessons import LESSON_SECONDS, MOST_FIELDS, Lessons
from tests.proxy.clock import Clock


def test_a_lesson_concerns_its_model_and_lasts_an_hour() -> None:
    clock = Clock()
    lessons = Lessons(clock)
    lessons.learn("gpt-5", "temperature")
    assert lessons.refused("gpt-5") == {"temperature"}
    assert lessons.refused("gpt-4.1") == frozenset()
    clock.at += LESSON_SECONDS - 1
    assert lessons.refused("gpt-5") == {"temperature"}
    clock.at += 1
    assert lessons.refused("gpt-5") == frozenset()


def test_lessons_add_up_and_each_lapses_by_itself() -> None:
    clock = Clock()
    lessons = Lessons(clock)
    lessons.learn("gpt-5", "temperature")
    clock.at += 60
    lessons.learn("gpt-5", "top_p")
    assert lessons.refused("gpt-5") == {"temperature", "top_p"}
    clock.at += LESSON_SECONDS - 60
    assert lessons.refused("gpt-5") == {"top_p"}


def test_a_lesson_learned_again_lasts_anew() -> None:
    clock = Clock()
    lessons = Lessons(clock)
    lessons.learn("gpt-5", "seed")
    clock.at += LESSON_SECONDS / 2
    lessons.learn("gpt-5", "seed")
    clock.at += LESSON_SECONDS / 2
    assert lessons.refused("gpt-5") == {"seed"}


def test_names_that_callers_make_up_fill_no_memory_and_leave_room_when_they_lapse() -> None:
    clock = Clock()
    lessons = Lessons(clock)
    for number in range(2 * MOST_FIELDS):
        lessons.learn("gpt-5", f"made_up_{number}")
    assert len(lessons.refused("gpt-5")) == MOST_FIELDS
    clock.at += LESSON_SECONDS
    lessons.learn("gpt-5", "seed")
    assert lessons.refused("gpt-5") == {"seed"}


def test_efforts_are_remembered_as_the_refusal_listed_them() -> None:
    clock = Clock()
    lessons = Lessons(clock)
    assert lessons.efforts("gpt-5") is None
    lessons.learn_efforts("gpt-5", ("low", "medium"))
    assert lessons.efforts("gpt-5") == ("low", "medium")
    clock.at += LESSON_SECONDS
    assert lessons.efforts("gpt-5") is None
