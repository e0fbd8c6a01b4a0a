"""Somebody at the desk, without a browser: what the pages say, and what their forms send."""

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from activities.http.tls import trusted_roots
from deploy.client.keys import Right, add_key
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door

FORM = re.compile(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
LOOKED_AT = {"Accept": "text/html"}


class Desk(httpx.AsyncClient):
    """Keeps its cookies, and asks for pages."""

    async def page(self, path: str = "/", status: int = 200) -> str:
        answer = await self.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    async def page_with(self, text: str, path: str = "/") -> str:
        """A page, as soon as it has this text."""

        async def look() -> str | None:
            page = await self.page(path)
            return page if text in page else None

        return await eventually(look)

    async def fill(self, path: str, page: str = "/", **fields: str) -> httpx.Response:
        """Fill the form that leads to `path` on a page, as soon as there is one, and send it."""

        async def look() -> str | None:
            forms = dict(FORM.findall(await self.page(page)))
            return next((text for action, text in forms.items() if html.unescape(action) == path), None)

        found = await eventually(look)
        hidden = {name: html.unescape(value) for name, value in HIDDEN.findall(found)}
        return await self.post(path, data=hidden | fields)


@asynccontextmanager
async def at_the_desk(door: Door, name: str, *may: Right) -> AsyncGenerator[Desk]:
    """Somebody who has signed in."""
    key = add_key(door.keys, name, may)
    async with Desk(verify=trusted_roots(), base_url=door.url, headers=LOOKED_AT, timeout=30) as desk:
        answer = await desk.fill("/sign-in", "/sign-in", key=key)
        assert answer.status_code == 303, answer.text
        yield desk
