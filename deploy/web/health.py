"""Whether the door is there, and whether it can do anything; for orchestrators, which need no key."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from deploy.web.door import TheDoor, answer
from deploy.web.problems import AGAIN_IN, Kind, Problem, documented

LONGEST_CHECK = 2
"""Seconds."""

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.head("/healthz", include_in_schema=False)  # which is what some monitors ask
@router.get("/healthz", response_model=Health)
async def healthz() -> Response:
    """The process answers."""
    return answer(Health())


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", response_model=Health, responses=documented(Kind.UNAVAILABLE))
async def readyz(door: TheDoor) -> Response:
    """Temporal answers too."""
    try:
        async with asyncio.timeout(LONGEST_CHECK):
            is_there = await door.client.service_client.check_health()
    except Exception as error:  # whatever keeps it from answering
        raise Problem(Kind.UNAVAILABLE, f"Temporal does not answer: {error}", again_in=AGAIN_IN) from error
    if not is_there:
        raise Problem(Kind.UNAVAILABLE, "Temporal is not ready", again_in=AGAIN_IN)
    return answer(Health())
