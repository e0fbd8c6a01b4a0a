"""The tools of an MCP server are listed before a worker starts; what is wrong ends it with one line."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from activities.errors import ConfigurationError
from activities.ledger.ledger import Ledger
from activities.toolkit.foreign_tools import foreign_tools
from tests.unit.mcp.notebook import Notebook, notebook, sources

ROOT = Path(__file__).parents[3]


class TestEffects:
    async def test_what_is_not_said_to_be_a_read_is_a_write(self, book: Notebook) -> None:
        effects = {name: tool.route.effect for name, tool in book.tools.items()}
        assert effects == {
            "take_note": "write",
            "put_note": "write",
            "read_notes": "read",
            "draw": "read",
            "change": "read",
        }

    async def test_results_are_a_strangers_text(self, book: Notebook) -> None:
        assert all(tool.route.untrusted for tool in book.tools.values())

    async def test_the_file_of_sources_knows_better(self, tmp_path: Path, ledger: Ledger) -> None:
        more = """trust_hints = true
        [mcp.book.tool.read_notes]
        effect = "write"
        [mcp.book.tool.take_note]
        grounded = ["text"]
        about = "on {text}"
        """
        tools = (await asyncio.to_thread(notebook, tmp_path, ledger, more=more)).tools
        assert tools["read_notes"].route.effect == "write"
        assert tools["take_note"].grounded == ("text",)
        assert tools["take_note"].describe({"text": "milk"}) == "on milk"
        assert (tools["put_note"].idempotent, tools["take_note"].idempotent) == (True, False)

    async def test_an_idempotent_tool_is_asked_again_only_at_the_same_server(
        self, book: Notebook, tmp_path: Path, ledger: Ledger
    ) -> None:
        (tmp_path / "other").mkdir()
        trusted = "trust_hints = true"
        one, two, other = [
            (await asyncio.to_thread(notebook, folder, ledger, more=trusted)).tools["put_note"].repeated_as
            for folder in (tmp_path, tmp_path, tmp_path / "other")
        ]
        assert one == two != other
        assert book.tools["put_note"].repeated_as == ""

    async def test_only_what_the_patterns_name_is_offered(self, tmp_path: Path, ledger: Ledger) -> None:
        book = await asyncio.to_thread(notebook, tmp_path, ledger, more='offer = ["*_note*", "-put*"]')
        assert [*book.tools] == ["take_note", "read_notes"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("more", "says"),
        [
            ('url = "https://example.com/mcp"', "mcp.book: expected either command or url"),
            ('ofer = ["*"]', "mcp.book.ofer: there is no such key; did you mean offer?"),
            ('offer = ["take_notes"]', "mcp.book.offer: no tool fits 'take_notes'; did you mean take_note?"),
            ('error_means = "perhaps"', "mcp.book.error_means: Input should be 'failed' or 'unknown'"),
            ("[mcp.book.tool.nothing]", "mcp.book.tool.nothing: the server has no such tool"),
            ('[mcp.book.tool.draw]\ngrounded = ["a"]', "mcp.book.tool.draw: tool book_draw"),
            ("failed_when = 'a ='", "mcp.book.failed_when: it is no JMESPath"),
            ("[mcp.book.tool.draw]\nfailed_when = '='", "mcp.book.tool.draw.failed_when: it is no JMESPath"),
            ('env = { A = "NOT_SET_ANYWHERE" }', "mcp.book.env.A: the variable NOT_SET_ANYWHERE is not set"),
        ],
    )
    def test_one_line_names_file_and_key(self, tmp_path: Path, more: str, says: str) -> None:
        with pytest.raises(ConfigurationError) as raised:
            foreign_tools(sources(tmp_path, more=more))
        message = str(raised.value)
        assert message.startswith("ERRAND_SOURCES: ")
        assert "sources.toml" in message
        assert says in message
        assert "\n" not in message

    @pytest.mark.parametrize("fault", ["start-dies", "start-hangs", "greeting-dies", "greeting-hangs", "list-hangs"])
    @pytest.mark.sampled(2)
    def test_a_server_that_cannot_be_used_ends_the_worker_in_time(self, tmp_path: Path, fault: str) -> None:
        began = time.monotonic()
        with pytest.raises(
            ConfigurationError, match=r"mcp\.book\.command: book (cannot be used|was not ready within 2 s)"
        ):
            foreign_tools(sources(tmp_path, more="start_timeout = 2", fault=fault))
        assert time.monotonic() - began < 20

    def test_what_a_server_says_at_its_end_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="it says: no notebook here"):
            foreign_tools(sources(tmp_path, fault="start-dies"))

    def test_a_program_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "sources.toml"
        file.write_text('[mcp.book]\ncommand = ["no-such-program"]\n')
        with pytest.raises(ConfigurationError, match=r"mcp\.book\.command: there is no program no-such-program"):
            foreign_tools(file)

    def test_a_url_is_encrypted_unless_it_is_this_machine_or_said_to_be_private(self, tmp_path: Path) -> None:
        file = tmp_path / "sources.toml"
        file.write_text('[mcp.book]\nurl = "http://example.com/mcp"\n')
        with pytest.raises(ConfigurationError, match=r"mcp\.book: url: anybody on the way could read"):
            foreign_tools(file)


class TestWithoutThePackage:
    HIDE = "import sys; sys.modules['mcp'] = sys.modules['mcp_types'] = None; sys.path.insert(0, sys.argv[1]);"

    def run(self, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", self.HIDE + code, str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @pytest.mark.long
    def test_a_worker_without_such_a_source_starts(self) -> None:
        ran = self.run(
            "import worker; from activities.toolkit import foreign_tools as of; print(of.foreign_tools(None).tools)"
        )
        assert (ran.stdout, ran.stderr) == ("()\n", "")

    @pytest.mark.long
    def test_one_line_says_what_to_install(self, tmp_path: Path) -> None:
        code = "from pathlib import *; from activities.toolkit.foreign_tools import *; foreign_tools(Path(sys.argv[2]))"
        ran = self.run(code, str(sources(tmp_path)))
        assert "mcp.book: the package mcp is not installed: uv sync --extra mcp" in ran.stderr
