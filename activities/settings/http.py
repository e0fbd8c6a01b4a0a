"""What `http_get` and `http_request` may ask."""

from pydantic import Field

from activities.settings.environment import Group, Words


class HttpSettings(Group):
    """The hosts, and what goes along to them."""

    http_hosts: Words = Field(
        default=(), description="patterns of the hosts that http_get and http_request may ask, such as *.example.com"
    )
    http_headers: Words = Field(
        default=(), description="what goes along to a host: api.example.com/Authorization=NAME_OF_A_VARIABLE"
    )
    http_timeout: float = Field(default=30, gt=0, description="seconds for the whole answer to a tool's own request")
    http_private: bool = Field(
        default=False, description="whether requests of tools may go to addresses that are not public"
    )
