"""The log of a process: one line an event, whoever logs it, and no secret on any."""

import asyncio
import io
import json
import logging

import pytest
import structlog
from temporalio import activity

from activities.failures import ActivityFailed
from activities.redaction import REDACTED, SECRETS
from tests.logged import Line, lines_of, logged

SECRET = 'hush-hush "logs"'


@pytest.fixture(autouse=True)
def known() -> None:
    SECRETS.add(SECRET)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Holder:
    def __repr__(self) -> str:
        return f"Holder({SECRET!r})"


def fail() -> None:
    hidden = f"a long text in front of it, so that it would be cut: {SECRET}"
    raise ValueError(f"not {hidden}")


def test_what_structlog_is_told_is_redacted_in_every_field() -> None:
    with logged() as log:
        structlog.stdlib.get_logger("x").warning(f"of {SECRET}", token=SECRET, deep=[{"a": SECRET}], holder=Holder())
    [line] = lines_of(log)
    assert (line["event"], line["token"], line["deep"]) == (f"of {REDACTED}", REDACTED, [{"a": REDACTED}])
    assert line["holder"] == f"Holder('{REDACTED}')"


@pytest.mark.parametrize("name", ["httpx", "openai", "temporalio.worker", "asyncio", "sqlalchemy.pool", "elsewhere"])
def test_so_is_what_others_log_with_its_traceback(name: str) -> None:
    with logged() as log:
        try:
            fail()
        except ValueError:
            logging.getLogger(name).exception("%s of %r", SECRET, {"token": SECRET})
    [line] = lines_of(log)
    assert line["logger"] == name
    assert f"ValueError: not a long text in front of it, so that it would be cut: {REDACTED}" in str(line)
    assert "hush" not in log.getvalue()


def test_on_a_terminal_a_traceback_shows_no_variables() -> None:
    with logged(Terminal()) as log:
        try:
            fail()
        except ValueError:
            structlog.stdlib.get_logger("x").exception("failed")
    assert "ValueError" in log.getvalue()
    assert "hush" not in log.getvalue()


def test_every_line_says_what_its_context_knows() -> None:
    with logged() as log, structlog.contextvars.bound_contextvars(request_id="r-1", tool="look_up"):
        structlog.stdlib.get_logger("x").info("ours")
        logging.getLogger("elsewhere").info("theirs")
        activity.logger.info("the SDK's")
    assert [(line["event"], line["request_id"], line["tool"]) for line in lines_of(log)] == [
        (event, "r-1", "look_up") for event in ("ours", "theirs", "the SDK's")
    ]


def test_a_failure_that_its_activity_has_logged_is_not_told_again() -> None:
    def told(error: BaseException) -> list[Line]:
        with logged() as log:
            try:
                raise error
            except BaseException:
                activity.logger.warning("Completing activity as failed", exc_info=True)
        return lines_of(log)

    assert told(ActivityFailed("no")) == []
    assert "exception" in told(ValueError("arguments that cannot be decoded"))[0]
    assert "exception" not in told(asyncio.CancelledError())[0]


def test_a_secret_is_found_in_JSON_within_JSON() -> None:
    with logged() as log:
        structlog.stdlib.get_logger("x").info(json.dumps({"token": SECRET}))
    assert lines_of(log)[0]["event"] == f'{{"token": "{REDACTED}"}}'


def test_without_contents_a_line_says_what_went_wrong_and_where_but_not_in_what_words() -> None:
    with logged(contents=False) as log:
        structlog.stdlib.get_logger("a").info(
            "activity failed", error="NotFound", reason="no entry for canary", key="r/1"
        )
        structlog.stdlib.get_logger("a").error("a mistake", error="ValueError: canary")
        for logger in (structlog.stdlib.get_logger("a"), logging.getLogger("temporalio.worker")):
            try:
                raise ValueError("canary\n  canary: canary")
            except ValueError:
                logger.exception("it failed")
    assert "canary" not in log.getvalue()
    expected, mistake, own, foreign = lines_of(log)
    assert (expected["error"], expected["key"]) == ("NotFound", "r/1")
    assert mistake["error"] == "ValueError"
    for line in (own, foreign):
        assert str(line["exception"]).startswith('  File "')
