"""Waiting for what a person answers to the model's question."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import timeline
from workflows.contract.api import PendingQuestion, Say
from workflows.contract.internal import ToolCall
from workflows.markdown import code


class Questions:
    """The questions that wait, the one that was asked first in front, and what was answered to those that did.

    `changed` is called whenever a question starts or stops waiting.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._waiting: dict[str, PendingQuestion] = {}
        self._answers: dict[str, Say] = {}

    @property
    def waiting(self) -> tuple[PendingQuestion, ...]:
        return tuple(self._waiting.values())

    async def ask(self, call: ToolCall, text: str, wait: timedelta) -> JsonValue:
        """Wait for an answer, for so long.

        Returns:
            What is the result of the call: `answer` and `by`; where there is no answer, why.
        """
        self._waiting[call.key] = PendingQuestion(key=call.key, text=text, expires_at=workflow.now() + wait)
        if len(self._waiting) == 1:
            timeline.awaiting_answer(True)
        self._changed()
        try:
            await workflow.wait_condition(
                lambda: call.key in self._answers,
                timeout=wait,
                timeout_summary=f"until the question {code(text, 160)} expires",
            )
        except TimeoutError:
            pass  # an answer that came in the same moment counts all the same
        except asyncio.CancelledError:
            self._stop_waiting(call.key)
            raise
        self._stop_waiting(call.key)
        answer = self._answers.get(call.key)
        if answer is None:
            return {"answer": None, "reason": f"nobody answered within {timeline.span(wait)}"}
        return {"answer": answer.text, "by": answer.by} if answer.by else {"answer": answer.text}

    def check(self, message: Say) -> None:
        """Refuse an answer to a question that does not wait.

        Raises:
            ApplicationError: `NotWaiting`.
        """
        if message.question and message.question not in self._waiting:
            what = "it was answered" if message.question in self._answers else "no such question waits for an answer"
            raise ApplicationError(f"{message.question}: {what}", type="NotWaiting", non_retryable=True)

    def answer(self, message: Say) -> str:
        """Take a message for the answer to the question that it names, or to the first.

        Returns:
            The key of the question.
        """
        key = message.question or next(iter(self._waiting))
        self._answers[key] = message
        self._stop_waiting(key)
        return key

    def _stop_waiting(self, key: str) -> None:
        if self._waiting.pop(key, None) is None:
            return
        if not self._waiting:
            timeline.awaiting_answer(False)
        self._changed()
