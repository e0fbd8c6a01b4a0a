"""The model, and how it is asked."""

from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from activities.model.prices import Price, read_prices
from activities.model.profiles import PROFILES, Calling
from activities.settings.environment import Group, Key, Url


def _prices(value: object) -> object:
    return read_prices(value) if isinstance(value, str) else value


Prices = Annotated[dict[str, Price], NoDecode, BeforeValidator(_prices)]
"""Of each model: `gpt-x=1.25/10`, per million tokens read and written, separated by spaces or commas."""


class ModelSettings(Group):
    """Which one, where, and what it costs."""

    openai_model: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_MODEL"),
        description="the model's name, as its endpoint knows it",
    )
    openai_base_url: Url | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_BASE_URL"),
        description="its endpoint; OpenAI's by default",
    )
    openai_api_key: Key | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY"),
        description="its key; an endpoint of your own needs none",
    )
    model_timeout: float = Field(default=120, gt=0, description="seconds for one answer of the model")
    model_max_tokens: int | None = Field(default=None, gt=0, description="the longest answer of the model, in tokens")
    model_profile: str | None = Field(default=None, description="what its endpoint can do; by default from its URL")
    model_calling: Calling | None = Field(default=None, description="how it calls functions, whatever the profile says")
    model_constrained: bool | None = Field(
        default=None, description="whether its endpoint holds it to the functions' schemas, whatever the profile says"
    )
    model_prices: Prices = Field(
        default={}, description="as in gpt-x=1.25/10, for a million tokens; without, no request limits its cost"
    )
    system_prompt: str | None = Field(default=None, description="what the model is told first, instead of the default")

    @field_validator("model_profile")
    @classmethod
    def _profile_is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in PROFILES:
            raise ValueError(f"there is no profile {name!r}; the profiles are: {', '.join(PROFILES)}")
        return name
