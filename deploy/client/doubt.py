"""What may be meant, but more likely is not."""


class Doubt(Exception):
    """A deployment works, but not as most are meant to."""

    def __init__(self, said: str, todo: str) -> None:
        super().__init__(said)
        self.todo = todo
