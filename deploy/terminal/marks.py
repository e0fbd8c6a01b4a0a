"""One mark and one colour for each way that things end."""

from workflows.contract.api import ReceiptStatus, RequestStatus

MARKS: dict[ReceiptStatus, tuple[str, str]] = {
    ReceiptStatus.DONE: ("✓", "green"),
    ReceiptStatus.FAILED: ("✗", "red"),
    ReceiptStatus.INVALID: ("✗", "red"),
    ReceiptStatus.REJECTED: ("✗", "yellow"),
    ReceiptStatus.REFUSED: ("✗", "yellow"),
    ReceiptStatus.CANCELLED: ("–", "yellow"),
    ReceiptStatus.UNKNOWN: ("?", "bold red"),
    ReceiptStatus.PLANNED: ("☐", "cyan"),
}
COLOURS: dict[RequestStatus, str] = {RequestStatus.COMPLETED: "green", RequestStatus.RUNNING: "cyan"}
STATE_COLOURS = {"begun": "cyan", "done": "green", "not_done": "red", "unknown": "bold red"}
