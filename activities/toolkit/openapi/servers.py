"""The URL that the requests of an operation go to (OpenAPI 3.1 sections 4.8.5 and 4.8.6)."""

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from activities.toolkit.openapi import swagger
from activities.toolkit.openapi.choosing import Found
from activities.toolkit.openapi.document import Document, Node, as_list, as_object
from activities.toolkit.openapi.recipe import CannotImport


class NoServer(ValueError):
    """Nobody says where requests go. The message says what is missing, and `key` where to say it."""

    def __init__(self, what: str, key: str = "url") -> None:
        super().__init__(what)
        self.key = key


def server_of(document: Document, found: Found, *, origin: str, variables: Mapping[str, str]) -> str:
    """The first server of the operation, its path, or the document.

    Args:
        document: where it stands.
        found: the operation.
        origin: the URL from which the document comes, or nothing.
        variables: values in place of the defaults of the URL's variables.

    Raises:
        NoServer: there is none, a variable of its URL has no value, or no path can follow its URL.
    """
    if document.version == "2.0":
        url = swagger.server(document.root, urlsplit(origin).netloc)
    else:
        url = next((_filled(each, variables) for each in _servers(document, found)), "/")
    whole = urljoin(origin, url)
    if urlsplit(whole).scheme not in ("http", "https") or not urlsplit(whole).hostname:
        raise NoServer("the document does not say where its server is; set url")
    if "?" in whole or "#" in whole:
        raise NoServer(f"no path can follow the server {whole[:200]}, which has a query or a fragment; set url")
    return whole


def _servers(document: Document, found: Found) -> list[Node]:
    for node in (found.node, found.item, document.root):
        try:
            servers = [each for each in node.items("servers") if isinstance(each.value, dict)]
        except CannotImport:
            servers = []
        if servers:
            return servers
    return []


def _filled(server: Node, given: Mapping[str, str]) -> str:
    variables, url = as_object(server.value.get("variables")), server.text("url")

    def value(found: re.Match[str]) -> str:
        own = as_object(variables.get(found[1]))
        chosen = given.get(found[1], own.get("default"))
        if not isinstance(chosen, str | int | float):
            raise NoServer(f"the server {url[:200]} needs a value for {found[1]}; set it, or url", "variables")
        allowed = [str(each) for each in as_list(own.get("enum"))]
        if allowed and str(chosen) not in allowed:
            raise NoServer(f"its server's variable {found[1]} is one of {', '.join(allowed)}", "variables")
        return str(chosen)

    return re.sub(r"\{([^{}]+)\}", value, url)
