"""What the runs of a scenario said, against what the mail server has."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.judge import NOT_SENT
from tests.chaos.scenarios.scene import Letter, Run
from tests.chaos.smtp_record import Delivery
from workflows.contract.api import Receipt, ReceiptStatus

WRITES = ("send_email", "place_order", "place_order_with_key")


@dataclass
class Verdict:
    """Violations are kept in words, each with the request that it is about."""

    statuses: Counter[ReceiptStatus] = field(default_factory=Counter[ReceiptStatus])
    """Of the receipts of all runs, without those of earlier runs."""
    undelivered_unknown: int = 0
    duplicates: list[str] = field(default_factory=list[str])
    false_done: list[str] = field(default_factory=list[str])
    """Said to be done, and not delivered, or by another request."""
    false_failed: list[str] = field(default_factory=list[str])
    """Said not to be done, and delivered meanwhile; or refused as done before, and no receipt of that is shown."""
    no_outcome: list[str] = field(default_factory=list[str])
    other: list[str] = field(default_factory=list[str])

    @property
    def violations(self) -> list[str]:
        kinds = {
            "duplicate": self.duplicates,
            "done and not so": self.false_done,
            "failed and not so": self.false_failed,
            "no outcome": self.no_outcome,
            "other": self.other,
        }
        return [f"{kind}: {words}" for kind, several in kinds.items() for words in several]


def judge(
    letters: Iterable[Letter],
    runs: Sequence[Run],
    deliveries: Sequence[Delivery],
    rows: Iterable[tuple[str, str, str]],
    problems: Iterable[str] = (),
) -> Verdict:
    """
    Args:
        letters: of one scene.
        runs: those of them that had to have an outcome.
        deliveries: everything that the mail server has.
        rows: (key, state, subject) of the ledger.
        problems: what else was noticed.
    """
    verdict = Verdict(other=[*problems])
    arrived = defaultdict[str, list[Delivery]](list)
    for each in deliveries:
        arrived[each.token].append(each)
    for letter in letters:
        _judge_letter(verdict, letter, [run for run in runs if run.letter is letter], arrived[letter.token])
    _judge_rows(verdict, rows, arrived)
    return verdict


def _judge_letter(verdict: Verdict, letter: Letter, runs: Sequence[Run], arrived: Sequence[Delivery]) -> None:
    many = Counter(each.message_id for each in arrived) if letter.repeats else Counter({letter.token: len(arrived)})
    verdict.duplicates += [f"{what} was delivered {count} times" for what, count in many.items() if count > 1]
    claimed = defaultdict[str, set[str]](set)
    for run in runs:
        if run.outcome is None:
            verdict.no_outcome.append(letter.request_id)
            continue
        own = [receipt for receipt in run.receipts if _is_own(receipt)]
        verdict.statuses.update(receipt.status for receipt in own)
        _judge_run(verdict, run, own, arrived)
        for receipt in own:
            if receipt.status is ReceiptStatus.DONE:
                claimed[message_id(receipt)].add(run.chain)
    verdict.false_done += [
        f"{letter.request_id}: {len(chains)} requests say that they have sent {what}"
        for what, chains in claimed.items()
        if len(chains) > 1
    ]


def _judge_run(verdict: Verdict, run: Run, own: Sequence[Receipt], arrived: Sequence[Delivery]) -> None:
    known = {each.message_id for each in arrived}
    for receipt in own:
        if receipt.status is ReceiptStatus.DONE and message_id(receipt) not in known:
            verdict.false_done.append(f"{receipt.key}: {receipt.result}")
        verdict.undelivered_unknown += receipt.status is ReceiptStatus.UNKNOWN and not arrived
    meanwhile = any(run.began <= each.at <= run.closed for each in arrived)
    refused = any(receipt.status is ReceiptStatus.REFUSED for receipt in own)
    if (meanwhile or (refused and arrived)) and not any(_knows(receipt) for receipt in run.receipts):
        said = ", ".join(f"{receipt.status}: {receipt.error}" for receipt in own) or "no receipt"
        verdict.false_failed.append(f"{run.letter.request_id}: {said}")


def _judge_rows(
    verdict: Verdict, rows: Iterable[tuple[str, str, str]], arrived: Mapping[str, Sequence[Delivery]]
) -> None:
    """A mail has one row for each request that asked for it; one of them has to know that it was delivered."""
    states = defaultdict[str, set[str]](set)
    for key, state, subject in rows:
        states[subject].add(state)
        if state == "done" and not arrived.get(subject):
            verdict.false_done.append(f"{key}, in the ledger")
    verdict.false_failed += [
        f"{subject}, in the ledger"
        for subject, all_of_it in states.items()
        if all_of_it == {"not_done"} and arrived.get(subject)
    ]


def _is_own(receipt: Receipt) -> bool:
    return receipt.tool in WRITES and not receipt.earlier


def _knows(receipt: Receipt) -> bool:
    """Whether it says that a mail was sent, or may have been: by this request or before it."""
    return receipt.tool in WRITES and receipt.status not in NOT_SENT


def message_id(receipt: Receipt) -> str:
    result = receipt.result
    return str(result.get("message_id")) if isinstance(result, dict) else f"nothing ({result})"
