"""The messages to a request: the text that it starts with, and what is said to it while it is kept open."""

from collections import Counter
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import receipts
from workflows.contract.api import Outcome, Request, RequestStatus, Say, UpdateError
from workflows.contract.approvals import VERDICT_ID
from workflows.contract.progress import Messages, QueuedMessage
from workflows.contract.values import is_blank
from workflows.questions import Questions
from workflows.size_limits import size

IDLE = "until it is closed because nobody says anything"
"""The summary of the timer that runs while a request waits for a message."""
KEPT_BYTES = 64 * 1024
"""Of an outcome that is carried along for a caller who asks for it again."""
MOST_WAITING = 5
"""Temporal takes ten Updates at once, and a yes to a call that waits must get in too."""
REMEMBERED = 100
"""Ids of answered messages that are known beyond a continue-as-new."""


class Inbox:
    """Every message is answered once, in the order in which they came. What is said while a question of the model's
    waits is the answer to it, also where the request is not kept open."""

    def __init__(self, request: Request, messages: Messages, questions: Questions) -> None:
        self._questions = questions
        self._idle = timedelta(seconds=request.limits.idle_seconds)
        self._open = request.keep_open and not messages.closed
        self._moving = False
        self._waiting = list(messages.waiting)
        self._under_way = messages.under_way
        self._outcomes: dict[str, Outcome | None] = dict.fromkeys(messages.answered)
        self._asking = Counter[str]()
        self.latest = messages.latest
        if messages.latest and messages.answered:
            self._outcomes[messages.answered[-1]] = messages.latest

    @property
    def is_open(self) -> bool:
        """Whether more may be said."""
        return self._open

    @property
    def under_way(self) -> bool:
        return self._under_way is not None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def text(self) -> str:
        """Of the message that is worked on."""
        return self._under_way.text if self._under_way else ""

    # --- for the loop

    async def has_message(self) -> bool:
        """Wait for a message; False where none will come any more."""
        if self._open and not self._waiting and not self._under_way:
            try:
                await workflow.wait_condition(
                    lambda: bool(self._waiting) or not self._open,
                    timeout=self._idle,
                    timeout_summary=IDLE,
                )
            except TimeoutError:
                self._open = bool(self._waiting)
        return bool(self._waiting or self._under_way)

    def begin(self) -> QueuedMessage | None:
        """The next message; None where an earlier run has begun the one that is to be worked on."""
        if self._under_way:
            return None
        self._under_way = self._waiting.pop(0)
        return self._under_way

    def answer(self, outcome: Outcome) -> None:
        """The outcome of the message that is worked on. With a cancellation, nothing that waits is begun."""
        answered = [self._under_way] if self._under_way else []
        not_begun: list[QueuedMessage] = []
        if outcome.status is RequestStatus.CANCELLED:
            self._open = False
            not_begun, self._waiting = self._waiting, []
        self._under_way = None
        self.latest = outcome
        # An outcome is kept for as long as somebody waits for it, and the last one beyond that.
        self._outcomes = {id: kept if self._asking[id] else None for id, kept in self._outcomes.items()}
        self._outcomes.update({message.id: outcome for message in answered})
        self._outcomes.update({message.id: _not_begun(outcome) for message in not_begun})

    def move(self) -> None:
        """Send away whoever waits for an answer, because the request goes on in a new run."""
        self._moving = True

    def messages(self) -> Messages:
        """What the new run has to know."""
        return Messages(
            waiting=tuple(self._waiting),
            under_way=self._under_way,
            answered=tuple(self._outcomes)[-REMEMBERED:],
            latest=self.latest and _shortened(self.latest),
            closed=not self._open,
        )

    # --- for the Updates

    def check(self, message: Say) -> None:
        """Refuse a message that cannot be taken now.

        Raises:
            ApplicationError: `NotOpen`, `Moved`, `Busy`, `NotWaiting` or `BadRequest`; the Update is rejected, without
                a trace.
        """
        if is_blank(message.text):
            raise _refusal("BadRequest", "text: it is blank")
        if _update_id().startswith(VERDICT_ID):
            raise _refusal("BadRequest", f"message_id: {VERDICT_ID}… are the ids of verdicts; use another")
        if self._moving:
            raise _refusal("Moved", "the request goes on in a new run; say it again under the same id")
        if self._knows(_update_id()):
            return
        self._questions.check(message)
        if self._questions.waiting:
            return
        if not self._open:
            why = "this request takes no further message, and no question of it waits; start one with keep_open"
            raise _refusal("NotOpen", why)
        if len(self._waiting) >= MOST_WAITING:
            raise _refusal("Busy", f"{MOST_WAITING} messages wait already; say it again later")

    async def say(self, message: Say) -> Outcome:
        """Give an answer to the question that waits; where none does, queue a message and wait for its outcome. Of one
        that was said before, under the same id, only wait.

        Raises:
            ApplicationError: as for `check`, or `AnsweredBefore`: its outcome is not kept any more.
        """
        self.check(message)  # once more: the question may be over by now
        id = _update_id()
        if not self._knows(id):
            self._take(id, message)
        self._asking[id] += 1
        await workflow.wait_condition(lambda: id in self._outcomes or self._moving)
        self._asking[id] -= 1
        if id not in self._outcomes:
            raise _refusal("Moved", "the request goes on in a new run; say it again under the same id")
        outcome = self._outcomes[id]
        if outcome is None:
            raise _refusal("AnsweredBefore", "this message was answered before, and its outcome is not kept any more")
        return outcome

    def _take(self, id: str, message: Say) -> None:
        if not self._questions.waiting:
            self._waiting.append(QueuedMessage(id=id, text=message.text, by=message.by))
            return
        key = self._questions.answer(message)
        request_id = workflow.info().workflow_id
        goes_on = Outcome(request_id=request_id, status=RequestStatus.RUNNING, summary=f"This answers {key}.")
        self._outcomes = {id: goes_on, **self._outcomes}  # in front: the last one is the latest message's

    def close(self) -> None:
        self._open = False

    def _knows(self, id: str) -> bool:
        pending = [*self._waiting, self._under_way] if self._under_way else self._waiting
        return id in self._outcomes or any(message.id == id for message in pending)


def _update_id() -> str:
    update = workflow.current_update_info()
    return update.id if update else ""


def _shortened(outcome: Outcome) -> Outcome:
    if size(outcome) <= KEPT_BYTES:
        return outcome
    shorter = outcome.model_copy(update={"receipts": tuple(map(receipts.shortened, outcome.receipts))})
    return shorter if size(shorter) <= KEPT_BYTES else shorter.model_copy(update={"receipts": (), "output": None})


def _not_begun(outcome: Outcome) -> Outcome:
    return outcome.model_copy(update={"summary": "Cancelled before it was begun.", "receipts": ()})


def _refusal(kind: UpdateError, why: str) -> ApplicationError:
    return ApplicationError(why, type=kind, non_retryable=True)
