"""From a call as the model wrote it to one that says how it is to be run, or why it is not."""

from collections.abc import Iterable, Mapping

import structlog
from pydantic_core import to_json

from activities.errors import InvalidArguments, ToolCrashed
from activities.model.earlier_results import earlier_results
from activities.model.figures.numbers import numbers_in
from activities.model.figures.offered import checked_texts
from activities.model.figures.spoken import Spoken
from activities.model.grounding import Heard, ungrounded
from activities.model.wire.wire_calls import RawCall
from activities.policy import Policy, Rule
from activities.toolkit.earlier_results import Filled
from activities.toolkit.function_names import FIND_TOOLS, LONGEST_NAME
from activities.toolkit.parameters import Valid
from activities.toolkit.tool import Tool
from workflows.contract.internal import ProposedCall
from workflows.contract.values import AfterUntrusted, Arguments, texts

log = structlog.stdlib.get_logger(__name__)

LONGEST_ERROR = 4000
LONGEST_ARGUMENTS = 64 * 1024
"""Bytes of JSON. Longer ones would not fit, many times over, into what a request carries."""
LONGEST_HINT = 4 * 1024
"""Bytes. The model knows the schema, which may be large, from what it was offered."""
SHORTENED = "… (shortened; the whole schema is that of the function)"


class Proposals:
    """Holds calls to the schemas, the policy, and what was said."""

    def __init__(self, tools: Mapping[str, Tool], policy: Policy) -> None:
        self._tools = tools
        self._policy = policy

    def propose(self, call: RawCall, requester: str, heard: Heard, spoken: Spoken | None = None) -> ProposedCall:
        """Never with arguments other than those that the model wrote, and the results that it named in them: what does
        not fit is not run.

        Args:
            call: as it was written.
            requester: for the policy.
            heard: what grounded arguments are held to.
            spoken: what figures are held to; None, where a person wrote them.
        """
        if len(to_json(call.arguments)) > LONGEST_ARGUMENTS:
            call = RawCall(call.tool, {}, f"the arguments are longer than {LONGEST_ARGUMENTS:,} bytes")
        tool = self._tools.get(call.tool)
        if tool is None:
            known = f"the functions are: {', '.join(self._tools)}"
            where = f"{FIND_TOOLS} finds functions" if FIND_TOOLS in self._tools else known
            return _not_to_run(call, f"there is no function {call.tool[:LONGEST_NAME]!r}; {where}")
        try:
            if call.problem:
                raise InvalidArguments(call.problem)
            valid, filled = _with_results(tool, call.arguments, spoken)
        except InvalidArguments as error:
            return _not_to_run(call, str(error), hint=_hint(tool))
        except ToolCrashed as error:
            log.error("a mistake in a tool", tool=tool.name, error=str(error), exception=error.trace)
            return _not_to_run(call, str(error)).model_copy(update={"crashed": True})
        written = filled.arguments
        ruling, reason = self._policy.rule_on(tool, written, requester, as_used=valid.used)
        loose = ungrounded(tool, written, heard)
        made_up, strangers = spoken.unsupported_in_call(tool, written, filled.copied) if spoken else ((), ())
        rule = self._policy.fitting(tool, written, requester, as_used=valid.used)
        said: dict[str, object] = {
            "ruling": ruling,
            "reason": reason,
            "ungrounded": loose,
            "unsupported": made_up,
            "strangers": (*filled.strangers, *strangers),
            "after_untrusted": _after_untrusted(rule[1], tool, call.arguments, heard) if rule else "ask",
            "four_eyes": self._policy.four_eyes,
        }
        if tool.route.effect == "write" or ruling == "ask":
            said["approval"] = self._policy.approvals.rules
        route = tool.route.model_copy(update=said)
        # As they will be used: who approves an address sees the domain that mail goes to.
        used = valid.given
        return ProposedCall(
            tool=call.tool,
            arguments=used,
            defaults=tuple(name for name in used if name not in written),
            about=tool.describe(used),
            grounded=tuple(name for name in tool.done_for if name in used),
            same_as=tool.same_as,
            route=route,
        )


def _after_untrusted(rule: Rule, tool: Tool, arguments: Arguments, heard: Heard) -> AfterUntrusted:
    """What the rule says, but that a call in which nothing is grounded is not "grounded"."""
    if rule.after_untrusted != "allow-if-grounded" or _is_grounded(tool, arguments, heard):
        return rule.after_untrusted
    return "ask"


def _is_grounded(tool: Tool, arguments: Arguments, heard: Heard) -> bool:
    """Whether something of the call can be held to what was said: a grounded argument, which it is elsewhere, or else
    every text. Numbers are held to it as figures."""
    if any(True for name in tool.grounded for _ in texts(arguments.get(name))):
        return True
    written = checked_texts(tool, arguments)
    return bool(written or [*numbers_in(arguments)]) and all(heard.mentions(text) for text in written)


def _with_results(tool: Tool, arguments: Arguments, spoken: Spoken | None) -> tuple[Valid, Filled]:
    """The arguments, with the results that they name in the place of the names.

    Raises:
        InvalidArguments: they do not fit, with the results or without.
        ToolCrashed: by a mistake in the tool, nobody can say.
    """
    valid = tool.validate(arguments)
    if tool.fill is None:
        return valid, Filled(arguments)
    filled = tool.fill(arguments, earlier_results(spoken.situation.conversation if spoken else ()))
    if filled.arguments is arguments:
        return valid, filled
    if len(to_json(filled.arguments)) > LONGEST_ARGUMENTS:
        raise InvalidArguments(f"with the results in them, the arguments are longer than {LONGEST_ARGUMENTS:,} bytes")
    return tool.validate(filled.arguments), filled


def each_hint_once(calls: Iterable[ProposedCall]) -> tuple[ProposedCall, ...]:
    """The calls of one reply, of which only the first with a hint keeps it, for each tool."""
    hinted: set[str] = set()
    return tuple(_unless_given(call, hinted) for call in calls)


def _unless_given(call: ProposedCall, hinted: set[str]) -> ProposedCall:
    if not call.hint:
        return call
    if call.tool in hinted:
        return call.model_copy(update={"hint": ""})
    hinted.add(call.tool)
    return call


def _hint(tool: Tool) -> str:
    hint = f"the arguments must fit {to_json(tool.schema()).decode()}".encode()
    if len(hint) <= LONGEST_HINT:
        return hint.decode()
    return hint[: LONGEST_HINT - len(SHORTENED.encode())].decode(errors="ignore") + SHORTENED


def _not_to_run(call: RawCall, error: str, *, hint: str = "") -> ProposedCall:
    return ProposedCall(tool=call.tool[:LONGEST_NAME], arguments=call.arguments, error=error[:LONGEST_ERROR], hint=hint)
