"""Who may decide about a call that waits, and who is told of it: messages of the policy, as a request records them."""

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from unicodedata import normalize

from workflows.contract.api import PendingApproval
from workflows.contract.messages import Message, omitted

APPROVAL_NOTICE_WORKFLOW = "ApprovalNoticeWorkflow"
STILL_WAITING = "still_waiting"
MAIL = "send_email"
"""The tool that mails to approvers."""
MAILTO = "mailto:"
VERDICT_ID = "verdict-"
"""The beginning of the Update ids under which clients send a yes or a no: no message may take one before it comes."""


def may_decide(approvers: Sequence[str], who: str) -> bool:
    """Whether the policy lets somebody decide about a call that waits. Without a pattern, it lets everybody."""
    return any(fnmatchcase(who.casefold(), pattern.casefold()) for pattern in approvers or ("*",))


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are spellings of one: in capitals, in other forms of the same letters, with blanks around."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return normalize("NFKC", normalize("NFKC", name).casefold()).strip()


class ApprovalRules(Message):
    """What the policy says of calls that wait for a person."""

    approvers: tuple[str, ...] = omitted((), description="patterns of who may decide; empty: anybody")
    to: tuple[str, ...] = omitted((), description="who is told: callback endpoints, and mailto: addresses")
    notify_seconds: float = omitted(0, description="how long a call waits before they are told")


class ApprovalNotice(Message):
    """The input of `ApprovalNoticeWorkflow`."""

    request_id: str
    requester: str = omitted("")
    pending: PendingApproval
    event_id: str
    since: datetime
    to: tuple[str, ...]
    notify_seconds: float


class WaitingQuestion(Message):
    """The input of `still_waiting`."""

    request_id: str
    digest: str


class WaitingAnswer(Message):
    """Its output."""

    waits: bool
    url: str = omitted("", description="where a person decides")


class NoticeResult(Message):
    """The output of `ApprovalNoticeWorkflow`: what was told, and what could not be."""

    told: tuple[str, ...] = ()
    not_told: tuple[str, ...] = ()
