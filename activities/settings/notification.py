"""Who is told of what happens in a request, and where a person finds it."""

from pathlib import Path

from pydantic import Field, field_validator

from activities.settings.environment import Group


class NotificationSettings(Group):
    """The endpoints, and the links that they are given."""

    callbacks: Path | None = Field(default=None, description="the TOML file of endpoints that requests may have told")
    request_url: str | None = Field(
        default=None,
        description="where people see a request: https://host/requests/{request_id}; by default in the Temporal UI",
    )

    @field_validator("request_url")
    @classmethod
    def _is_a_template(cls, url: str | None) -> str | None:
        if url is not None and not (url.startswith(("https://", "http://")) and "{request_id}" in url):
            raise ValueError("expected a URL with {request_id} in it, such as https://host/requests/{request_id}")
        return url
