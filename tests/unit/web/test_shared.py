"""What many readers ask for again and again is asked once for all of them."""

import asyncio

import pytest

from deploy.web.desk.shared import Shared


class Asked:
    """Answers with how often it was asked, when it is let."""

    def __init__(self) -> None:
        self.times = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self) -> int:
        self.times += 1
        now = self.times
        await self.may_answer.wait()
        return now


async def test_readers_at_once_are_one_question_and_so_are_those_of_a_while() -> None:
    now, asked = 100.0, Asked()
    shared = Shared[int](clock=lambda: now)
    assert await asyncio.gather(*(shared.get(None, asked, age=1) for _ in range(40))) == [1] * 40
    now += 0.9
    assert await shared.get(None, asked, age=1) == 1
    now += 0.1
    assert await shared.get(None, asked, age=1) == 2
    assert await shared.get(None, asked) == 3


async def test_nobody_is_given_what_was_asked_for_another_or_about_something_else() -> None:
    asked = Asked()
    shared = Shared[int]()
    assert await shared.get("ann", asked, age=60, about=1) == 1
    assert await shared.get("bob", asked, age=60, about=1) == 2
    assert await shared.get("ann", asked, age=60, about=2) == 3
    assert await shared.get("ann", asked, age=60, about=2) == 3


async def test_a_reader_that_goes_away_takes_no_answer_from_the_others() -> None:
    asked = Asked()
    shared = Shared[int]()
    asked.may_answer.clear()
    first, second = (asyncio.create_task(shared.get(None, asked, age=60)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    asked.may_answer.set()
    assert await second == 1
    assert asked.times == 1


async def test_a_failure_is_told_to_all_who_wait_and_asked_again_by_the_next() -> None:
    shared, asked = Shared[int](), Asked()

    async def failing() -> int:
        raise TimeoutError("nobody answers")

    told = await asyncio.gather(*(shared.get(None, failing, age=60) for _ in range(2)), return_exceptions=True)
    assert [str(each) for each in told] == ["nobody answers"] * 2
    with pytest.raises(TimeoutError):
        await shared.get(None, failing, age=60)
    assert await shared.get(None, asked, age=60) == 1
