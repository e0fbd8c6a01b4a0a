"""The services that the built-in tools ask."""

from pydantic import Field

from activities.settings.environment import Group, Key, Url


class DataServices(Group):
    """Where they are."""

    weather_url: Url = Field(default="https://api.open-meteo.com", description="a weather service of the same HTTP")
    geocoding_url: Url = Field(
        default="https://geocoding-api.open-meteo.com", description="a geocoding service of the same HTTP"
    )
    exchange_rates_url: Url = Field(
        default="https://api.frankfurter.dev", description="Frankfurter, or what speaks its HTTP"
    )
    stocks_url: Url | None = Field(default=None, description="Stooq without a token, Finnhub with one")
    stocks_token: Key | None = Field(default=None, description="a Finnhub token; prices come from Stooq without")
