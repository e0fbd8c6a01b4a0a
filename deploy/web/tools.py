"""Tools: what a worker with the door's environment would offer, and why not the rest."""

import asyncio
import time
from dataclasses import dataclass, field

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from deploy.client.tools import ListedTool, tools_of_a_worker
from deploy.web import examples
from deploy.web.door import ALWAYS, AnyCaller, answer
from deploy.web.problems import documented, of_the_door

KEPT = 60.0
"""Seconds."""

router = APIRouter(tags=["tools"])


class Tools(BaseModel):
    """Those that are offered first; of the others, `left_out` says why they are not."""

    model_config = ConfigDict(frozen=True)

    tools: list[ListedTool]


@dataclass
class _Loaded:
    """Loading them takes a second or more, so they are kept for a minute."""

    tools: Tools | None = None
    until: float = 0
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self) -> Tools:
        async with self.one_at_a_time:
            if self.tools is None or time.monotonic() > self.until:
                self.tools = Tools(tools=await tools_of_a_worker())
                self.until = time.monotonic() + KEPT
            return self.tools


loaded = _Loaded()


@router.get(
    "/v1/tools",
    response_model=Tools,
    responses={
        200: {"content": {"application/json": {"example": {"tools": [examples.TOOL]}}}},
        **documented(*ALWAYS),
    },
)
async def list_tools(_: AnyCaller) -> Response:
    """List the tools that a worker with the door's settings would offer, and why others are left out."""
    with of_the_door():
        return answer(await loaded.get())
