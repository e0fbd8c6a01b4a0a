"""Workers that break the promise, each in one way, to see whether the harness notices."""

# What is broken here is what nobody should touch:
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import worker
from activities.errors import OutcomeUnknown, ServiceUnavailable
from activities.execution import act
from activities.execution import tool_activities as execution
from activities.execution.write_attempts import WriteAttempt
from activities.ledger.ledger import Ledger
from activities.ledger.ledger_activities import LedgerActivities
from activities.ledger.rows import Action, State, Write
from activities.smtp.transaction import SmtpTransaction
from activities.toolkit.tool import Tool
from workflows.contract.internal import AttemptBeat

OPEN = (State.BEGUN, State.UNKNOWN)


def resend() -> None:
    """What was begun and never reported on is done once more."""
    _forget(lambda seen: seen.state in OPEN)


def resolve_ignored() -> None:
    """What a person has said counts for nothing."""
    _forget(lambda seen: seen.resolved_by is not None)


def _forget(which: Callable[[Action], bool]) -> None:
    usual = WriteAttempt._settled

    async def settled(self: WriteAttempt, write: Write, seen: Action) -> Action:
        return seen.model_copy(update={"state": State.NOT_DONE}) if which(seen) else await usual(self, write, seen)

    WriteAttempt._settled = settled


def lying_settle() -> None:
    """A write whose attempts were lost is said not to have happened, although it was begun."""

    class Liar(Ledger):
        async def give_up(self, write: Write, *, acted: Sequence[str] | None = None, doubt: str = "") -> Action:
            found = await super().give_up(write, acted=acted, doubt=doubt)
            return found.model_copy(update={"state": State.NOT_DONE}) if found.state in OPEN else found

    usual = LedgerActivities.__init__

    def settle(self: LedgerActivities, ledger: Ledger, tools: Mapping[str, Tool], ask_again: float = 0) -> None:
        usual(self, Liar(ledger._database), tools, ask_again)

    LedgerActivities.__init__ = settle


def receipt_before_verdict() -> None:
    """The dot is taken for the server's yes."""

    async def commit(self: Any) -> str:
        with self._nothing_sent("at the end"):
            self._protocol().write(b".\r\n")
        return "250 Ok"

    SmtpTransaction.commit = commit


def retry_after_dot() -> None:
    """No verdict is taken for a no."""
    usual = SmtpTransaction.commit

    async def commit(self: SmtpTransaction) -> str:
        try:
            return await usual(self)
        except OutcomeUnknown as error:
            raise ServiceUnavailable(str(error)) from error

    SmtpTransaction.commit = commit


def timid() -> None:
    """What failed before the dot is said to be unknown."""
    usual = SmtpTransaction.prepare

    async def prepare(self: SmtpTransaction, *arguments: Any) -> dict[str, str]:
        try:
            return await usual(self, *arguments)
        except ServiceUnavailable as error:
            raise OutcomeUnknown(str(error)) from error

    SmtpTransaction.prepare = prepare


def deaf_to_refusals() -> None:
    """Everybody is said to have got it, whoever was refused."""
    usual = SmtpTransaction.announce

    async def announce(self: SmtpTransaction, *arguments: Any) -> dict[str, str]:
        await usual(self, *arguments)
        return {}

    SmtpTransaction.announce = announce


def all_again() -> None:
    """Where some were refused, all are tried again."""
    announced, committed = SmtpTransaction.announce, SmtpTransaction.commit

    async def announce(self: Any, *arguments: Any) -> dict[str, str]:
        self.refused = await announced(self, *arguments)
        return self.refused

    async def commit(self: Any) -> str:
        reply = await committed(self)
        if self.refused:
            raise ServiceUnavailable("not everybody got it")
        return reply

    SmtpTransaction.announce, SmtpTransaction.commit = announce, commit


def no_fence() -> None:
    """An attempt that was frozen acts when it wakes up. The ledger's tokens stand behind this fence."""

    async def counts(beat: AttemptBeat) -> None:
        return

    execution.write_activity.__kwdefaults__ = {"fence": counts}
    act.STALE = math.inf


WAYS = {
    "resend": resend,
    "retry-after-dot": retry_after_dot,
    "lying-settle": lying_settle,
    "receipt-before-verdict": receipt_before_verdict,
    "deaf-to-refusals": deaf_to_refusals,
    "all-again": all_again,
    "resolve-ignored": resolve_ignored,
    "timid": timid,
    "no-fence": no_fence,
}


def main() -> int:
    """A worker that is broken as its first argument says."""
    WAYS[sys.argv[1]]()
    return worker.main()
