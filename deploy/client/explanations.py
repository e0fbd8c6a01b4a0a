"""Why a request did what it did: for every call where its arguments came from, who allowed it, and what the ledger saw.

It is put together from the request's history and the ledger alone. What the two say of the same call is compared, and
where they contradict each other that is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from activities.model.origins import Source
from deploy.client.call_accounts import CallAccount, RequestAccount, Verdict
from deploy.client.call_sources import sources_of
from workflows.consent import made_up, of_strangers
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments, Effect

if TYPE_CHECKING:
    from activities.ledger.rows import Action

POLICY, REQUESTER = "policy", "requester"
"""In place of a person, where a yes was given in advance."""
NONE: Mapping[str, str] = {}


class Attempts(BaseModel):
    """What Temporal keeps of a call's attempts: their number, the failure before the last, and how the last ended."""

    model_config = ConfigDict(frozen=True)

    number: int
    scheduled_at: datetime | None = None
    ended_at: datetime | None = None
    failed_before: str = ""
    error: str = ""


class LedgerRow(BaseModel):
    """What the ledger says of a write."""

    model_config = ConfigDict(frozen=True)

    key: str
    digest: str
    state: str
    attempt: int
    approved_by: str
    begun_at: datetime
    finished_at: datetime | None
    result: JsonValue
    error: str | None
    resolved_by: str | None


class ExplainedCall(BaseModel):
    """One call of a request, and why it was or was not made."""

    model_config = ConfigDict(frozen=True)

    key: str
    tool: str
    about: str = ""
    effect: Effect | None = None
    arguments: Arguments
    digest: str
    asked_at: datetime | None = None
    sources: tuple[Source, ...] = ()
    ruling: str = ""
    rule: str = ""
    doubts: tuple[str, ...] = ()
    """Why no yes given in advance counted: it may be made up, or a stranger's."""
    allowed: str = ""
    """Who or what let it run, or why it did not, in a sentence."""
    verdicts: tuple[Verdict, ...] = ()
    status: ReceiptStatus | Literal["open", "not known", "in the ledger only"]
    """Not known is that of a call whose end may be among what cannot be read."""
    error: str | None = None
    attempts: Attempts | None = None
    ledger: LedgerRow | None = None
    contradictions: tuple[str, ...] = ()


class Explanation(BaseModel):
    """A request and its calls, in the model's order."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    text: str = ""
    requester: str = ""
    approved_in_advance: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended: str = ""
    summary: str = ""
    calls: tuple[ExplainedCall, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be looked at."""
    unread: tuple[str, ...] = ()
    """The parts of the history whose keys are not here: nothing is said that they might say otherwise."""

    def only(self, key: str) -> "Explanation":
        """With no call but the one of this key; "2.1" will do."""
        wanted = [call for call in self.calls if key in (call.key, call.key.rpartition("/")[2])]
        return self.model_copy(update={"calls": tuple(wanted)})


def explained(
    request_id: str,
    account: RequestAccount | None,
    rows: "Sequence[Action]",
    notes: Sequence[str] = (),
    *,
    asked: bool,
    unread: Sequence[str] = (),
    damaged: Mapping[str, str] = NONE,
) -> Explanation:
    """Put together what the history and the ledger say.

    Args:
        request_id: whose.
        account: what its history says; None where Temporal has it no longer.
        rows: the ledger's, of this request id.
        notes: what could not be looked at.
        asked: whether the ledger was asked at all; otherwise a write without a row is no contradiction.
        unread: parts of the history that cannot be read; what is not found in the rest may stand there.
        damaged: what is wrong with rows of the ledger that cannot be read, by key.
    """
    account = account or RequestAccount(request_id)
    left = {row.key: row for row in rows}
    calls = list[ExplainedCall]()
    for each in account.calls.values():
        each.whole = each.whole and not unread
        # What stands under the key of a call that the ledger refused is another's.
        row = None if each.status is ReceiptStatus.REFUSED else left.pop(each.ledger_key or each.key, None)
        damage = damaged.get(each.ledger_key or each.key, "")
        told = _explained(each, account, row, asked=asked and not damage, unread=bool(unread))
        found = (*told.contradictions, damage) if damage else told.contradictions
        calls.append(told.model_copy(update={"contradictions": found}))
    alone = sorted(left.values(), key=lambda row: row.begun_at)
    return Explanation(
        request_id=request_id,
        text=account.text,
        requester=account.requester or next((row.requester for row in rows), ""),
        approved_in_advance=account.approve,
        started_at=account.started_at,
        ended=account.ended,
        summary=account.summary,
        calls=(*calls, *(_of_row(row, known=bool(account.calls) and not unread) for row in alone)),
        notes=tuple(notes),
        unread=tuple(unread),
    )


def _explained(
    each: CallAccount, account: RequestAccount, row: "Action | None", *, asked: bool, unread: bool
) -> ExplainedCall:
    call = ToolCall(key=each.key, tool=each.tool, arguments=each.arguments, over_budgets=each.over_budgets)
    route = each.route
    return ExplainedCall(
        key=each.key,
        tool=each.tool,
        about=each.about,
        effect=each.effect,
        arguments=each.arguments,
        digest=call.digest,
        asked_at=each.asked_at,
        sources=() if unread else sources_of(each),
        ruling=route.ruling if route else "",
        rule=route.reason if route else "",
        doubts=tuple(_doubts(each)),
        allowed="" if unread and not (each.began_at or each.status) else _allowed(each, account),
        verdicts=tuple(each.verdicts),
        status=each.status or ("not known" if unread else "open"),
        error=each.error or None,
        attempts=Attempts(
            number=each.attempts,
            scheduled_at=each.began_at,
            ended_at=each.ended_at,
            failed_before=each.failed_before,
            error=each.attempt_error,
        )
        if each.attempts
        else None,
        ledger=_row(row) if row else None,
        contradictions=tuple(_contradictions(each, call, row, asked=asked)),
    )


def _doubts(each: CallAccount) -> Iterator[str]:
    """As whoever was asked saw them."""
    route = each.route
    if route is None or (each.effect == "read" and route.ruling == "allow"):
        return
    yield from filter(None, (made_up(route), of_strangers(route)))
    if route.ruling == "ask":
        yield route.reason
    if each.after_untrusted and route.after_untrusted != "allow-if-grounded":
        yield "the request has read a stranger's text"


def _allowed(each: CallAccount, account: RequestAccount) -> str:
    """Why the call ran, or why not."""
    if each.status in (ReceiptStatus.INVALID, ReceiptStatus.REFUSED, ReceiptStatus.REJECTED) and not each.began_at:
        return f"it was not run: {each.error}"
    if each.status is ReceiptStatus.PLANNED:
        return "it was planned in a rehearsal, and not made"
    if not each.began_at:
        return f"it was not run: {each.error}" if each.error else "nobody has decided about it yet"
    rule = each.route.reason if each.route else ""
    if each.effect == "read" and not each.approved_by:
        return f"a read, allowed by {rule}" if rule else "a read needs no yes"
    if each.approved_by == POLICY:
        return f"allowed by {rule}" if rule else "allowed by the policy"
    if each.approved_by == REQUESTER:
        who = account.requester or "the requester"
        return f"{who} approved {', '.join(account.approve) or 'it'} in advance, with the request"
    yes = each.yes
    if yes is None:
        return f"{each.approved_by} said yes" if each.approved_by else "who said yes is not known"
    changed = ", with other arguments" if yes.arguments is not None else ""
    what = "the whole plan, with the digest" if yes.of_plan else "the digest"
    return f"{yes.by} said yes at {yes.at:%Y-%m-%d %H:%M:%S} UTC to {what} {yes.digest}{changed}"


def _contradictions(each: CallAccount, call: ToolCall, row: "Action | None", *, asked: bool) -> list[str]:
    found = list[str]()
    if each.by_a_person and each.yes is None and each.whole:
        found.append(f"it ran with the yes of {each.approved_by}, and the history has none")
    yes = each.yes
    to_itself = yes and yes.arguments is None and not (each.edited or yes.of_plan)
    if each.began_at and yes and to_itself and each.whole and yes.digest != call.approval_digest:
        found.append(f"the yes was to the digest {yes.digest}, and what ran has {call.approval_digest}")
    if row is None:
        done = each.effect == "write" and each.status is ReceiptStatus.DONE and not each.shortened
        return [*found, "it is done, and the ledger has no row of it"] if done and asked else found
    found += _altered(row)
    if row.digest != call.digest and not each.ledger_key and not each.shortened:
        found.append(f"the ledger has the digest {row.digest}, and what ran has {call.digest}")
    if each.approved_by and row.approved_by != each.approved_by:
        found.append(f"the ledger says that {row.approved_by or 'nobody'} approved it, and not {each.approved_by}")
    # An unknown one says nothing that could be wrong.
    certain = {ReceiptStatus.DONE: "done", ReceiptStatus.FAILED: "not_done"}
    expected = certain.get(each.status) if each.status else None
    if expected and expected != row.state and not row.resolved_by:
        found.append(f"its receipt says {each.status}, and the ledger {row.state}")
    return found


def _altered(row: "Action") -> list[str]:
    """What stands in a row has the digest that was written down with it, unless somebody has changed it."""
    now = ToolCall(key=row.key, tool=row.tool, arguments=row.arguments).digest
    told = f"the ledger's row was changed: it was written with the digest {row.digest}, and what stands in it has {now}"
    return [] if row.digest == now else [told]


def _of_row(row: "Action", *, known: bool) -> ExplainedCall:
    """A write of which only the ledger knows."""
    note = ("the history does not know of it: another request of the same id, or a run before a reset",)
    return ExplainedCall(
        key=row.key,
        tool=row.tool,
        effect="write",
        arguments=row.arguments,
        digest=row.digest,
        allowed=f"approved by {row.approved_by}, says the ledger" if row.approved_by else "",
        status="in the ledger only",
        error=row.error,
        ledger=_row(row),
        contradictions=(*(note if known else ()), *_altered(row)),
    )


def _row(row: "Action") -> LedgerRow:
    return LedgerRow.model_validate(row.model_dump(include=set(LedgerRow.model_fields)))
