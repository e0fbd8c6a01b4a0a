"""Tools come from modules, files and folders; what is wrong in one is told with its line."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from activities.errors import ConfigurationError
from activities.toolkit.sources import source_of
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools import weather

pytestmark = pytest.mark.usefixtures("imports_undone")
HEAD = "from activities.toolkit.tool import tool\nfrom activities.toolkit.schema_tools import tool_from_schema\n"


def marked(name: str) -> str:
    """The text of a tool."""
    return f'@tool()\nasync def {name}(word: str) -> str:\n    """Do it."""\n    return word\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tools"
    made.mkdir()
    return made


def names(word: object) -> list[str]:
    return [each.name for each in source_of(str(word)).tools()]


def problem(word: object) -> str:
    with pytest.raises(ConfigurationError) as raised:
        source_of(str(word)).tools()
    assert "\n" not in str(raised.value)
    return str(raised.value)


class TestFinding:
    @pytest.fixture
    def module(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        """A module that can be imported as `more_tools`."""
        new = ModuleType("more_tools")
        monkeypatch.setitem(sys.modules, "more_tools", new)
        return new

    def test_tools_are_found_wherever_they_stand_in_a_module_and_each_once(self, module: ModuleType) -> None:
        @tool()
        async def sing(song: str) -> None:
            """Sing."""

        one, two, three, four = (
            made(f'{HEAD}found = tool_from_schema(name="t{n}", description="", parameters={{}}, function=run)')
            for n in range(4)
        )
        vars(module).update(
            sing=sing,
            sing_again=sing,
            one=one,
            _two=two,
            listed=[three, one],
            by_name={"four": four},
            imported=weather.get_weather,
            other=len,
            Tool=Tool,
        )
        assert sorted(names("more_tools")) == ["get_weather", "sing", "t0", "t1", "t2", "t3"]
        assert tool_of(weather.get_weather) in source_of("more_tools").tools()

    def test_a_module_without_a_tool_is_a_mistake(self, module: ModuleType) -> None:
        assert problem("more_tools") == "there is no tool in more_tools; mark a function with @tool()"

    def test_a_file_is_loaded_by_its_path_and_may_import_what_is_beside_it(self, folder: Path) -> None:
        (folder / "crm.py").write_text(HEAD + "from crm_words import word\n" + marked("find"))
        (folder / "crm_words.py").write_text("word = 1")
        assert names(folder / "crm.py") == ["find"]
        assert source_of(str(folder / "crm.py")).tools() == source_of("crm").tools()

    def test_a_path_may_be_relative_or_in_the_home_folder(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "crm.py").write_text(HEAD + marked("find"))
        monkeypatch.chdir(folder.parent)
        monkeypatch.setenv("HOME", str(folder))
        assert names("tools/crm.py") == names("./tools/crm.py") == names("tools/") == names("~/crm.py") == ["find"]
        monkeypatch.chdir(folder)
        assert names("crm.py") == ["find"]

    @pytest.mark.parametrize("name", ["email.py", "weather.v2.py", "my-tools.py"])
    def test_a_files_name_may_be_one_that_cannot_be_imported_or_is_another_modules(
        self, folder: Path, name: str
    ) -> None:
        (folder / name).write_text(HEAD + marked("find"))
        assert names(folder / name) == ["find"]

    def test_a_folder_is_its_files_whatever_they_import_from_each_other(self, folder: Path) -> None:
        (folder / "b.py").write_text(HEAD + marked("find") + marked("add"))
        (folder / "a.py").write_text(HEAD + "from b import add\n" + marked("remove"))
        (folder / "_draft.py").write_text("unfinished (")
        (folder / "notes.txt").write_text("unfinished (")
        assert sorted(names(folder)) == ["add", "find", "remove"]


class TestMistakes:
    def test_what_is_not_there_is_named_with_the_place_that_was_looked_at(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        (folder / "crm.txt").touch()
        for word in ("tools/crm.py", "crm.py", "./crm.txt"):
            path = folder / word
            assert problem(word) == f"there is no Python file and no folder {word} (looked for {path.resolve()})"

    def test_a_module_that_python_does_not_find_may_be_a_file(self) -> None:
        told = "there is no module no_such where Python looks; of a file, write the path"
        assert problem("no_such") == f"cannot import no_such: {told}"
        assert problem("no_such.inner") == f"cannot import no_such.inner: {told}"

    def test_a_folder_that_is_named_like_a_module_is_told(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(folder.parent)  # pyright: ignore[reportUnknownMemberType]  # pytest leaves it open
        assert problem("tools") == "tools is a folder; for the tools in its files, write tools/"

    def test_what_is_neither_a_name_nor_a_path_is_told(self) -> None:
        assert problem(".crm") == "cannot import .crm: that is no module's name, nor a path such as ./crm.py"

    @pytest.mark.parametrize(
        ("text", "line", "told"),
        [
            ("def (", 1, "invalid syntax"),
            ("\nimport no_such_library", 2, "ModuleNotFoundError: No module named 'no_such_library'"),
            ("import json\njson.loads('{')", 2, "JSONDecodeError: Expecting property name enclosed in double quotes"),
            ("raise ValueError('a\\nb')", 1, "ValueError: a b"),
            ("import sys\nsys.exit(0)", 2, "SystemExit: 0"),
            ("class Unfinished: x: int = y", 1, "NameError: name 'y' is not defined"),
            (HEAD + "tool(effect='write').mark()", 3, "AttributeError: 'function' object has no attribute 'mark'"),
        ],
    )
    def test_a_file_that_cannot_be_imported_is_told_with_the_line(
        self, folder: Path, text: str, line: int, told: str
    ) -> None:
        file = folder / "crm.py"
        file.write_text(text)
        assert problem(file).startswith(f"cannot import {file}: {file}:{line}: {told}")

    def test_a_file_that_was_mended_can_be_loaded(self, folder: Path) -> None:
        file = folder / "email.py"  # under a name of our own, because email is a module of Python's
        file.write_text("raise ValueError")
        problem(file)
        file.write_text(HEAD + marked("find"))
        assert names(file) == ["find"]

    def test_a_mistake_in_a_tool_is_told_with_the_tools_name_and_line(self, folder: Path) -> None:
        file = folder / "crm.py"
        file.write_text(HEAD + "@tool\nasync def find(word: str) -> str: ...")
        assert problem(file) == f"tool find ({file}:3): write @tool() with its brackets"
        file.write_text(
            HEAD
            + "async def run(arguments, *, http): ...\n"
            + 'tool_from_schema(name="find", description="", parameters={}, function=run)'
        )
        assert problem(file) == f"tool find ({file}:4): parameter http needs a type"


def made(code: str) -> Tool:
    """The tool that some code calls `found`."""
    known: dict[str, object] = {}
    exec(f"async def run(arguments): ...\n{code}", known)
    assert isinstance(known["found"], Tool)
    return known["found"]
