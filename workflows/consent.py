"""What the rules say of a call before anybody is asked: whether it is forbidden, approved in advance, or why not."""

from workflows.contract.api import EVERY_TOOL, Request
from workflows.contract.approvals import may_decide
from workflows.contract.internal import Route


def forbidden(route: Route, *, untrusted: bool) -> str:
    """Why the policy lets nobody approve it; empty, where it does.

    Args:
        route: of the call.
        untrusted: whether the request has read a stranger's text.
    """
    if route.ruling == "deny":
        return f"the policy forbids it: {route.reason}"
    if untrusted and route.after_untrusted == "deny":
        return f"the policy forbids it after a stranger's text has been read: {route.reason}"
    return ""


def approved_in_advance(tool: str, route: Route, request: Request, *, untrusted: bool) -> str | None:
    """Who has said yes before the call was made and is taken at their word: "policy" or "requester"."""
    if made_up(route) or route.strangers:
        return None
    if route.ruling == "allow" and (not untrusted or route.after_untrusted == "allow-if-grounded"):
        return "policy"
    if route.four_eyes or (route.approval and not may_decide(route.approval.approvers, request.requester)):
        return None
    return "requester" if {tool, EVERY_TOOL} & set(request.approve) else None


def why_ask(route: Route, *, untrusted: bool) -> str:
    """Why a person is asked; empty where nothing keeps the call from running."""
    if doubts := "; ".join(filter(None, (made_up(route), of_strangers(route)))):
        return doubts
    if route.ruling == "ask":
        return route.reason
    is_grounded = route.after_untrusted == "allow-if-grounded"
    return "the request has read a stranger's text" if untrusted and not is_grounded else ""


def made_up(route: Route) -> str:
    """What the model may have made up; empty, where it is nothing."""
    told: list[str] = []
    if route.ungrounded:
        told.append(f"nobody mentioned {', '.join(route.ungrounded)} before")
    if route.unsupported:
        told.append(f"neither the request nor a result says {', '.join(route.unsupported)}")
    return "; ".join(told)


def of_strangers(route: Route) -> str:
    return f"only a stranger's text says {', '.join(route.strangers)}" if route.strangers else ""
