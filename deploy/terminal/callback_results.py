"""What a person sees of callbacks."""

from collections.abc import Sequence

from deploy.client.callbacks import Callback, CallbackStatus
from deploy.terminal.console import Paper
from deploy.terminal.text import short
from workflows.timeline import count

COLOURS = {CallbackStatus.DELIVERED: "green", CallbackStatus.TRYING: "yellow", CallbackStatus.FAILED: "red"}


class CallbackScreen(Paper):
    """Shows what was told to endpoints."""

    def callbacks(self, callbacks: Sequence[Callback]) -> None:
        """One on a line, with its latest error."""
        for each in callbacks:
            due = f", again at {each.next_attempt_at.astimezone():%Y-%m-%d %H:%M}" if each.next_attempt_at else ""
            error = f"  {short(each.error, 300)}{due}" if each.error else ""
            self._line(
                (each.endpoint, "bold"),
                f"  {each.type}  ",
                (each.status.value, COLOURS[each.status]),
                (f"  {each.at.astimezone():%Y-%m-%d %H:%M}, {count(each.attempts, 'attempt')}", "dim"),
                error,
            )
        if not callbacks:
            self.note("no callbacks")

    def not_told(self, callbacks: Sequence[Callback]) -> None:
        """Only those that their endpoints have not taken."""
        for each in callbacks:
            if each.error:
                failed = "was not told of" if each.status is CallbackStatus.FAILED else "is still to be told of"
                self.note(f"{each.endpoint} {failed} {each.type}: {short(each.error, 300)}")
