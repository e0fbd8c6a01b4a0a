"""What a person at a terminal sees of an explanation: call by call, where it came from, who allowed it, what became of
it."""

from collections.abc import Mapping

from activities.model.origins import Source
from deploy.client.explanation_lines import Tone, facts, moment
from deploy.client.explanations import ExplainedCall, Explanation
from deploy.terminal.console import Paper
from deploy.terminal.marks import MARKS
from deploy.terminal.text import compact, short
from workflows.contract.api import ReceiptStatus

LABEL = 14
LONGEST_LINE = 400
STYLES: Mapping[Tone, str] = {"plain": "", "aside": "dim", "doubt": "yellow", "wrong": "red", "alarm": "bold red"}


class ExplanationScreen(Paper):
    """Shows why a request did what it did."""

    def explanation(self, explanation: Explanation) -> None:
        who = explanation.requester or "somebody"
        when = f" at {moment(explanation.started_at)}" if explanation.started_at else ""
        self._line((explanation.request_id, "bold cyan"), f"  {who} asked{when}: ", short(explanation.text, 400))
        if explanation.ended:
            self._line((f"{explanation.ended}: ", "dim"), short(explanation.summary, 400))
        for call in explanation.calls:
            self._call(call)
        for note in explanation.notes:
            self.note(note)

    def _call(self, call: ExplainedCall) -> None:
        mark, style = MARKS[call.status] if isinstance(call.status, ReceiptStatus) else ("?", "yellow")
        place = call.key.rpartition("/")[2]
        self._line()
        self._line((f"{mark} {place} ", style), (call.tool, "bold"), f" {call.about}  ", (call.status, style))
        for source in call.sources:
            self._source(source)
        if not call.sources and call.arguments:
            self._fact("arguments", compact(call.arguments), "plain")
        for fact in facts(call):
            self._fact(fact.label, fact.text, fact.tone)

    def _source(self, source: Source) -> None:
        label = "" if source.piece else source.argument
        value = short(compact(source.value), 80)
        origins = ", ".join(map(str, source.origins))
        self._fact(label, f"{'· ' * source.piece}{value}  {origins}", "doubt" if source.is_doubtful else "plain")

    def _fact(self, label: str, text: str, tone: Tone) -> None:
        self._line((f"  {label:{LABEL - 1}} ", "dim"), (short(text, LONGEST_LINE), STYLES[tone]))
