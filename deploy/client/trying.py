"""Cases carried out with the configured model and no effect: the model is real, and results are stubs.

The model is asked by the workflow's own code and limits (`workflows/asking.py`, `workflows/limits.py`), and by the
worker's own activities, run in this process. The loop around it does what `workflows/request.py` does, as far as a
result depends on it; no Temporal server is needed, and no tool is run that could do something. A call that needs a
person's yes counts as approved. A write is never made: without a stub, it is told as done.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from activities.budgets import Budget
from activities.model.answer import Answers
from activities.model.decide import Decide
from activities.toolkit.tool import Tool
from deploy.client.cases import Case
from deploy.client.trials import Trial
from deploy.client.tried_calls import Live, TriedCalls
from deploy.client.tried_model import TriedModel, allowance_of
from workflows.asking import of_output, problem_with
from workflows.contract.api import RequestStatus
from workflows.contract.conversation import NoteEntry, UserEntry
from workflows.contract.internal import Decision
from workflows.conversation import Conversation
from workflows.limits import Ended


@dataclass(frozen=True)
class Tryout:
    """A model with its tools, under trial."""

    decide: Decide
    answers: Answers
    tools: Mapping[str, Tool]
    budgets: Sequence[Budget] = ()
    live: Live | None = None

    async def run(self, case: Case) -> Trial:
        """Carry a case out once."""
        begun = time.monotonic()
        run = _Run(self, case)
        status, error = RequestStatus.COMPLETED, ""
        try:
            await run.to_the_end()
        except Ended as end:
            status, error = end.status, end.summary
            run.summaries.append(end.summary)
        return Trial(
            calls=tuple(run.calls.made),
            summary=run.summaries[0],
            answers=tuple(run.summaries[1:]),
            output=run.output,
            status=status,
            claims=tuple(run.claims),
            usage=run.allowance.usage,
            seconds=time.monotonic() - begun,
            error=error,
            unanswered=tuple(run.calls.unanswered),
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
    summaries: list[str] = field(default_factory=list[str])
    """Of each message."""
    claims: list[str] = field(default_factory=list[str])
    output: JsonValue = None

    def __post_init__(self) -> None:
        case, tryout = self.case, self.tryout
        self.request = case.asked
        self.conversation = Conversation([])
        self.allowance = allowance_of(self.request)
        self.model = TriedModel(tryout.decide, tryout.answers, self.request, self.conversation, self.allowance)
        self.calls = TriedCalls(case, self.request, tryout.tools, tryout.budgets, tryout.live)

    async def to_the_end(self) -> None:
        """Every message in turn.

        Raises:
            Ended: a message ends for another reason than that the model is done; none after it is said.
        """
        await self.model.check_schema()
        for text in (self.case.request, *(each.text for each in self.case.say)):
            self.conversation.add([UserEntry(text=text)])
            self.allowance.begin_message(len(self.calls.made))
            self.calls.sent_back.clear()
            await self._conclude(await self._last_decision())

    async def _last_decision(self) -> Decision:
        """Ask and answer until the model has no more calls."""
        corrected = False
        while True:
            decision = await self.model.decide()
            turn = self.allowance.turn
            if decision.calls:
                self.allowance.check_calls(len(self.calls.made) + len(decision.calls))
                self.conversation.add_decision(turn, decision)
                self.conversation.add_results(turn, [await self.calls.told(call) for call in decision.calls])
            elif problem := problem_with(decision, corrected=corrected):
                corrected = corrected or decision.problem is None
                self.conversation.add_decision(turn, decision)
                self.conversation.add([NoteEntry(text=problem)])
            else:
                return decision

    async def _conclude(self, decision: Decision) -> None:
        if decision.refused:
            raise Ended(RequestStatus.FAILED, f"The model refused: {decision.text}")
        self.conversation.add_decision(self.allowance.turn, decision)
        claims = decision.unsupported_claims
        if self.request.output_schema is not None:
            answer = await self.model.answer(self.request.output_schema)
            claims, self.output = (*claims, *of_output(answer)), answer.output
        self.claims += map(str, claims)
        self.summaries.append(decision.text)
