"""What was said in a conversation before somebody joined it, in brief."""

from collections.abc import Iterable, Iterator

from deploy.client.steps import Answered, Asked, Listening, MessageCame, Replied, Step
from deploy.terminal.console import INDENT, Paper
from deploy.terminal.loops import without_loops
from deploy.terminal.text import short
from workflows.contract.conversation import AssistantEntry, Entry, UserEntry
from workflows.contract.progress import Progress
from workflows.timeline import count

SHOWN = 10
"""Lines; of what was said before, how many there were."""

Line = tuple[bool, str]
"""Whether a person said it, and what."""


class PastScreen(Paper):
    """Shows what has been said."""

    def past(self, steps: Iterable[Step]) -> None:
        lines = list(spoken(steps))
        if earlier := len(lines[:-SHOWN]):
            self._line((f"… {count(earlier, 'line')} before", "dim"))
        for by_a_person, text in lines[-SHOWN:]:
            if by_a_person:
                self._line(("> ", "bold cyan"), (short(text, 2 * self._width), "bold"))
            else:
                self._line(INDENT, short(text, 2 * self._width))
        if lines:
            self._line()


def spoken(steps: Iterable[Step]) -> Iterator[Line]:
    """The messages and their answers, without what happened in between."""
    for step in steps:
        match step:
            case Asked(request) if progress := Progress.carried_by(request):
                yield from filter(None, map(_spoken_before, progress.conversation))
            case Asked(request) if request.text:
                yield True, request.text
            case MessageCame(message):
                yield True, message.text
            case Replied(message, question) if question:  # without one, it was told as a message
                yield True, message.text
            case Answered(_, outcome):
                calls = f"  ({count(len(outcome.receipts), 'receipt')})" if outcome.receipts else ""
                yield False, f"{without_loops(outcome.summary)}{calls}"
            case Listening(answer) if answer:
                yield False, without_loops(answer)
            case _:
                pass


def _spoken_before(entry: Entry) -> Line | None:
    match entry:
        case UserEntry(text=text):
            return True, text
        case AssistantEntry(text=text, calls=()) if text:
            return False, without_loops(text)
        case _:
            return None
