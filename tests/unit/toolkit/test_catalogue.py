"""The tools of a worker are found, and narrowed to what is configured."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from activities.errors import ConfigurationError
from activities.settings import Settings
from activities.toolkit import foreign_tools
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.schema_tools import tool_from_schema
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools import stocks, weather
from workflows.contract.values import Arguments


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that can be imported as `more_tools`."""
    new = ModuleType("more_tools")
    monkeypatch.setitem(sys.modules, "more_tools", new)
    return new


def settings(**values: Any) -> Settings:
    return Settings.read(**{"smtp_url": None, "mail_from": None, "stocks_url": None, "policy": None} | values)


class TestLoading:
    def test_the_tools_beside_it_are_found(self) -> None:
        catalogue = Catalogue.load(settings())
        assert catalogue.tools["get_weather"] is made(weather.get_weather)

    def test_a_tool_without_its_settings_is_not_offered_and_says_which_are_missing(self) -> None:
        catalogue = Catalogue.load(settings(mail_from="errand@example.com"))
        assert "send_email" not in catalogue.tools
        assert catalogue.unconfigured["send_email"] == ("ERRAND_SMTP_URL",)

    def test_a_tool_with_its_settings_is_offered(self) -> None:
        catalogue = Catalogue.load(settings(smtp_url="smtp://mail.example.com", mail_from="errand@example.com"))
        assert "send_email" in catalogue.tools
        assert "send_email" not in catalogue.unconfigured

    def test_tools_come_from_named_modules_too(self, module: ModuleType) -> None:
        @tool()
        async def sing(song: str) -> None:
            """Sing."""

        vars(module).update(sing=sing, sing_again=sing, imported=weather.get_weather, other=len)
        catalogue = Catalogue.load(settings(tools=("more_tools", "more_tools")))
        assert catalogue.tools["sing"] is made(sing)
        assert catalogue.tools["get_weather"] is made(weather.get_weather)

    def test_a_tool_from_a_schema_is_a_tool_like_others(self, module: ModuleType) -> None:
        async def run(arguments: Arguments) -> None:
            pass

        made = tool_from_schema(name="play", description="", parameters={}, function=run)
        vars(module).update(TOOLS=[made])
        assert Catalogue.load(settings(tools=("more_tools",))).tools["play"] is made

    def test_files_and_folders_are_named_by_their_path(self, tmp_path: Path) -> None:
        (tmp_path / "singing.py").write_text(
            "from activities.toolkit.tool import tool\n\n@tool()\nasync def sing(song: str) -> None: ..."
        )
        assert "sing" in Catalogue.load(settings(tools=(str(tmp_path / "singing.py"),))).tools
        assert "sing" in Catalogue.load(settings(tools=(str(tmp_path),))).tools
        with pytest.raises(ConfigurationError, match=r"^ERRAND_TOOLS: there is no Python file and no folder"):
            Catalogue.load(settings(tools=("no/such.py",)))

    def test_two_tools_of_one_name_are_refused_with_the_place_of_both(self, module: ModuleType) -> None:
        @tool()
        async def get_weather(city: str) -> None:
            """Something else."""

        vars(module).update(get_weather=get_weather)
        here = get_weather.__code__.co_firstlineno
        with pytest.raises(ConfigurationError) as raised:
            Catalogue.load(settings(tools=("more_tools",)))
        assert re.fullmatch(
            r"ERRAND_TOOLS: there are two tools named get_weather: activities/tools/weather.py:\d+ and "
            rf"tests/unit/toolkit/test_catalogue.py:{here}; one that is there in place of the other says so: "
            'replaces="get_weather"',
            str(raised.value),
        )

    def test_a_setting_that_the_service_has_not_cannot_be_needed(self, module: ModuleType) -> None:
        @tool(needs=("crm_token",))
        async def sing(song: str) -> None:
            """Sing."""

        vars(module).update(sing=sing)
        with pytest.raises(ConfigurationError, match=r"tool sing \(.*\) needs crm_token, which is no setting of the"):
            Catalogue.load(settings(tools=("more_tools",)))

    def test_a_tool_cannot_take_the_name_of_an_activity_of_the_service(self, module: ModuleType) -> None:
        @tool()
        async def decide(what: str) -> None:
            """Decide."""

        @tool()
        async def settle(what: str) -> None:
            """Settle."""

        vars(module).update(decide=decide)
        with pytest.raises(ConfigurationError, match=r"ERRAND_TOOLS: .*decide"):
            Catalogue.load(settings(tools=("more_tools",)))
        vars(module).pop("decide")
        vars(module).update(settle=settle)
        with pytest.raises(ConfigurationError, match=r"ERRAND_TOOLS: .*settle"):
            Catalogue.load(settings(tools=("more_tools",)))

    @pytest.mark.parametrize(
        "name", ["no_such_module", ".relative", "activities.no_such", "tests.unit.toolkit.broken_tools"]
    )
    def test_a_module_that_cannot_be_imported_is_named(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match=f"ERRAND_TOOLS: cannot import {name}: "):
            Catalogue.load(settings(tools=(name,)))


class TestNamesOfSources:
    """The file of sources says what its tools are called, and not the variable that names one's own."""

    @staticmethod
    def _sources(folder: Path, monkeypatch: pytest.MonkeyPatch, **documents: str) -> Path:
        """A file with documents of one operation each: source → operationId."""
        monkeypatch.setattr(foreign_tools, "KEPT", folder / "kept")
        tables: list[str] = []
        for name, operation in documents.items():
            contents = {
                "openapi": "3.1.0",
                "info": {"title": name, "version": "1"},
                "servers": [{"url": "https://stock.example.com"}],
                "paths": {"/items": {"get": {"operationId": operation}}},
            }
            (folder / f"{name}.json").write_text(json.dumps(contents))
            tables.append(f'[openapi.{name}]\ndocument = "{name}.json"\n')
        (folder / "sources.toml").write_text("".join(tables))
        return folder / "sources.toml"

    @staticmethod
    def _refusal(file: Path) -> str:
        with pytest.raises(ConfigurationError) as raised:
            Catalogue.load(settings(sources=file))
        return str(raised.value)

    def test_two_sources_with_a_tool_of_one_name_are_both_named_with_what_the_file_can_do_about_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = self._sources(tmp_path, monkeypatch, stock="old_items", stock_old="items")
        assert self._refusal(file) == (
            f"ERRAND_SOURCES: {file}: there are two tools named stock_old_items: openapi.stock, GET /items and "
            "openapi.stock_old, GET /items; give a source another name, or leave its tool out by a pattern with a - in "
            "its `offer`"
        )

    def test_one_of_ones_own_may_also_take_the_sources_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = self._sources(tmp_path, monkeypatch, get="weather")
        refusal = self._refusal(file)
        assert refusal.startswith(f"ERRAND_SOURCES: {file}: there are two tools named get_weather: ")
        assert re.search(
            r'`offer`; or activities/tools/weather.py:\d+ takes its place by replaces="get_weather"$', refusal
        )

    def test_a_name_that_the_service_itself_uses_is_the_sources_to_change(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = self._sources(tmp_path, monkeypatch, find="tools")
        assert self._refusal(file) == (
            f"ERRAND_SOURCES: {file}: tool find_tools (openapi.find, GET /items) has a name that the service itself "
            "uses; give a source another name, or leave its tool out by a pattern with a - in its `offer`"
        )


class TestReplacing:
    def test_a_tool_that_says_so_is_there_in_place_of_another(self, module: ModuleType) -> None:
        @tool(replaces="get_weather")
        async def get_weather(city: str) -> None:
            """Something else."""

        @tool(replaces="get_stock_price")
        async def get_quote(symbol: str) -> None:
            """Something else."""

        vars(module).update(get_weather=get_weather, get_quote=get_quote)
        catalogue = Catalogue.load(settings(tools=("more_tools",)))
        assert catalogue.tools["get_weather"] is made(get_weather)
        assert "get_quote" in catalogue.tools
        assert "get_stock_price" not in catalogue.tools
        assert catalogue.replaced == {
            made(weather.get_weather): made(get_weather),
            made(stocks.get_stock_price): made(get_quote),
        }

    def test_there_must_be_something_to_replace(self, module: ModuleType) -> None:
        @tool(replaces="get_wether")
        async def get_weather(city: str) -> None:
            """Something else."""

        vars(module).update(get_weather=get_weather)
        with pytest.raises(
            ConfigurationError, match=r"get_weather \(.*\) replaces get_wether, but there is no such tool"
        ):
            Catalogue.load(settings(tools=("more_tools",)))

    def test_two_cannot_replace_the_same(self, module: ModuleType) -> None:
        @tool(replaces="get_weather")
        async def look_out(city: str) -> None:
            """Something else."""

        @tool(replaces="get_weather")
        async def look_up(city: str) -> None:
            """Something else."""

        vars(module).update(look_out=look_out, look_up=look_up)
        with pytest.raises(ConfigurationError, match=r"two tools replace get_weather: tool look_out \(.*tool look_up"):
            Catalogue.load(settings(tools=("more_tools",)))


OFTEN = {
    "http_get",
    "http_request",
    "get_weather",
    "get_forecast",
    "get_exchange_rate",
    "get_time",
    "add_to_time",
    "wait_until",
    "ask_requester",
    "compose_email",
    "find_contact",
    "send_invitation",
}
"""The tools that need nothing, or are given it here."""


class TestOffering:
    MAIL: ClassVar = {"smtp_url": "smtp://mail.example.com", "mail_from": "errand@example.com", "http_hosts": ("x",)}

    @pytest.mark.parametrize(
        ("offer", "offered"),
        [
            ("*", {*OFTEN, "get_stock_price", "send_email"}),
            ("* -get_stock_price", {*OFTEN, "send_email"}),
            ("-get_stock_price", {*OFTEN, "send_email"}),
            (
                "-get_* get_weather",
                {"get_weather", "send_email", *(name for name in OFTEN if not name.startswith("get_"))},
            ),
            ("send_email, get_w*", {"get_weather", "send_email"}),
            ("-*", set[str]()),
        ],
    )
    def test_patterns_say_which_tools_are_offered(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offer: str, offered: set[str]
    ) -> None:
        (tmp_path / "contacts.csv").write_text("name,email\n")
        monkeypatch.setenv("ERRAND_CONTACTS", str(tmp_path / "contacts.csv"))
        monkeypatch.setenv("ERRAND_OFFER", offer)
        chosen = Settings.from_environment().tools.offer
        catalogue = Catalogue.load(settings(offer=chosen, **self.MAIL))
        assert set(catalogue.tools) == offered
        assert set(catalogue.left_out) == {*OFTEN, "get_stock_price", "send_email"} - offered

    def test_what_is_left_out_lacks_nothing(self) -> None:
        offer = ("-send_*", "-compose_email", "-find_contact", "-http_*")
        assert Catalogue.load(settings(offer=offer)).unconfigured == {}

    @pytest.mark.parametrize("offer", ["get_wether", "* -get_wether", "-", "GET_*"])
    def test_a_pattern_that_fits_nothing_is_a_mistake(self, offer: str) -> None:
        with pytest.raises(
            ConfigurationError,
            match=r"^ERRAND_OFFER: there is no tool '.*'; the tools are (\w+, )*\w+$",
        ):
            Catalogue.load(settings(offer=tuple(offer.split())))
