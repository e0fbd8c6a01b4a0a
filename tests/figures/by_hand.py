"""Right summaries, written by hand in several languages."""

import json
from pathlib import Path

from tests.figures.right import Right

HERE = Path(__file__).parent


def by_hand(file: str) -> list[Right]:
    return [
        Right(scene["asked"], tuple(scene["found"]), summary)
        for scene in json.loads((HERE / file).read_text(encoding="utf-8"))
        for summary in scene["summaries"]
    ]
