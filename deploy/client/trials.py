"""What a model did with a case, and how that differs from what was expected of it."""

import json
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from deploy.client.cases import Case, Expected, alike, stands_in
from workflows.contract.api import RequestStatus, Usage
from workflows.contract.values import Arguments, Ruling


class MadeCall(BaseModel):
    """A call that the model made."""

    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: Arguments
    ruling: Ruling | None = None
    """None: it was invalid, and would not have run."""
    problem: str = ""
    """Why it was sent back, or what could not be answered."""
    refused: bool = False
    """By the policy or a budget."""

    @property
    def would_run(self) -> bool:
        return self.ruling is not None and not self.problem


class Trial(BaseModel):
    """One run of a case."""

    model_config = ConfigDict(frozen=True)

    calls: tuple[MadeCall, ...] = ()
    summary: str = ""
    answers: tuple[str, ...] = ()
    """To the further messages."""
    output: JsonValue = None
    status: RequestStatus = RequestStatus.COMPLETED
    claims: tuple[str, ...] = ()
    """Sentences of the summary that no result bears out."""
    usage: Usage = Usage()
    seconds: float = 0.0
    error: str = ""
    """Why it did not come to a summary."""
    unanswered: tuple[str, ...] = ()
    """Reads that nothing said a result of."""


def differences(case: Case, trial: Trial) -> list[str]:
    """What was not as expected; nothing, where the case passed."""
    return [*_differences(case, trial)]


def _differences(case: Case, trial: Trial) -> Iterator[str]:
    as_expected = trial.status is case.status and not (trial.error and case.status is RequestStatus.COMPLETED)
    if not as_expected:
        yield trial.error or f"it ended as {trial.status}, and not as {case.status}"
    yield from (
        f"there is no result for {call}: give it a stub, or ask the worker with --live" for call in trial.unanswered
    )
    made = [call for call in trial.calls if call.would_run]
    yield from _calls_that_differ(case, made)
    for forbidden in case.forbidden:
        yield from (f"forbidden: {_shown(call)}" for call in made if forbidden.fits(call.tool, call.arguments))
    refused = [call for call in trial.calls if call.refused]
    yield from (
        f"not refused: {wanted}"
        for wanted in case.refused
        if not any(wanted.fits(call.tool, call.arguments) for call in refused)
    )
    if as_expected:
        yield from _words_that_differ(case, trial)
        yield from _output_that_differs(case, trial.output)


def _words_that_differ(case: Case, trial: Trial) -> Iterator[str]:
    answers = (trial.summary, *trial.answers)
    for number, (expected, answer) in enumerate(zip((case, *case.say), answers, strict=False)):
        what = "the summary" if number == 0 else f"the answer to {case.say[number - 1].text!r}"
        yield from (f"{what} lacks {each!r}" for each in expected.summary if not stands_in(each, answer))
        yield from (f"{what} has {each!r}" for each in expected.summary_not if stands_in(each, answer))
    yield from (f"the summary claims what did not happen: {each}" for each in trial.claims)


def _output_that_differs(case: Case, output: JsonValue) -> Iterator[str]:
    if "output" not in case.model_fields_set:
        return
    if (output != case.output) if case.output_exact else not alike(case.output, output):
        yield f"the output is {_json(output)}, and not {'' if case.output_exact else 'like '}{_json(case.output)}"


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _calls_that_differ(case: Case, made: Sequence[MadeCall]) -> Iterator[str]:
    pairs = _in_order(case.call, made) if case.ordered else _in_any_order(case.call, made)
    for index, expected in enumerate(case.call):
        if index not in pairs:
            yield f"expected, {'in this order' if case.ordered else 'and not made'}: {expected}"
        elif expected.ruling and (ruling := made[pairs[index]].ruling) != expected.ruling:
            yield f"{expected.tool}: the policy says {ruling}, and not {expected.ruling}"
    if (case.call or case.none) and not case.more:
        yield from (f"not expected: {_shown(call)}" for place, call in enumerate(made) if place not in pairs.values())


def _in_order(expected: Sequence[Expected], made: Sequence[MadeCall]) -> dict[int, int]:
    """Which call that was made is which of those expected, if they have to come one after the other."""
    pairs, at = dict[int, int](), 0
    for index, each in enumerate(expected):
        fits = (place for place in range(at, len(made)) if each.fits(made[place].tool, made[place].arguments))
        if (place := next(fits, None)) is not None:
            pairs[index], at = place, place + 1
    return pairs


def _in_any_order(expected: Sequence[Expected], made: Sequence[MadeCall]) -> dict[int, int]:
    """The same in any order: as many as can be paired (Kuhn's algorithm), since one call may fit several."""
    taken = dict[int, int]()

    def paired(index: int, seen: set[int]) -> bool:
        for place, call in enumerate(made):
            if place not in seen and expected[index].fits(call.tool, call.arguments):
                seen.add(place)
                if place not in taken or paired(taken[place], seen):
                    taken[place] = index
                    return True
        return False

    for index in range(len(expected)):
        paired(index, set())
    return {index: place for place, index in taken.items()}


def _shown(call: MadeCall) -> str:
    return str(Expected(tool=call.tool, arguments=call.arguments))
