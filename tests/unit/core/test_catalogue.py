"""The tools of a worker are found, and narrowed to what is configured."""

import sys
from types import ModuleType
from typing import Any

import pytest

from activities import weather
from activities.catalogue import Catalogue
from activities.errors import ConfigurationError
from activities.settings import Settings
from activities.tool import Tool, tool, tool_of


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
    return Settings.model_validate({"smtp_url": None, "mail_from": None, "stocks_url": None, "policy": None} | values)


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

    def test_two_tools_of_one_name_are_refused(self, module: ModuleType) -> None:
        @tool()
        async def get_weather(city: str) -> None:
            """Something else."""

        vars(module).update(get_weather=get_weather)
        with pytest.raises(ConfigurationError, match="ERRAND_TOOLS: there are two tools named get_weather"):
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
        "name", ["no_such_module", ".relative", "activities.no_such", "tests.unit.core.broken_tools"]
    )
    def test_a_module_that_cannot_be_imported_is_named(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match=f"ERRAND_TOOLS: cannot import {name}: "):
            Catalogue.load(settings(tools=(name,)))
