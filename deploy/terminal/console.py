"""Two consoles and one live line: what everything that a person sees is drawn on."""

from rich.console import Console
from rich.status import Status
from rich.text import Text

from deploy.terminal.text import short, visible

INDENT = " " * 8
WIDEST = 120


class Paper:
    """`quiet` keeps standard output free for JSON. Where it is no terminal, lines are plain and as long as they are."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = Console(quiet=quiet, highlight=False)
        self._out.soft_wrap = not self._out.is_terminal
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        if not self._out.is_terminal:
            self._out.width = WIDEST
        self._width = min(self._out.width, WIDEST)
        self._live = Status("", console=self._out, spinner_style="cyan")
        self._is_live = False
        self._running: dict[str, str] = {}

    def say(self, text: str) -> None:
        self._line(text)

    def note(self, text: str) -> None:
        """A remark to the person, which is no output."""
        is_live = self._is_live
        self.pause()
        self._err.print(Text(visible(text), style="yellow"))
        if is_live:
            self.resume()

    def error(self, text: str) -> None:
        self._err.print(Text.assemble(("error: ", "bold red"), visible(text)))

    def pause(self) -> None:
        """Take the live line away, so that somebody can type."""
        self._live.stop()
        self._is_live = False

    def resume(self) -> None:
        """Show the live line again, if something is being waited for."""
        self._refresh()

    def _line(self, *parts: str | tuple[str, str], console: Console | None = None) -> None:
        text = Text.assemble(
            *(visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts)
        )
        (console or self._out).print(text)

    def _wait(self, key: str, what: str) -> None:
        """Say on the live line, where there is one, what is being waited for."""
        self._running[key] = what
        self._refresh()

    def _done(self, key: str) -> None:
        self._running.pop(key, None)
        self._refresh()

    def _rest(self) -> None:
        self._running.clear()
        self._refresh()

    def _refresh(self) -> None:
        if not self._out.is_terminal:
            return
        if self._running:
            self._live.update(Text(short(", ".join(self._running.values()), self._width - 4), style="dim"))
            self._live.start()
            self._is_live = True
        else:
            self.pause()
