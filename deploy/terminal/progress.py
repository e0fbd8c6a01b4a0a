"""The steps of a request, drawn as they happen."""

from deploy.client.listing import A_CONVERSATION
from deploy.client.steps import (
    Answered,
    Asked,
    AskedAgain,
    Broke,
    Calling,
    CancelAsked,
    CloseAsked,
    Corrected,
    Crashed,
    Decided,
    Demoted,
    EditRefused,
    Ended,
    Listening,
    MessageCame,
    NotAnswered,
    NotRun,
    Replied,
    Returned,
    Ruled,
    Settled,
    Settling,
    Shaped,
    Shaping,
    Step,
    Stuck,
    Thinking,
    Took,
    Waiting,
    WaitingForAnswer,
)
from deploy.terminal.console import INDENT, Paper
from deploy.terminal.loops import without_loops
from deploy.terminal.marks import COLOURS, MARKS
from deploy.terminal.text import arguments, compact, short
from workflows.contract.api import Approve, Reject
from workflows.contract.internal import Decision, ToolCall
from workflows.timeline import count

STARTING, DECIDING, APPROVAL, ANSWER, LISTENING = "start", "decide", "approval", "answer", "listen"


class ProgressScreen(Paper):
    """Shows what happens in one request."""

    def show(self, step: Step, request_id: str) -> None:
        """Draw one step, and on a terminal say below it what is being waited for."""
        self._running.pop(STARTING, None)
        self._running.pop(LISTENING, None)
        match step:
            case Asked(request):
                text = request.title or A_CONVERSATION
                self._line((request_id, "bold cyan"), "  ", (short(text, 2 * self._width), "bold"))
                self._line()
                self._wait(STARTING, "waiting for a worker")
            case MessageCame() | Answered() | NotAnswered() | CloseAsked() | Listening():
                self._talked(step)
            case Thinking() | Shaping() | Decided() | Shaped() | Demoted() | Corrected():
                self._modelled(step)
            case Calling() | Returned() | NotRun() | Settling() | Settled():
                self._called(step)
            case Broke():
                self._broke(step)
            case Ruled() | EditRefused() | AskedAgain() | Waiting() | CancelAsked() | Stuck():
                self._happened(step)
            case WaitingForAnswer() | Replied():
                self._questioned(step)
            case Ended() | Crashed():
                self._rest()

    # --- a request that is kept open ---

    def titled(self, request_id: str, what: str) -> None:
        self._line((request_id, "bold cyan"), "  ", (what, "dim"))
        self._line()

    def sent(self) -> None:
        """Say that a message waits to be taken."""
        self._wait(STARTING, "waiting for a worker")

    def _talked(self, step: MessageCame | Answered | NotAnswered | CloseAsked | Listening) -> None:
        match step:
            case MessageCame(message):
                by = f"  ({message.by})" if message.by else ""
                self._line(("> ", "bold cyan"), (short(message.text, 2 * self._width), "bold"), (by, "dim"))
                self._wait(STARTING, "waiting for its turn")
            case Answered(_, outcome):
                status = outcome.status.replace("_", " ")
                told = short(without_loops(outcome.summary), 300)
                self._line(INDENT, (f"{status}: ", COLOURS.get(outcome.status, "red")), told)
            case NotAnswered(_, error):
                self._line(INDENT, ("✗ the message has no answer: ", "red"), (short(error, 300), "red"))
            case CloseAsked():
                self._line(INDENT, ("it is to be closed", "yellow"))
            case Listening(answer):
                if answer:
                    self._line(INDENT, short(without_loops(answer), 300))
                self._running.clear()
                self._wait(LISTENING, "waiting for a message")

    # --- the model ---

    def _modelled(self, step: Thinking | Shaping | Decided | Shaped | Demoted | Corrected) -> None:
        match step:
            case Thinking(turn, shortened):
                if shortened:
                    self._line(INDENT, ("the conversation is too long for the model, and was shortened", "yellow"))
                self._wait(DECIDING, f"turn {turn}: asking the model")
            case Shaping(turn):
                self._wait(DECIDING, f"turn {turn}: putting the result into the schema")
            case Decided():
                self._decided(step)
            case Shaped():
                self._shaped(step)
            case Demoted(what):
                self._line(INDENT, ("⚠ the model's endpoint: ", "yellow"), (short(what, 300), "yellow"))
            case Corrected(text):
                self._line(INDENT, ("asked the model to correct: ", "yellow"), (short(text, 300), "yellow"))

    def _decided(self, step: Decided) -> None:
        does, style = _does(step.decision)
        self._turn(step.turn, (short(without_loops(does), self._width - len(INDENT) - 20), style), step.took)
        if step.decision.problem:
            self._line(INDENT, (short(step.decision.problem, 300), "yellow"))
        for call in step.decision.calls:
            room = self._width - len(INDENT) - len(call.tool) - 3
            self._line(INDENT, ("→ ", "cyan"), call.tool, " ", (arguments(call.arguments, room), "dim"))

    def _shaped(self, step: Shaped) -> None:
        if step.answer.problem is None:
            self._turn(step.turn, ("the result is put into the schema", ""), step.took)
        else:
            self._turn(step.turn, ("the result does not fit the schema", "yellow"), step.took)
            self._line(INDENT, (short(step.answer.problem, 300), "yellow"))

    def _turn(self, turn: int, what: tuple[str, str], took: Took) -> None:
        self._done(DECIDING)
        self._line((f"turn {turn}".ljust(len(INDENT)), "bold"), what, _took(took))
        self._again(took)

    # --- the calls ---

    def _called(self, step: Calling | Returned | NotRun | Settling | Settled) -> None:
        match step:
            case Calling(call, about):
                if call.tried_before:
                    self._line(INDENT, ("? ", "yellow"), call.tool, "  ", (about, "yellow"))
                self._wait(call.key, f"{call.tool} {about}")
            case Returned(calling, result, took):
                value = short(compact(result.value), self._width - len(INDENT) - len(calling.call.tool) - 24)
                self._closed("✓", "green", calling, (value, ""), took)
            case NotRun(tool, status, error):
                self._line(INDENT, ("✗ ", "yellow"), tool, "  ", (f"{status}: {short(error, 300)}", "yellow"))
            case Settling(call):
                what = f"asking the ledger what became of {call.tool}"
                room = self._width - len(INDENT) - len(what) - 3
                self._line(INDENT, ("? ", "yellow"), what, " ", (arguments(call.arguments, room), "dim"))
                self._wait(_settling(call), what)
            case Settled(call, settlement, took):
                self._done(_settling(call))
                mark, style = MARKS[settlement.status]
                why = f": {short(settlement.error, 300)}" if settlement.error else ""
                self._line(INDENT, (f"{mark} ", style), call.tool, f"  {settlement.status}{why}", _took(took))

    def _broke(self, step: Broke) -> None:
        error = (short(step.error, 300), "red")
        match step.doing:
            case Calling():
                self._closed("✗", "red", step.doing, error, step.took)
            case Thinking(turn) | Shaping(turn):
                self._done(DECIDING)
                label = (f"turn {turn}".ljust(len(INDENT)), "bold")
                self._line(label, ("✗ the model: ", "red"), error, _took(step.took))
            case Settling(call):
                self._done(_settling(call))
                self._line(INDENT, ("✗ the ledger: ", "red"), error, _took(step.took))

    def _closed(self, mark: str, style: str, calling: Calling, what: tuple[str, str], took: Took) -> None:
        self._done(calling.call.key)
        self._line(INDENT, (f"{mark} ", style), calling.call.tool, "  ", what, _took(took))
        self._again(took)

    def _again(self, took: Took) -> None:
        if took.after:
            self._line(INDENT, ("  tried again after: ", "yellow"), (short(took.after, 200), "yellow"))

    # --- people, and what goes wrong ---

    def _questioned(self, step: WaitingForAnswer | Replied) -> None:
        match step:
            case WaitingForAnswer(yes):
                self._wait(ANSWER, "waiting for an answer") if yes else self._done(ANSWER)
            case Replied(message):
                by = f" by {message.by}" if message.by else ""
                self._line(INDENT, ("✓ answered", "green"), f"{by}: ", short(message.text, 300))

    def _happened(self, step: Ruled | EditRefused | AskedAgain | Waiting | CancelAsked | Stuck) -> None:
        match step:
            case Ruled(Approve(arguments=edited) as verdict):
                instead = "" if edited is None else f", with {arguments(edited, self._width - len(INDENT) - 40)}"
                self._line(INDENT, ("✓ approved", "green"), f" by {verdict.by}{instead}")
            case Ruled(verdict):
                why = f": {verdict.reason}" if isinstance(verdict, Reject) and verdict.reason else ""
                self._line(INDENT, ("✗ rejected", "yellow"), f" by {verdict.by}{why}")
            case EditRefused(verdict, error):
                self._line(INDENT, (f"✗ what {verdict.by} made of it cannot be run: ", "yellow"), short(error, 300))
            case AskedAgain(verdict, pending):
                why = short(pending.reason, 300)
                self._line(INDENT, (f"! what {verdict.by} made of it needs a second yes: ", "yellow"), why)
            case CancelAsked():
                self._line(INDENT, ("cancellation was asked for", "yellow"))
            case Stuck(error):
                self._line(INDENT, ("the worker's code fails, and is tried again: ", "red"), error)
            case Waiting(yes):
                self._wait(APPROVAL, "waiting for approval") if yes else self._done(APPROVAL)


def _does(decision: Decision) -> tuple[str, str]:
    match decision:
        case Decision(problem=str()):
            return "the model's reply could not be used", "yellow"
        case Decision(refused=True):
            return f"the model refuses: {decision.text}", "yellow"
        case Decision(cut_off=True):
            return f"the model's answer is cut off: {decision.text}", "yellow"
        case Decision(calls=()):
            return "the model answers", ""
        case _:
            asks = f"the model asks for {count(len(decision.calls), 'call')}"
            return f"{asks}: {decision.text}" if decision.text else asks, ""


def _took(took: Took) -> tuple[str, str]:
    tried = f", {took.attempts} attempts" if took.attempts > 1 else ""
    return (f"  {took.seconds:.1f} s{tried}", "dim")


def _settling(call: ToolCall) -> str:
    return f"{call.key}: ledger"
