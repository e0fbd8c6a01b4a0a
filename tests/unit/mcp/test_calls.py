"""A call of an MCP tool ends as the server's own account says, or is said to be unknown."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.toolkit.foreign_tools import foreign_tools
from tests.forked import Forked
from tests.unit.mcp.notebook import OF_TODAY, Notebook, notebook, sources


class TestAWrite:
    async def test_it_is_done_once_and_the_ledger_has_its_result(self, book: Notebook) -> None:
        first = await book.call("take_note", text="milk")
        again = await book.call("take_note", text="milk")
        assert (first.value, again.value, book.notes) == ("noted: milk", "noted: milk", ["milk"])
        assert await book.state() is State.DONE

    async def test_what_the_tool_calls_an_error_has_failed_and_is_not_tried_again(self, book: Notebook) -> None:
        with pytest.raises(ApplicationError, match="take_note: the notebook is full") as raised:
            await book.call("take_note", text="refuses: milk")
        assert (raised.value.type, raised.value.non_retryable) == ("ServiceRefused", True)
        assert (await book.state(), book.notes) == (State.NOT_DONE, [])

    @pytest.mark.parametrize(
        "failed_when",
        [
            "failed_when = \"starts_with(@, 'noted: no room')\"",
            "failed_when = \"@ == 'another'\"\n[mcp.book.tool.take_note]\nfailed_when = \"contains(@, 'no room')\"",
        ],
    )
    async def test_what_the_file_of_sources_calls_an_error_has_failed_though_the_tool_does_not_say_so(
        self, tmp_path: Path, ledger: Ledger, failed_when: str
    ) -> None:
        book = await asyncio.to_thread(notebook, tmp_path, ledger, more=f"timeout = 3\n{failed_when}")
        async with aclosing(book.found):
            with pytest.raises(
                ApplicationError, match='take_note was refused by the far end: "noted: no room'
            ) as raised:
                await book.call("take_note", text="no room")
            assert (raised.value.type, raised.value.non_retryable) == ("ServiceRefused", True)
            assert await book.state() is State.NOT_DONE
            assert (await book.call("take_note", "r/2.0", text="milk")).value == "noted: milk"

    @pytest.mark.parametrize(
        ("text", "failed_when"),
        [("milk", "starts_with(status, 'x')"), ("counts-to-nan: x", "errors"), ("counts-to-nan: x", "errors == `1`")],
    )
    @pytest.mark.sampled(1)
    async def test_what_cannot_be_judged_is_unknown(
        self, tmp_path: Path, ledger: Ledger, text: str, failed_when: str
    ) -> None:
        more = f'timeout = 3\nfailed_when = "{failed_when}"'
        book = await asyncio.to_thread(notebook, tmp_path, ledger, more=more)
        async with aclosing(book.found):
            with pytest.raises(ApplicationError, match="failed_when cannot judge") as raised:
                await book.call("take_note", text=text)
        assert raised.value.type == "OutcomeUnknown"
        assert await book.state() is State.UNKNOWN

    @pytest.mark.parametrize(
        ("fault", "done"),
        [
            ("dies-before", False),
            ("dies-after", True),
            ("dies-answering", True),
            ("hangs-before", False),
            ("hangs-after", True),
            ("breaks", True),
            ("answers-nonsense", True),
        ],
    )
    @pytest.mark.sampled(2)
    async def test_what_is_lost_after_the_request_is_unknown_and_never_done_twice(
        self, book: Notebook, fault: str, done: bool
    ) -> None:
        text = f"{fault}: milk"
        for _ in range(2):
            with pytest.raises(ApplicationError) as raised:
                await book.call("take_note", text=text)
            assert (raised.value.type, raised.value.non_retryable) == ("OutcomeUnknown", True)
        assert await book.state() is State.UNKNOWN
        assert book.notes == [text] * done
        assert (await book.call("take_note", "r/2.0", text="bread")).value == "noted: bread"  # the session is made anew

    async def test_half_a_character_in_its_answer_costs_no_more_than_itself(self, book: Notebook) -> None:
        found = await book.call("take_note", text="halves: milk")
        assert (found.value, book.notes) == ("half a character: \N{REPLACEMENT CHARACTER}", ["halves: milk"])
        assert await book.state() is State.DONE

    async def test_what_a_program_says_beside_its_answer_is_not_taken_for_it(self, book: Notebook) -> None:
        assert (await book.call("take_note", text="chatters: milk")).value == "noted: chatters: milk"

    async def test_it_has_no_row_where_the_server_cannot_be_started(self, book: Notebook) -> None:
        await book.found.aclose()
        book.record.with_suffix(".broken").touch()
        with pytest.raises(ApplicationError, match="book cannot be used") as raised:
            await book.call("take_note", text="milk")
        assert (raised.value.type, raised.value.non_retryable) == ("ServiceUnavailable", False)
        assert await book.state() is None

    async def test_a_hint_that_it_is_idempotent_does_not_count_by_itself(self, book: Notebook) -> None:
        assert not book.tools["put_note"].idempotent


class TestARead:
    async def test_structured_content_is_the_result(self, book: Notebook) -> None:
        await book.call("take_note", text="milk")
        assert (await book.call("read_notes", "")).value == {"notes": ["milk"]}

    async def test_half_a_character_costs_it_no_more_than_itself(self, book: Notebook) -> None:
        assert (await book.call("read_notes", text="halves: x")).value == {"notes": ["\N{REPLACEMENT CHARACTER}"]}

    async def test_an_image_is_named_and_left_out(self, book: Notebook) -> None:
        assert (await book.call("draw")).value == "a tree\n[image, image/png, 300 bytes, left out]"

    @pytest.mark.parametrize("fault", ["dies-before", "hangs-before"])
    @pytest.mark.sampled(1)
    async def test_it_is_tried_again_on_a_new_session(self, book: Notebook, fault: str) -> None:
        with pytest.raises(ApplicationError) as raised:
            await book.call("read_notes", text=f"{fault}-once: x")
        assert (raised.value.type, raised.value.non_retryable) == ("ServiceUnavailable", False)
        assert (await book.call("read_notes", text=f"{fault}-once: x")).value == {"notes": []}

    async def test_all_requests_share_one_session(self, book: Notebook) -> None:
        results = await asyncio.gather(*(book.call("read_notes") for _ in range(20)))
        assert [each.value for each in results] == [{"notes": []}] * 20
        assert book.starts == 2  # one to list the tools, one to call them


class TestAChangedTool:
    async def test_it_is_not_called_under_an_old_yes(self, book: Notebook) -> None:
        await book.call("change")
        with pytest.raises(ApplicationError, match="has changed take_note since this worker started") as raised:
            await book.call("take_note", text="milk")
        assert raised.value.type == "ServiceRefused"
        assert (book.notes, await book.state()) == ([], None)

    async def test_nor_where_the_server_does_not_say_when_its_tools_change(
        self, tmp_path: Path, ledger: Ledger
    ) -> None:
        book = await asyncio.to_thread(notebook, tmp_path, ledger, fault="changes-silently")
        async with aclosing(book.found):
            assert (await book.call("take_note", "r/1.0", text="milk")).value == "noted: milk"
            await book.call("change")
            with pytest.raises(ApplicationError, match="has changed take_note since this worker started"):
                await book.call("take_note", "r/2.0", text="bread")
            assert (book.notes, await book.state("r/2.0")) == (["milk"], None)

    async def test_the_others_are_still_called(self, book: Notebook) -> None:
        await book.call("change")
        assert (await book.call("put_note", text="milk")).value == "noted: milk"

    async def test_by_the_newest_protocol_too_whose_servers_tell_only_those_who_listen(
        self, tmp_path: Path, ledger: Ledger, python: Forked
    ) -> None:
        found = await asyncio.to_thread(foreign_tools, sources(tmp_path, server=python(str(OF_TODAY))))
        book = Notebook(tmp_path / "record", found, ledger)
        async with aclosing(found):
            assert (await book.call("read_notes")).value == "milk"
            await book.call("change")
            with pytest.raises(ApplicationError, match="has changed read_notes since this worker started"):
                await _read_on(book)


async def _read_on(book: Notebook) -> None:
    """The news of a change may come behind the answer to the call that made it."""
    async with asyncio.timeout(10):
        while True:
            await book.call("read_notes")
            await asyncio.sleep(0.05)
