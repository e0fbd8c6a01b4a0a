"""What the rules say of a call before anybody is asked: whether it is forbidden, approved in advance, or why not."""

from workflows.contract.api import EVERY_TOOL, Request
from workflows.contract.approvals import may_decide
from workflows.contract.internal import ProposedCall, Route
from workflows.contract.values import sha256, texts

DONE_BEFORE = "the same is done already, or may be"


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


def why_sent_back(call: ProposedCall, route: Route, acted: set[str], sent_back: set[str]) -> str:
    """Why a call that somebody would have to say yes to goes back to the model instead, which it does once; or nothing.

    Args:
        call: that the model asks for.
        route: of the call.
        acted: the marks of the writes that are done, or may be.
        sent_back: what has gone back before; what goes back now is added.
    """
    if made_up(route) and call.tool not in sent_back:
        sent_back.add(call.tool)
        return f"{made_up(route)}; use only what the request says"
    if fresh := (marks(call) & acted) - sent_back:
        sent_back |= fresh
        return f"{call.tool} {call.about}".strip() + f": {DONE_BEFORE}; call it again if that is asked for"
    return ""


def marks(call: ProposedCall) -> set[str]:
    """What makes another call look like this one: the same content, or the same recipients."""
    marks = {sha256([call.tool, call.arguments])}
    targets = sorted(text.casefold() for name in call.grounded for text in texts(call.arguments.get(name)))
    return marks | {sha256([call.same_as or call.tool, *targets])} if targets else marks


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
