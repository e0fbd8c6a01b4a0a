"""Waiting for a person's yes or no to one exact call."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import timeline
from workflows.activity_results import UnusableResult, execute
from workflows.contract.api import Approve, PendingApproval, Reject
from workflows.contract.approvals import ApprovalRules, is_same_person, may_decide
from workflows.contract.internal import CHECK, EditedCall, ProposedCall, Route, ToolCall
from workflows.contract.plans import is_of_a_plan
from workflows.contract.values import Arguments
from workflows.conversation import Conversation
from workflows.markdown import code

Verdict = Approve | Reject
IN_ADVANCE = ("policy", "requester")
"""Who a receipt says has approved, where it was nobody who decided about the call itself."""
READ_OTHERWISE = "an edit that its tool reads otherwise is shown again"
Why = Callable[[ProposedCall], str]
"""Why a call needs a person: what the rules say of it as it is; empty where they say nothing."""
Forbidden = Callable[[Route], str]
"""Why nobody may say yes to a call of this route; empty where somebody may."""


@dataclass(frozen=True)
class Expired:
    """Nobody decided in time, which is a no."""

    reason: str


class Approvals:
    """The calls that wait, and what was decided about those that did.

    `changed` is called whenever a call starts or stops waiting, `reworded` when one waits as a person has edited it.
    """

    def __init__(
        self,
        requester: str,
        conversation: Conversation,
        changed: Callable[[], None],
        reworded: Callable[[], None],
    ) -> None:
        self._requester = requester
        self._conversation = conversation
        self._changed = changed
        self._reworded = reworded
        self._waiting: dict[str, PendingApproval] = {}
        self._calls: dict[str, ToolCall] = {}
        self._why: dict[str, Why] = {}
        self._forbidden: dict[str, Forbidden] = {}
        self._shown: dict[str, set[str]] = {}
        """The reasons that people have seen, by key."""
        self._verdicts: dict[str, Verdict] = {}
        self.rules: dict[str, ApprovalRules] = {}
        """The policy's, by the key of the call that waits."""
        self.edited: dict[str, ProposedCall] = {}
        """Calls by key, as a person changed them."""
        self.edited_by: dict[str, str] = {}

    @property
    def waiting(self) -> tuple[PendingApproval, ...]:
        return tuple(self._waiting.values())

    async def ask(
        self, call: ToolCall, proposed: ProposedCall, why: Why, forbidden: Forbidden, wait: timedelta
    ) -> Verdict | Expired:
        """Wait for a verdict, for so long."""
        reason = why(proposed)
        self._verdicts.pop(call.key, None)  # it may have waited before, for another reason
        self._calls[call.key], self._why[call.key], self._forbidden[call.key] = call, why, forbidden
        # Who sees a figure that nobody mentioned, and edits the call, has seen enough for the call as edited.
        self._shown[call.key] = {reason, why(_without_figures(proposed))}
        rules = proposed.route.approval if proposed.route else None
        if rules:
            self.rules[call.key] = rules
        self._waiting[call.key] = PendingApproval(
            key=call.key,
            digest=call.approval_digest,
            tool=call.tool,
            arguments=call.arguments,
            about=proposed.about,
            reason=reason,
            four_eyes=proposed.route is not None and proposed.route.four_eyes,
            approvers=rules.approvers if rules else (),
            expires_at=workflow.now() + wait,
        )
        self._changed()
        verdict: Verdict | Expired
        try:
            await workflow.wait_condition(
                lambda: call.key in self._verdicts,
                timeout=wait,
                timeout_summary=f"until approval of {code(f'{call.tool} {proposed.about}', 160)} expires",
            )
            verdict = self._verdicts[call.key]
        except TimeoutError:
            late = Expired(f"nobody approved it within {timeline.span(wait)}")
            verdict = self._verdicts.get(call.key, late)
        except asyncio.CancelledError:
            self._stop_waiting(call.key)
            raise
        self._stop_waiting(call.key)
        return verdict

    def _stop_waiting(self, key: str) -> None:
        # Not in a `finally`: a run that its worker evicts is closed in the middle, and must not act then.
        del self._waiting[key]
        self._changed()

    def check(self, verdict: Verdict) -> None:
        """Refuse a verdict that is not about a call exactly as it waits.

        Raises:
            ApplicationError: `NotWaiting` (its detail is who decided, if somebody did), `DigestMismatch`,
                `NotAnApprover`, `OwnRequest`, `InvalidArguments` (a plan cannot be edited) or `BadRequest`; the Update
                is then rejected and leaves no trace.
        """
        if verdict.by.strip().casefold() in IN_ADVANCE:
            why = f"by: {verdict.by.strip()} is nobody's name here: it stands for a yes given in advance"
            raise ApplicationError(why, type="BadRequest", non_retryable=True)
        pending = self._waiting.get(verdict.key)
        if pending is None or verdict.key in self._verdicts:
            decided = self._verdicts.get(verdict.key)
            waiting = f"; {', '.join(self._waiting)} waits" if self._waiting else ""
            what = f"it was decided by {decided.by}" if decided else f"no such call waits for approval{waiting}"
            by = [decided.by] if decided else []
            raise ApplicationError(f"{verdict.key}: {what}", *by, type="NotWaiting", non_retryable=True)
        if verdict.digest != pending.digest:
            raise ApplicationError(
                f"{verdict.key}: the call that waits is not the one of this digest; look at it before deciding",
                type="DigestMismatch",
                non_retryable=True,
            )
        if isinstance(verdict, Approve) and verdict.arguments is not None and is_of_a_plan(verdict.key):
            why = "a plan is approved as it stands, and cannot be edited; reject it, and rehearse again"
            raise ApplicationError(f"{verdict.key}: {why}", type="InvalidArguments", non_retryable=True)
        if not may_decide(pending.approvers, verdict.by):
            who = f"the policy lets {', '.join(pending.approvers)} decide about it, and not {verdict.by}"
            raise ApplicationError(f"{verdict.key}: {who}", type="NotAnApprover", non_retryable=True)
        asked = (self._requester, *self._conversation.speakers)
        if pending.four_eyes and isinstance(verdict, Approve) and any(is_same_person(verdict.by, who) for who in asked):
            raise ApplicationError(
                f"{verdict.key}: {verdict.by} asked for it, and the policy wants the yes of somebody else",
                type="OwnRequest",
                non_retryable=True,
            )

    def settle(self, verdict: Verdict) -> None:
        self._verdicts[verdict.key] = verdict

    async def settle_edited(self, verdict: Approve, arguments: Arguments) -> PendingApproval | None:
        """A yes to other arguments than the call's own, if the tool takes them and the policy does not forbid them.

        Where the rules say something of them that nobody has seen yet, or the tool does not take them just as they were
        written, the call waits with them for a second yes, and is returned as it waits then.

        Raises:
            ApplicationError: `InvalidArguments`, or of the kinds of `check`; the call goes on waiting.
        """
        waiting = self._waiting[verdict.key]
        call = ToolCall(key=verdict.key, tool=waiting.tool, arguments=arguments, requester=self._requester)
        try:
            edited = await execute(
                CHECK,
                EditedCall(call=call, conversation=self._conversation.mentioning(arguments)),
                ProposedCall,
                summary=f"edited by {code(verdict.by, 160)}",
                start_to_close_timeout=timedelta(seconds=10),
                schedule_to_close_timeout=timedelta(minutes=1),
            )
        except UnusableResult as error:
            raise ApplicationError(f"{verdict.key}: {error}", type="InvalidArguments", non_retryable=True) from error
        why_not = self._forbidden[verdict.key](edited.route) if edited.route else edited.error or "it cannot be run"
        if why_not:
            raise ApplicationError(f"{verdict.key}: {why_not}", type="InvalidArguments", non_retryable=True)
        self.check(verdict)  # somebody else may have decided while the arguments were looked at
        self.edited[verdict.key] = edited
        self.edited_by[verdict.key] = verdict.by
        reason = self._unseen(verdict.key, edited, arguments)
        if not reason:
            self.settle(verdict)
            return None
        return self._ask_again(waiting, edited, reason)

    def _unseen(self, key: str, edited: ProposedCall, written: Arguments) -> str:
        """Why an edited call needs a second yes; empty where there is nothing that nobody has seen."""
        reason = self._why[key](edited)
        # Asked only here, so that the histories of all other edits go on as they did.
        if edited.arguments != written and workflow.patched(READ_OTHERWISE):
            reason = "; ".join(filter(None, (reason, "the tool takes what was written as it stands here")))
        elif reason in self._shown[key]:
            return ""
        if reason:
            self._shown[key].add(reason)
        return reason

    def _ask_again(self, waiting: PendingApproval, edited: ProposedCall, reason: str) -> PendingApproval:
        call = self._calls[waiting.key].model_copy(update={"arguments": edited.arguments})
        news = {"digest": call.approval_digest, "arguments": call.arguments, "about": edited.about, "reason": reason}
        self._waiting[waiting.key] = again = waiting.model_copy(update=news)
        self._reworded()
        return again


def _without_figures(proposed: ProposedCall) -> ProposedCall:
    """A call as `check` returns it when a person has edited it: what people write needs no ground."""
    route = proposed.route and proposed.route.model_copy(update={"unsupported": (), "strangers": ()})
    return proposed.model_copy(update={"route": route})
