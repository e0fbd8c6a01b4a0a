"""A tool's module has settings of its own, read from the environment once; what is missing or wrong is named."""

import sys
from types import ModuleType
from typing import Annotated

import httpx
import pytest
from pydantic import AliasChoices, BaseModel, Field, SecretBytes, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.errors import ConfigurationError
from activities.http.tls import trusted_roots
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.tool import tool, tool_of
from workflows.contract.internal import ToolCall


class Database(BaseModel):
    host: str
    password: SecretStr


class CrmSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CRM_", env_nested_delimiter="__")

    token: SecretStr
    timeout: Annotated[float, Field(gt=0)] = 3
    tags: list[str] = []


class OddSettings(BaseSettings):
    key: SecretStr = Field(validation_alias=AliasChoices("ODD_KEY", "OLD_KEY"))
    odd_database: Database
    odd_more: dict[str, list[SecretBytes]] = {}

    model_config = SettingsConfigDict(env_nested_delimiter="__")


@tool()
async def find(word: str, *, crm: CrmSettings, http: httpx.AsyncClient) -> str:
    """Find."""
    return crm.token.get_secret_value() + word


@tool()
async def find_more(word: str, *, crm: CrmSettings, odd: OddSettings, settings: Settings) -> str:
    """Find more."""
    return word


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that can be imported as `crm_tools`, with both tools."""
    new = ModuleType("crm_tools")
    vars(new).update(find=find, find_more=find_more)
    monkeypatch.setitem(sys.modules, "crm_tools", new)
    return new


def load(**changes: object) -> Catalogue:
    return Catalogue.load(Settings.read(**{"tools": ("crm_tools",), "offer": ("find", "find_more")} | changes))


def test_an_instance_is_given_to_every_tool_that_asks_for_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "hush")
    monkeypatch.setenv("CRM_TAGS", '["a"]')
    monkeypatch.setenv("OLD_KEY", "hush-2")
    monkeypatch.setenv("ODD_DATABASE__HOST", "db")
    monkeypatch.setenv("ODD_DATABASE__PASSWORD", "hush-3")
    catalogue = load()
    assert set(catalogue.tools) == {"find", "find_more"}
    assert set(catalogue.settings) == {CrmSettings, OddSettings}
    crm = catalogue.settings[CrmSettings]
    assert isinstance(crm, CrmSettings)
    assert (crm.token.get_secret_value(), crm.timeout, crm.tags) == ("hush", 3, ["a"])


async def test_the_tool_runs_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "hush")
    catalogue = load(offer=("find",))
    found = catalogue.tools["find"]
    async with httpx.AsyncClient(verify=trusted_roots()) as http:
        run = found.bind({httpx.AsyncClient: http, **catalogue.settings})
        call = ToolCall(key="r/1.1", tool="find", arguments={})
        assert await run(found.validate({"word": "!"}), {ToolCall: call}) == "hush!"


def test_a_tool_whose_settings_are_missing_is_left_out_with_the_names_of_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ODD_DATABASE__HOST", "db")
    catalogue = load()
    assert not catalogue.tools
    assert catalogue.unconfigured == {
        "find": ("CRM_TOKEN",),
        "find_more": ("CRM_TOKEN", "ODD_KEY", "ODD_DATABASE__PASSWORD"),
    }
    assert not catalogue.settings
    assert catalogue.every["find"] is tool_of(find)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CRM_TIMEOUT", "soon", "Input should be a valid number, unable to parse string as a number"),
        ("CRM_TIMEOUT", "0", "Input should be greater than 0"),
        ("CRM_TAGS", "a b", "it is no JSON"),
    ],
)
def test_a_wrong_value_is_named_by_variable_and_module(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv("CRM_TOKEN", "hush")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert str(raised.value) == f"{variable}: {told} (the settings CrmSettings of module {__name__})"


def test_settings_of_a_tool_that_is_not_offered_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TIMEOUT", "soon")
    assert not load(offer=("-find*",)).settings
