"""A scripted model that can be made to take another path to the same mail."""

import threading
from enum import StrEnum
from typing import cast

from tests.chaos.trial import PatientModel
from tests.scripted_model import Answer, Object, Raw, call, calls, say


class Path(StrEnum):
    """How the model comes to the mail: at its first turn, or at its second, after it has looked something up."""

    STRAIGHT = "straight"
    ROUNDABOUT = "roundabout"

    @property
    def other(self) -> "Path":
        return Path.ROUNDABOUT if self is Path.STRAIGHT else Path.STRAIGHT


class Model(PatientModel):
    """Knows one mail for each text, and the path to it that is taken next."""

    def __init__(self) -> None:
        super().__init__()
        self.swaying: set[str] = set()
        """Texts for which it takes the other path whenever it is asked for the first time."""
        self._tokens: dict[str, str] = {}
        self._paths: dict[str, Path] = {}
        self._held: dict[str, threading.Event] = {}

    def learn(self, text: str, token: str, path: Path = Path.STRAIGHT) -> None:
        self._tokens[text] = token
        self._take(text, path)

    def learn_order(self, text: str, token: str, tool: str) -> None:
        """Of a text that asks for an order over HTTP."""
        self.scripts[text] = [calls(call(tool, subject=token)), say("That is all."), say("That is all.")]

    def turn(self, text: str) -> None:
        """Take the other path from now on."""
        self._take(text, self._paths[text].other)

    def hold(self, text: str) -> None:
        """Answer nothing to it before it is let go."""
        self._held[text] = threading.Event()

    def let_go(self, text: str) -> None:
        self._held[text].set()

    def answer(self, body: Object) -> Raw:
        messages = cast("list[Object]", body["messages"])
        text = next(str(each["content"]) for each in messages if each["role"] == "user")
        if held := self._held.get(text):
            held.wait(60)
        if text in self.swaying and not any(each["role"] == "assistant" for each in messages):
            self.turn(text)
        return super().answer(body)

    def _take(self, text: str, path: Path) -> None:
        token = self._tokens[text]
        mail = calls(call("send_email", to=[f"{token}@example.com"], subject=token, body="Hello."))
        look: list[Answer] = [calls(call("look_up", word="tree"))] if path is Path.ROUNDABOUT else []
        self._paths[text] = path
        self.scripts[text] = [*look, mail, say("That is all."), say("That is all.")]
