"""The verdict: what requests and ledger said, against what the mail server accepted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from activities.ledger import Action, State
from tests.chaos.load import End, Story
from tests.chaos.smtp_record import Delivery, SmtpRecord
from workflows.contract import Receipt, ReceiptStatus

NOT_SENT = frozenset(ReceiptStatus) - {ReceiptStatus.DONE, ReceiptStatus.UNKNOWN}
OPEN = {State.BEGUN, State.UNKNOWN}


@dataclass
class Verdict:
    """Violations are kept in words, each with the message or request that it is about."""

    statuses: Counter[ReceiptStatus] = field(default_factory=Counter[ReceiptStatus])
    """Of the receipts of the last run of every request."""
    duplicates: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    """Said to be sent, and not delivered."""
    ghosts: list[str] = field(default_factory=list[str])
    """Said not to be sent, and delivered."""
    stuck: list[str] = field(default_factory=list[str])
    unexplained: list[str] = field(default_factory=list[str])
    """Said to be unknown, although nothing had been begun."""
    other: list[str] = field(default_factory=list[str])
    """Approvals that should not have been taken, requests that failed."""

    @property
    def violations(self) -> list[str]:
        kinds = {
            "duplicate": self.duplicates,
            "sent but lost": self.lost,
            "not sent but delivered": self.ghosts,
            "stuck": self.stuck,
            "unexplained unknown": self.unexplained,
            "other": self.other,
        }
        return [f"{kind}: {words}" for kind, several in kinds.items() for words in several]


def judge(stories: Sequence[Story], record: SmtpRecord, ledger: Iterable[Action]) -> Verdict:
    verdict = Verdict(duplicates=duplicates(record.deliveries))
    rows = {action.key: action for action in ledger}
    delivered = {each.token: each for each in reversed(record.deliveries)}  # the first of each
    for story in stories:
        verdict.other += story.problems
        if not story.finished:
            verdict.stuck.append(story.plan.request_id)
        for end in story.ends:
            _judge_end(verdict, story, end, delivered, record, rows)
        if story.finished:
            verdict.statuses.update(receipt.status for receipt in story.ends[-1].outcome.receipts)
    for row in rows.values():
        _judge_row(verdict, row, delivered)
    return verdict


def duplicates(deliveries: Iterable[Delivery]) -> list[str]:
    """Messages that were delivered more than once, by what they are about or by their Message-ID."""
    by_token, by_id = Counter[str](), Counter[str]()
    for each in deliveries:
        by_token[each.token] += 1
        by_id[each.message_id] += 1
    twice = {token: count for token, count in by_token.items() if count > 1}
    if not twice:
        twice = {message_id: count for message_id, count in by_id.items() if count > 1}
    return [f"{what} was delivered {count} times" for what, count in twice.items()]


def _judge_end(
    verdict: Verdict,
    story: Story,
    end: End,
    delivered: Mapping[str, Delivery],
    record: SmtpRecord,
    rows: Mapping[str, Action],
) -> None:
    receipts = {str(receipt.arguments.get("subject")): receipt for receipt in end.outcome.receipts}
    for mail in story.plan.mails:
        receipt = receipts.get(mail.token)
        at = delivered[mail.token].at if mail.token in delivered else None
        if receipt is None or receipt.status in NOT_SENT:
            if at and (end.until is None or at < end.until):
                said = f"{receipt.status}, {receipt.error}" if receipt else f"no receipt, {end.outcome.summary}"
                verdict.ghosts.append(f"{mail.token}: {said}")
        elif receipt.status is ReceiptStatus.DONE:
            if not at:
                verdict.lost.append(f"{mail.token}: {receipt.result}")
        elif mail.token not in record.reached_dot and not _was_open(rows.get(receipt.key), receipt):
            verdict.unexplained.append(f"{mail.token}: {receipt.error}; ledger: {_row_in_words(rows.get(receipt.key))}")


def _was_open(row: Action | None, receipt: Receipt) -> bool:
    """Whether an act had begun, and its end was not in the ledger when the receipt was written."""
    if row is None or row.attempt == 0:
        return False
    return row.state in OPEN or _later(row.finished_at, receipt.finished_at)


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one >= other


def _judge_row(verdict: Verdict, row: Action, delivered: Mapping[str, Delivery]) -> None:
    token = str(row.arguments.get("subject"))
    if row.state is State.DONE and token not in delivered:
        verdict.lost.append(f"{token}: the ledger says done")
    if row.state is State.NOT_DONE and token in delivered:
        verdict.ghosts.append(f"{token}: the ledger says not done ({row.error})")


def _row_in_words(row: Action | None) -> str:
    return f"{row.state}, attempt {row.attempt}, {row.error}" if row else "no row"
