"""Who may decide about a call that waits: what the desk says in place of buttons that would be refused.

The request itself has the last word, and the same rules.
"""

from deploy.client.keys import Right
from deploy.client.listing import Found
from deploy.web.callers import Caller
from workflows.contract.api import PendingApproval
from workflows.contract.approvals import is_same_person, may_decide


def why_no_word(caller: Caller, pending: PendingApproval) -> str:
    """Why this caller can neither approve nor reject a call; empty where they can."""
    if not caller.may(Right.APPROVE):
        return f"{caller.name} has no right to approve"
    if not may_decide(pending.approvers, caller.name):
        return f"the policy lets {', '.join(pending.approvers)} decide about it, and not {caller.name}"
    return ""


def why_no_yes(caller: Caller, found: Found, pending: PendingApproval) -> str:
    """Why this caller cannot approve a call, though perhaps reject it; empty where they can."""
    if why := why_no_word(caller, pending):
        return why
    if pending.four_eyes and is_same_person(caller.name, found.requester):
        return f"{caller.name} asked for it, and the policy wants the yes of somebody else"
    return ""
