"""Cases carried out with the configured model and no effect: the model is real, and results are stubs.

`Decide`, the very activity of the worker, is run in this process: the same question, schemas, policy, grounding and
check of the summary. Around it is a loop of its own that does what `workflows/request.py` does with a decision, as far
as a result depends on it; no Temporal server is needed, and no tool is run that could do something. A call that needs a
person's yes counts as approved. A write is never made: without a stub, it is told as done.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model.decide import Decide
from activities.toolkit.find_tools import FoundTools, search_tool
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.tool import Tool
from activities.toolkit.tool_index import ToolIndex
from deploy.client.cases import Case
from deploy.client.trials import MadeCall, Trial
from workflows.asking import correction
from workflows.calls import DONE_BEFORE
from workflows.consent import approved_in_advance, forbidden, made_up
from workflows.contract.api import Limits, Request, Usage
from workflows.contract.conversation import NoteEntry, ToolMessage, UserEntry
from workflows.contract.internal import Decision, ModelInput, ProposedCall, Route
from workflows.contract.values import Arguments, Ruling, sha256
from workflows.conversation import Conversation
from workflows.limits import MISTAKES_IN_A_ROW

Live = Callable[[str, Arguments], Awaitable[JsonValue]]
"""A read, made by a worker: tool, arguments → result. Raises ApplicationError where it fails."""
ATTEMPTS = 3
"""Of one question to the model."""
PAUSE = 1.0
"""Seconds before the next."""
CUT_OFF = "Your answer was cut off. Say it again in fewer words."


@dataclass(frozen=True)
class Tryout:
    """A model with its tools, under trial."""

    decide: Decide
    tools: dict[str, Tool]
    turns: int = Limits().turns
    live: Live | None = None

    async def run(self, case: Case) -> Trial:
        """Carry a case out once."""
        begun = time.monotonic()
        run = _Run(self, case)
        error = ""
        try:
            await run.to_the_end()
        except ApplicationError as failed:
            error = failed.message
        return Trial(
            calls=tuple(run.made),
            summary=run.summary,
            claims=run.claims,
            usage=run.usage,
            seconds=time.monotonic() - begun,
            error=error or run.error,
            unanswered=tuple(run.unanswered),
        )

    async def run_all(
        self, cases: Sequence[Case], times: int, *, at_once: int, each: Callable[[], None] = lambda: None
    ) -> list[list[Trial]]:
        """Carry out every case so many times; `each` is called after each time."""
        slots = asyncio.Semaphore(at_once)

        async def one(case: Case) -> Trial:
            async with slots:
                trial = await self.run(case)
            each()
            return trial

        found = await asyncio.gather(*(one(case) for case in cases for _ in range(times)))
        return [[*found[start : start + times]] for start in range(0, len(found), times)]


@dataclass
class _Run:
    tryout: Tryout
    case: Case
    conversation: Conversation = field(init=False)
    made: list[MadeCall] = field(default_factory=list[MadeCall])
    unanswered: list[str] = field(default_factory=list[str])
    summary: str = ""
    claims: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    error: str = ""
    _sent_back: set[str] = field(default_factory=set[str])
    _acted: set[str] = field(default_factory=set[str])
    _answered: set[int] = field(default_factory=set[int])
    _demoted: tuple[str, ...] = ()
    _untrusted: bool = False

    def __post_init__(self) -> None:
        self.conversation = Conversation([UserEntry(text=self.case.request)])

    async def to_the_end(self) -> None:
        """Ask and answer until the model has no more calls."""
        corrected, mistakes = False, 0
        for turn in range(1, self.tryout.turns + 1):
            decision = await self._decide()
            useless = decision.problem or (decision.calls and all(call.route is None for call in decision.calls))
            mistakes = mistakes + 1 if useless else 0
            if mistakes >= MISTAKES_IN_A_ROW:
                self.error = f"the model gave no usable answer {mistakes} times in a row"
                return
            if decision.calls:
                self.conversation.add_decision(turn, decision)
                self.conversation.add_results(turn, [await self._told(call) for call in decision.calls])
            elif problem := decision.problem or (None if corrected else _to_correct(decision)):
                corrected = corrected or decision.problem is None
                self.conversation.add_decision(turn, decision)
                self.conversation.add([NoteEntry(text=problem)])
            else:
                self.summary, self.claims = decision.text, tuple(map(str, decision.unsupported_claims))
                self.error = f"the model refused: {decision.text}" if decision.refused else ""
                return
        self.error = f"it had not ended after {self.tryout.turns} turns"

    async def _decide(self) -> Decision:
        situation = ModelInput(
            requester=self.case.requester, conversation=self.conversation.entries, demoted=self._demoted
        )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                decision = await ActivityEnvironment().run(self.tryout.decide.decide, situation)
                break
            except ApplicationError as error:
                if error.non_retryable or attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE)
        else:
            raise AssertionError
        self.usage += decision.usage
        self._demoted = tuple(dict.fromkeys([*self._demoted, *decision.demoted]))
        return decision

    async def _told(self, call: ProposedCall) -> ToolMessage:
        """What the model is told of a call."""
        route = call.route
        if route is None:
            return self._not_run(call, "invalid", call.error or f"{call.tool} cannot be run")
        is_free = route.effect == "read" and route.ruling == "allow"
        if not is_free and (why := forbidden(route, untrusted=self._untrusted)):
            return self._not_run(call, "refused", why)
        if route.effect == "write" and (problem := self._sent_back_once(call)):
            return self._not_run(call, "invalid", problem)
        if route.effect == "write":
            self._acted.add(_content(call))
        self.made.append(MadeCall(tool=call.tool, arguments=call.arguments, ruling=self._ruling(call.tool, route)))
        told = await self._result(call)
        self._untrusted = self._untrusted or told.untrusted
        return told

    def _ruling(self, tool: str, route: Route) -> Ruling:
        """What the policy comes to, with all that the workflow knows: an allow may be a question by now."""
        if route.effect == "read" or route.ruling != "allow":
            return route.ruling
        request = Request(text=self.case.request, requester=self.case.requester)
        return "allow" if approved_in_advance(tool, route, request, untrusted=self._untrusted) else "ask"

    def _sent_back_once(self, call: ProposedCall) -> str:
        """Why a write goes back to the model, which it does once."""
        doubts = made_up(call.route) if call.route else ""
        if doubts and call.tool not in self._sent_back:
            self._sent_back.add(call.tool)
            return f"{doubts}; use only what the request says"
        if (content := _content(call)) in self._acted - self._sent_back:
            self._sent_back.add(content)
            what = f"{call.tool} {call.about}".strip()
            return f"{what}: {DONE_BEFORE}; call it again if that is asked for"
        return ""

    def _not_run(self, call: ProposedCall, status: str, why: str) -> ToolMessage:
        ruling = call.route.ruling if call.route else None
        self.made.append(MadeCall(tool=call.tool, arguments=call.arguments, ruling=ruling, problem=why))
        hint: Arguments = {"hint": call.hint} if call.hint else {}
        return _failed(status, why, hint)

    async def _result(self, call: ProposedCall) -> ToolMessage:
        untrusted = call.route is not None and call.route.untrusted
        if stub := self.case.stub_for(call.tool, call.arguments, self._answered):
            if stub.error is not None:
                return _failed("failed", stub.error, untrusted=untrusted)
            return ToolMessage(value=stub.result, untrusted=untrusted)
        tool = self.tryout.tools[call.tool]
        if tool.route.effect == "write":
            return ToolMessage(value=_as_if_done(tool, call.arguments))
        if call.tool == FIND_TOOLS:
            return ToolMessage(value=await _found(tool, self.tryout.tools, call.arguments))
        if self.tryout.live and not tool.route.asks:
            try:
                return ToolMessage(value=await self.tryout.live(call.tool, call.arguments), untrusted=untrusted)
            except ApplicationError as error:
                return _failed("failed", error.message, untrusted=untrusted)
        self.unanswered.append(f"{call.tool} {call.about}".strip())
        return _failed("failed", f"{call.tool} cannot answer now")


def _to_correct(decision: Decision) -> str | None:
    """What the model has to be told of its words, once."""
    if decision.unsupported_claims:
        return correction(decision.unsupported_claims)
    return CUT_OFF if decision.cut_off else None


def _content(call: ProposedCall) -> str:
    return sha256([call.tool, call.arguments])


def _failed(status: str, error: str, hint: Arguments | None = None, *, untrusted: bool = False) -> ToolMessage:
    return ToolMessage(value={"status": status, "error": error, **(hint or {})}, failed=True, untrusted=untrusted)


def _as_if_done(tool: Tool, arguments: Arguments) -> JsonValue:
    """What a write is told to have returned: that it is done, for all that it was asked to be done for."""
    return {"status": "done", **{key: arguments.get(name) for name, key in tool.confirmed.items() if key}}


async def _found(tool: Tool, tools: dict[str, Tool], arguments: Arguments) -> JsonValue:
    index = ToolIndex({name: each for name, each in tools.items() if name != FIND_TOOLS})
    found = await search_tool().bind({ToolIndex: index})(tool.validate(arguments), {})
    return found.model_dump(mode="json") if isinstance(found, FoundTools) else None
