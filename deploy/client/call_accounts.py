"""What a request's history says of each of its calls, gathered step by step."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, JsonValue

from activities.model.origins import Origin, Said
from activities.toolkit.function_names import FIND_TOOLS
from deploy.client.steps import (
    Asked,
    AskedAgain,
    Broke,
    Calling,
    Crashed,
    Decided,
    EditRefused,
    Ended,
    MessageCame,
    NotRun,
    Replied,
    Returned,
    Ruled,
    Settled,
    Step,
    Took,
)
from workflows.contract.api import Approve, Receipt, ReceiptStatus, Reject, Request
from workflows.contract.conversation import AssistantEntry, UserEntry
from workflows.contract.internal import ProposedCall, Route
from workflows.contract.plans import THE_PLAN, WRITES
from workflows.contract.progress import Progress
from workflows.contract.rehearsing import TakenPlan
from workflows.contract.values import Arguments, Effect, position, texts


class Verdict(BaseModel):
    """A person's word on a call."""

    model_config = ConfigDict(frozen=True)

    yes: bool
    by: str
    at: datetime
    digest: str
    reason: str = ""
    arguments: Arguments | None = None
    """What they put in place of the call's own."""
    of_plan: bool = False
    """It was about the whole plan that the call is of."""
    came_to: str = ""
    """Why it did not count."""


@dataclass
class CallAccount:
    """One call."""

    key: str
    tool: str
    arguments: Arguments
    asked_at: datetime | None = None
    proposed: ProposedCall | None = None
    said: tuple[Said, ...] = ()
    """What others than the model had said before it made the call."""
    after_untrusted: bool = False
    about: str = ""
    effect: Effect | None = None
    approved_by: str = ""
    over_budgets: tuple[str, ...] = ()
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    began_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: int = 0
    failed_before: str = ""
    attempt_error: str = ""
    status: ReceiptStatus | None = None
    result: JsonValue = None
    error: str = ""
    ledger_key: str | None = None
    whole: bool = True
    """Its history is all there; otherwise only a later run's receipt speaks of it."""

    @property
    def route(self) -> Route | None:
        return self.proposed.route if self.proposed else None

    @property
    def by_a_person(self) -> bool:
        return bool(self.approved_by) and self.approved_by not in ("policy", "requester")

    @property
    def yes(self) -> Verdict | None:
        """The one that it ran with."""
        given = (each for each in reversed(self.verdicts) if each.yes and not each.came_to)
        return next((each for each in given if each.by == self.approved_by), None) if self.by_a_person else None

    @property
    def edited(self) -> bool:
        return any(each.yes and each.arguments is not None for each in self.verdicts)

    @property
    def shortened(self) -> bool:
        """Its arguments are known only from a receipt, which may have only their beginnings."""
        return not self.whole

    def tried(self, took: Took, at: datetime, before: int) -> None:
        self.attempts, self.failed_before = before + took.attempts, took.after
        self.began_at = self.began_at or at - timedelta(seconds=took.seconds)
        self.ended_at = at

    def close(self, receipt: Receipt) -> None:
        """The receipt is the last word, but knows of arguments perhaps only their beginnings."""
        self.status, self.error = receipt.status, receipt.error or ""
        self.result = receipt.result if self.result is None else self.result
        self.approved_by = self.approved_by or receipt.approved_by or ""
        self.effect = self.effect or receipt.effect
        self.attempts = max(self.attempts, receipt.attempts)
        self.began_at = self.began_at or receipt.started_at
        self.ended_at = self.ended_at or receipt.finished_at
        self.ledger_key = receipt.ledger_key


@dataclass
class RequestAccount:
    """One request, as far as the steps taken so far tell. `request_id` is as in the calls' keys."""

    request_id: str
    text: str = ""
    requester: str = ""
    approve: tuple[str, ...] = ()
    request: Request | None = None
    messages: dict[str, str] = field(default_factory=dict[str, str])
    """That were said after it and answer no question, by id."""
    started_at: datetime | None = None
    ended: str = ""
    summary: str = ""
    calls: dict[str, CallAccount] = field(default_factory=dict[str, CallAccount])
    """By position, or by key where it is not of this run."""
    _said: list[Said] = field(default_factory=list[Said])
    _untrusted: bool = False

    def take(self, step: Step, at: datetime) -> None:
        match step:
            case Asked(request):
                self._begin(request, at)
            case MessageCame(message):
                self.messages[message.id] = message.text
                self._hear(Origin(where="message", by=message.by), message.text)
            case Replied(message):
                self.messages.pop(message.id, None)
                self._hear(Origin(where="answer", by=message.by), message.text)
            case Decided(turn, decision):
                self.propose(turn, decision.calls, at)
            case Calling() | Returned() | Broke() | Settled() | NotRun():
                self._work(step, at)
            case Ruled() | EditRefused() | AskedAgain():
                self._judge(step, at)
            case Ended(outcome):
                self.ended, self.summary = outcome.status.value, outcome.summary
                self._close(outcome.receipts)
            case Crashed() as crash:
                self.ended = str(crash)
            case _:
                pass

    def propose(self, turn: int, calls: Iterable[ProposedCall], at: datetime) -> None:
        """The model has asked for these, or the requester."""
        for index, proposed in enumerate(calls, start=1):
            place = position(turn, index)
            self.calls[place] = CallAccount(
                key=f"{self.request_id}/{place}",
                tool=proposed.tool,
                arguments=proposed.arguments,
                asked_at=at,
                proposed=proposed,
                said=tuple(self._said),
                after_untrusted=self._untrusted,
                about=proposed.about,
                effect=proposed.route.effect if proposed.route else None,
            )

    def take_plan(self, plan: TakenPlan, at: datetime) -> None:
        """The writes of a plan that is applied; where their values came from, its rehearsal tells."""
        if position(WRITES, 1) in self.calls:  # after the yes it is held once more to what is so then
            return
        calls = [write.proposed for write in plan.writes]
        self._said += [Said(Origin(where="plan"), tuple(texts(call.arguments))) for call in calls]
        self.propose(WRITES, calls, at)

    def _begin(self, request: Request, at: datetime) -> None:
        self.request = request
        self.text, self.requester, self.approve, self.started_at = request.title, request.requester, request.approve, at
        self._hear(Origin(where="request"), request.text)
        if request.call:
            self._said.append(Said(Origin(where="request"), tuple(texts(request.call.arguments))))
        if progress := Progress.carried_by(request):
            self._recall(progress)

    def _recall(self, progress: Progress) -> None:
        """What an earlier run, whose history is gone, gave to this one."""
        self._untrusted = progress.untrusted
        for entry in progress.conversation:
            if isinstance(entry, UserEntry):
                self._hear(Origin(where="message"), entry.text)
            elif isinstance(entry, AssistantEntry):
                for place, call in entry.positioned:
                    if call.told and not call.told.failed:
                        self._bring(call.tool, place, call.told.value, untrusted=call.told.untrusted)
        self._close(progress.receipts)

    def _work(self, step: Calling | Returned | Broke | Settled | NotRun, at: datetime) -> None:
        match step:
            case Calling(call, about):
                if each := self._of(call.key):
                    each.about = each.about if each.arguments == call.arguments else about
                    each.arguments, each.approved_by = call.arguments, call.approved_by
                    each.began_at = each.began_at if call.tried_before else at
                    each.over_budgets = call.over_budgets
            case Returned(calling, result, took):
                if each := self._of(calling.call.key):
                    each.tried(took, at, calling.call.tried_before)
                    each.failed_before = each.failed_before or each.attempt_error
                    each.attempt_error = each.error = ""
                    each.status, each.result, each.ledger_key = ReceiptStatus.DONE, result.value, result.ledger_key
                    untrusted = bool(each.route and each.route.untrusted)
                    self._untrusted = self._untrusted or untrusted
                    place = each.key.rpartition("/")[2]
                    self._bring(each.tool, place, result.value, untrusted=untrusted)
            case Broke(Calling(call), error, took):
                if each := self._of(call.key):
                    each.tried(took, at, call.tried_before)
                    each.attempt_error = each.error = error
                    self._untrusted = self._untrusted or bool(each.route and each.route.untrusted)
                    each.status = ReceiptStatus.FAILED if each.effect == "read" else each.status
            case Settled(call, settlement):
                if each := self._of(call.key):
                    each.status, each.ledger_key = settlement.status, settlement.ledger_key
            case NotRun(tool, status, error):
                idle = (each for each in self.calls.values() if each.tool == tool and not each.began_at)
                if each := next((each for each in idle if each.status is None), None):
                    each.status = ReceiptStatus(status) if status in set(ReceiptStatus) else None
                    each.error = error
            case _:
                pass

    def _judge(self, step: Ruled | EditRefused | AskedAgain, at: datetime) -> None:
        came_to = ""
        match step:
            case EditRefused(_, error):
                came_to = f"refused: {error}"
            case AskedAgain(_, pending):
                came_to = f"a second yes was asked for: {pending.reason}"
            case _:
                pass
        of_plan = step.verdict.key.endswith(f"/{THE_PLAN}")
        for each in self._judged(step.verdict.key):
            each.verdicts.append(_verdict(step.verdict, at, came_to).model_copy(update={"of_plan": of_plan}))
            if not came_to and isinstance(step.verdict, Reject):
                each.status, each.error = ReceiptStatus.REJECTED, f"rejected by {step.verdict.by}"

    def _judged(self, key: str) -> list[CallAccount]:
        """The call that a verdict is about; where it is about a plan, all its writes."""
        if not key.endswith(f"/{THE_PLAN}"):
            return [each for each in (self._of(key),) if each]
        return [each for place, each in self.calls.items() if place.startswith(f"{WRITES}.")]

    def _close(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            each = None if receipt.earlier else self._of(receipt.key)
            if each is None and not receipt.earlier:
                each = CallAccount(receipt.key, receipt.tool, receipt.arguments, whole=False)
                self.calls[receipt.key.rpartition("/")[2]] = each
            if each:
                each.close(receipt)

    def _of(self, key: str) -> CallAccount | None:
        return self.calls.get(key.rpartition("/")[2])

    def _hear(self, origin: Origin, text: str) -> None:
        if text:
            self._said.append(Said(origin, (text,)))

    def _bring(self, tool: str, place: str, value: JsonValue, *, untrusted: bool) -> None:
        if tool != FIND_TOOLS:
            where = "stranger" if untrusted else "tool"
            self._said.append(Said.of(Origin(where=where, tool=tool, position=place), value))


def _verdict(verdict: Approve | Reject, at: datetime, came_to: str) -> Verdict:
    return Verdict(
        yes=isinstance(verdict, Approve),
        by=verdict.by,
        at=at,
        digest=verdict.digest,
        reason=verdict.reason if isinstance(verdict, Reject) else "",
        arguments=verdict.arguments if isinstance(verdict, Approve) else None,
        came_to=came_to,
    )
