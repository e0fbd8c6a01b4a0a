"""Tools that tell a secret in every way in which a tool can. Each way has a secret of its own."""

import base64
import logging
from typing import NoReturn
from urllib.parse import quote

import structlog
from pydantic import BaseModel, SecretStr
from temporalio.exceptions import ApplicationError

from activities.errors import NotFound, OutcomeUnknown, ServiceRefused
from activities.toolkit.tool import tool


class LeakySettings(BaseModel):
    """As a third-party tool's settings may be."""

    tokens: dict[str, SecretStr] = {}
    """By the way that they are told."""


settings = LeakySettings()


def _token(how: str) -> str:
    return settings.tokens[how].get_secret_value()


@tool(about="{how}", attempts=1)
async def leaky_read(how: str) -> object:
    """Read with a secret.

    Args:
        how: It goes wrong, or right.
    """
    secret = _token(how)
    basic = base64.b64encode(f"\0ann\0{secret}".encode()).decode()
    match how:
        case "mistake":
            raise ValueError(f"cannot use {secret}")
        case "group":
            raise ExceptionGroup(f"two of {secret}", [ValueError(secret), KeyError(secret)])
        case "chain":
            return _refuse(secret)
        case "application error":
            raise ApplicationError(f"refused {secret}", {"sent": f"Bearer {secret}"}, non_retryable=True)
        case "long":
            raise NotFound("x" * 1980 + secret)
        case "log":
            _log(secret)
            return "logged"
        case _:
            echo = {"authorization": f"Basic {basic}", f"x-{secret}": [f"/v1?token={quote(secret, safe='')}", 7]}
            return {"headers": echo, "url": f"https://ann:{secret}@example.com", "long": "x" * 16_300 + secret}


@tool(effect="write", about="{how}", attempts=1)
async def leaky_write(how: str) -> str:
    """Write with a secret.

    Args:
        how: It goes wrong, or right.
    """
    secret = _token(how)
    match how:
        case "write: mistake":
            raise KeyError(secret)
        case "write: refused":
            raise ServiceRefused(f"no account for {secret}")
        case "write: unknown":
            raise OutcomeUnknown(f"nobody answers {secret}") from ValueError(secret)
        case _:
            return f"written with {secret}"


def _refuse(secret: str) -> NoReturn:
    try:
        raise KeyError(secret)
    except KeyError:
        try:
            raise TypeError(f"at first {secret}")
        except TypeError as error:
            raise ServiceRefused("the service says no") from error


def _log(secret: str) -> None:
    structlog.stdlib.get_logger("leaky").warning("sent", header=f"Bearer {secret}", whole={"token": secret})
    for foreign in ("httpx", "openai", "temporalio.activity", "asyncio", "sqlalchemy.pool"):
        try:
            _refuse(secret)
        except ServiceRefused:
            logging.getLogger(foreign).exception("of %r", {"token": secret}, extra={"token": secret})
