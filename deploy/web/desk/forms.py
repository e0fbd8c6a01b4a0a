"""What every form of the desk is held to: it is of this session, and it leads back to a page of the desk."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse

from deploy.web.door import TheDoor
from deploy.web.problems import Kind, Problem

MOST_FIELDS = 300
"""Of one form."""


class Filled(dict[str, str]):
    """A form's fields, by their names."""

    def said(self, name: str) -> str:
        """What stands in a field, without blanks around it."""
        return self.get(name, "").strip()


async def filled(request: Request, door: TheDoor) -> AsyncGenerator[Filled]:
    """The form that was sent.

    Raises:
        Problem: it is not of this session.
    """
    async with _read(request) as form:
        door.sessions.check(request, form.get("token", ""))
        yield form


@asynccontextmanager
async def _read(request: Request) -> AsyncGenerator[Filled]:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().casefold()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(Kind.UNREADABLE, "the header Content-Type: expected application/x-www-form-urlencoded")
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as sent:
        yield Filled({name: value for name, value in sent.items() if isinstance(value, str)})


Form = Annotated[Filled, Depends(filled)]


def back_to(path: str) -> RedirectResponse:
    """Show a page after a form was taken: to load it again sends nothing again."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def page_of(request_id: str) -> str:
    return f"/requests/{quote(request_id, safe='')}"


def where_from(form: Filled, request_id: str) -> str:
    """The page that the form stood on: the desk, or that of the request."""
    return page_of(request_id) if form.get("from") == "request" else "/"
