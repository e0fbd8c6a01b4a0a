"""Right summaries, written by hand in several languages."""

import json
from pathlib import Path

from tests.figures.right import Right

FILE = Path(__file__).parent / "by_hand.json"


def by_hand() -> list[Right]:
    return [
        Right(scene["asked"], tuple(scene["found"]), summary)
        for scene in json.loads(FILE.read_text(encoding="utf-8"))
        for summary in scene["summaries"]
    ]
