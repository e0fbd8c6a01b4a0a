"""What the file of sources says of one OpenAPI document: the table `[openapi.NAME]`."""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from workflows.contract.values import Effect

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"


def _usable_url(value: object) -> object:
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected a URL such as https://host/path")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("it is a URL without user, password, query or fragment; secrets belong into auth")
    return value


Url = Annotated[str, BeforeValidator(_usable_url)]
Variable = Annotated[str, Field(pattern=VARIABLE)]
"""The name of an environment variable that holds a secret; never the secret itself."""


class Table(BaseModel):
    """A table of the file: keys that it does not know are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Basic(Table):
    user: Variable
    password: Variable


class ClientCredentials(Table):
    """OAuth 2 without a person (RFC 6749 section 4.4)."""

    token_url: Url
    client_id: Variable
    client_secret: Variable
    scopes: tuple[str, ...] = ()


class Auth(Table):
    """How requests say who asks. Every value is the name of a variable; several ways may stand together."""

    bearer: Variable | None = None
    basic: Basic | None = None
    header: dict[str, Variable] = {}
    """Name of the header → variable."""
    query: dict[str, Variable] = {}
    """Name of the parameter → variable."""
    oauth2: ClientCredentials | None = None

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:
        ways = [name for name in ("bearer", "basic", "oauth2") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} fill the same header; name one of them")
        return self


class OperationSettings(Table):
    """What the document does not say of one operation: the table `[openapi.NAME.operation.ID]`."""

    effect: Effect | None = None
    """By default `read` for GET and HEAD, and `write` for everything else."""
    idempotency_header: str = Field(default="", pattern=f"^({HEADER[1:-1]})?$")
    """The header in which the far end takes a key under which it does nothing twice."""
    repeatable: StrictBool = False
    """Doing it again does no harm: of a PUT or DELETE that nobody else's change can come between."""
    safe_503: StrictBool = False
    """A reply 503 proves that nothing was taken."""
    look: str = ""
    """The read that shows whether it happened: an operation of the same document, which gets the arguments of the call
    whose names it knows, and whose `result` is empty until it has happened."""
    grounded: tuple[str, ...] = ()
    """The arguments whose values somebody other than the model must have mentioned."""
    failed_when: str = ""
    """JMESPath on the answer: where it is true, the far end has said no, whatever its status."""
    result: str = ""
    """JMESPath on the answer: what the model and the receipt get of it."""
    headers: tuple[Annotated[str, Field(pattern=HEADER)], ...] = ()
    """Headers of the answer that are told with its body: ("ETag",)."""
    about: str = ""
    """What a call is about, for people, with the arguments in braces: "to {to}"."""


class OpenApiSettings(Table):
    document: str = Field(min_length=1)
    """A file, seen from the folder of the file of sources, or an https URL."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """The document that is accepted. One from a URL that has it is not fetched again."""
    url: Url | None = None
    """Instead of the document's servers."""
    variables: dict[str, str] = {}
    """Of the URL of the document's first server."""
    private: StrictBool = False
    """The far end may be in a private network, or on this machine."""
    auth: Auth = Auth()
    offer: tuple[str, ...] = Field(default=("*",), min_length=1)
    """Patterns of operations, read in order: of an operationId ("list*") or of method and path ("GET /orders/*"). Each
    adds operations, or with a - takes some away."""
    untrusted: StrictBool = True
    """What it answers is a stranger's text, after which no policy allows a write without asking."""
    timeout: float = Field(default=30, gt=0)
    """Seconds for one attempt."""
    operation: dict[str, OperationSettings] = {}
    """By operationId, or by method and path."""

    @property
    def is_remote(self) -> bool:
        return bool(re.match("https?://", self.document))

    @model_validator(mode="after")
    def _fetched_safely(self) -> Self:
        if self.document.startswith("http://") and not self.private:
            raise ValueError("document: over http:// anybody on the way could change it; use https://, or a file")
        parts = urlsplit(self.document)
        if self.is_remote and (parts.username or parts.password or parts.query):
            raise ValueError("document: a user, a password or a query in its URL would be written into the log")
        return self
