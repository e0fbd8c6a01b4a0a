"""The verdict: what requests, ledger and operator said, against what the mail server accepted for whom."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from activities.ledger.rows import Action, State
from tests.chaos.load import End, Mail, Story
from tests.chaos.settling import Settled
from tests.chaos.smtp_record import Delivery, Dot, SmtpRecord
from workflows.contract.api import Receipt, ReceiptStatus

NOT_SENT = frozenset(ReceiptStatus) - {ReceiptStatus.DONE, ReceiptStatus.UNKNOWN}
OPEN = {State.BEGUN, State.UNKNOWN}

Arrivals = Mapping[str, datetime]
"""When a message first got to each recipient."""


@dataclass
class Verdict:
    """Violations are kept in words, each with the message or request that it is about."""

    statuses: Counter[ReceiptStatus] = field(default_factory=Counter[ReceiptStatus])
    """Of the receipts of the last run of every request."""
    partly: int = 0
    """Those of them that are done for some recipients and refused for others."""
    duplicates: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    """Said to be sent, and not delivered."""
    ghosts: list[str] = field(default_factory=list[str])
    """Said not to be sent, and delivered."""
    stuck: list[str] = field(default_factory=list[str])
    unexplained: list[str] = field(default_factory=list[str])
    """Said to be unknown, although nothing had been begun."""
    other: list[str] = field(default_factory=list[str])
    """Approvals that should not have been taken, requests that failed, an operator's word that did not hold."""

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


@dataclass(frozen=True)
class Evidence:
    record: SmtpRecord
    ledger: Mapping[str, Action]
    settled: Collection[str]
    """What the operator has had a word on."""
    arrivals: Mapping[str, Arrivals]

    def of(self, token: str) -> Arrivals:
        return self.arrivals.get(token, {})


def judge(
    stories: Sequence[Story], record: SmtpRecord, ledger: Iterable[Action], settled: Collection[Settled] = ()
) -> Verdict:
    verdict = Verdict(duplicates=duplicates(record.deliveries))
    rows = {action.key: action for action in ledger}
    evidence = Evidence(record, rows, {each.token for each in settled}, _arrivals(record.deliveries))
    for story in stories:
        verdict.other += story.problems
        if not story.finished:
            verdict.stuck.append(story.plan.request_id)
        for end in story.ends:
            _judge_end(verdict, story, end, evidence)
        if story.finished:
            _count(verdict, story.ends[-1].outcome.receipts)
    for row in rows.values():
        _judge_row(verdict, row, evidence)
    for each in settled:
        _judge_settled(verdict, each, record.dots, rows)
    return verdict


def duplicates(deliveries: Iterable[Delivery]) -> list[str]:
    """Messages that somebody got more than once, by what they are about or by their Message-ID."""
    by_token, by_id = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in deliveries:
        by_token.update((each.token, recipient) for recipient in each.recipients)
        by_id.update((each.message_id, recipient) for recipient in each.recipients)
    twice = {what: count for what, count in by_token.items() if count > 1}
    if not twice:
        twice = {what: count for what, count in by_id.items() if count > 1}
    return [f"{what} was delivered to {recipient} {count} times" for (what, recipient), count in twice.items()]


def _arrivals(deliveries: Iterable[Delivery]) -> Mapping[str, Arrivals]:
    found = defaultdict[str, dict[str, datetime]](dict)
    for each in deliveries:
        for recipient in each.recipients:
            found[each.token].setdefault(recipient, each.at)
    return found


def _judge_end(verdict: Verdict, story: Story, end: End, evidence: Evidence) -> None:
    receipts = {str(receipt.arguments.get("subject")): receipt for receipt in end.outcome.receipts}
    for mail in story.plan.mails:
        receipt = receipts.get(mail.token)
        arrived = evidence.of(mail.token)
        if receipt is None or receipt.status in NOT_SENT:
            if any(end.until is None or at < end.until for at in arrived.values()):
                said = f"{receipt.status}, {receipt.error}" if receipt else f"no receipt, {end.outcome.summary}"
                verdict.ghosts.append(f"{mail.token}: {said}")
        elif receipt.status is ReceiptStatus.DONE:
            _judge_result(verdict, mail.token, receipt.result, mail, arrived)
        elif mail.token not in evidence.record.reached_dot and not _was_open(receipt, evidence, mail.token):
            row = _row_in_words(evidence.ledger.get(receipt.key))
            verdict.unexplained.append(f"{mail.token}: {receipt.error}; ledger: {row}")


def _judge_result(verdict: Verdict, who: str, result: object, mail: Mail | None, arrived: Collection[str]) -> None:
    """Every recipient that is said to have got it has, every other has not, and each is spoken of."""
    if result is None and arrived:  # it is done on the operator's word, who does not say for whom
        return
    said = cast("dict[str, object]", result) if isinstance(result, dict) else {}
    accepted = set(cast("list[str]", said.get("accepted", [])))
    refused = set(cast("dict[str, str]", said.get("refused", {})))
    if lost := accepted - set(arrived):
        verdict.lost.append(f"{who}: {', '.join(sorted(lost))}; {result}")
    elif not accepted:
        verdict.lost.append(f"{who}: {result}")
    if ghosts := set(arrived) - accepted:
        verdict.ghosts.append(f"{who}: {', '.join(sorted(ghosts))}; {result}")
    if mail and accepted | refused != set(mail.to):
        verdict.other.append(f"{who}: it was for {', '.join(mail.to)}, and the receipt speaks of others: {result}")


def _was_open(receipt: Receipt, evidence: Evidence, token: str) -> bool:
    """Whether an act had begun, and its end was not in the ledger when the receipt was written."""
    row = evidence.ledger.get(receipt.key)
    if row is None:
        return False
    return row.state in OPEN or _later(row.finished_at, receipt.finished_at) or token in evidence.settled


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one >= other


def _judge_row(verdict: Verdict, row: Action, evidence: Evidence) -> None:
    token = str(row.arguments.get("subject"))
    arrived = evidence.of(token)
    if row.state is State.DONE:
        _judge_result(verdict, f"{token}, in the ledger", row.result, None, arrived)
    if row.state is State.NOT_DONE and arrived:
        verdict.ghosts.append(f"{token}: the ledger says not done ({row.error})")


def _judge_settled(verdict: Verdict, settled: Settled, dots: Iterable[Dot], rows: Mapping[str, Action]) -> None:
    if not settled.delivered:
        return
    if any(dot.token == settled.token and dot.at > settled.at for dot in dots):
        verdict.other.append(f"{settled.token}: it was sent again after an operator had said that it is delivered")
    row = rows.get(settled.key)
    if settled.sure and (row is None or row.state is not State.DONE):
        verdict.other.append(f"{settled.token}: an operator said that it is delivered; ledger: {_row_in_words(row)}")


def _count(verdict: Verdict, receipts: Iterable[Receipt]) -> None:
    for receipt in receipts:
        verdict.statuses[receipt.status] += 1
        verdict.partly += isinstance(receipt.result, dict) and "refused" in receipt.result


def _row_in_words(row: Action | None) -> str:
    return f"{row.state}, attempt {row.attempt}, {row.error}" if row else "no row"
