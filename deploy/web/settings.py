"""What the door reads from the environment."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from activities.settings.environment import Words, is_loopback, is_safe
from deploy.client.keys import KeySettings

EVERYWHERE = ("127.0.0.1", "localhost", "::1")
"""The names of this machine for itself."""


class WebSettings(KeySettings):
    """Field names are the variables' names without `ERRAND_WEB_`."""

    host: str = Field(default="127.0.0.1", description="the address that the door listens on")
    port: int = Field(default=8240, ge=0, le=65_535, description="its port")
    public_url: str | None = Field(
        default=None, description="how the door is called from elsewhere, such as https://errand.example.com"
    )
    hosts: Words = Field(default=(), description="further names under which it may be called")
    oidc_issuer: str | None = Field(
        default=None, description="whose bearer tokens are taken, such as https://login.example.com/realms/ops"
    )
    oidc_audience: str | None = Field(default=None, description="what a token's `aud` has to name")
    oidc_name: str = Field(default="sub", min_length=1, description="the claim that is the caller's name")
    oidc_rights: str = Field(
        default="scope", min_length=1, description="the claim with the caller's rights, such as `errand:submit`"
    )
    oidc_client_id: str | None = Field(
        default=None, description="this door as a client of the issuer: with it, people sign in there"
    )
    oidc_client_secret: SecretStr | None = Field(default=None, description="its secret, if it has one")
    oidc_scopes: Words = Field(default=(), description="what is asked for beside `openid`, such as `errand:approve`")
    rate_limit: int = Field(default=600, ge=1, description="calls a minute that one caller may make of one door")
    event_streams: int = Field(
        default=100, ge=1, description="streams of events that one caller may have open at one door"
    )
    largest_body: int = Field(default=1_048_576, ge=1024, description="bytes of a call's body")

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _url_is_usable(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or " " in url:
            raise ValueError("expected a URL such as https://host")
        if parts.query or parts.fragment:
            raise ValueError("expected a URL without a query")
        return url

    @field_validator("oidc_issuer")
    @classmethod
    def _keys_cannot_be_changed_on_the_way(cls, url: str | None) -> str | None:
        if url is not None and not is_safe(url):
            raise ValueError("expected https://: whoever is on the way could sign tokens")
        return url

    @model_validator(mode="after")
    def _tokens_are_for_this_door(self) -> "WebSettings":
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError("ERRAND_WEB_OIDC_AUDIENCE: say what tokens for this door name as their audience")
        if self.oidc_client_id and not self.oidc_issuer:
            raise ValueError("ERRAND_WEB_OIDC_CLIENT_ID: say at which issuer people sign in (ERRAND_WEB_OIDC_ISSUER)")
        return self

    @property
    def only_here(self) -> bool:
        """Whether nobody but this machine can call."""
        return is_loopback(self.host) and self.public_url is None

    @property
    def names(self) -> frozenset[str]:
        """The names under which the door may be called, without ports."""
        names = {name.casefold() for name in self.hosts}
        if self.public_url and (name := urlsplit(self.public_url).hostname):
            names.add(name)
        if is_loopback(self.host):
            names.update(EVERYWHERE)
        return frozenset(names)

    @property
    def url(self) -> str:
        """Where people find it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")
