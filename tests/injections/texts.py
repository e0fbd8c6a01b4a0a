"""The texts, as a stranger's page would have them."""

import json
from pathlib import Path

HERE = Path(__file__).parent


def texts() -> dict[str, str]:
    """Every text, by a name that tells where it comes from."""
    dojo = json.loads((HERE / "agentdojo.json").read_text(encoding="utf-8"))
    found = {
        f"agentdojo-{attack}-{number}": words.replace("{goal}", goal)
        for attack, words in dojo["attacks"].items()
        for number, goal in enumerate(dojo["goals"], start=1)
    }
    for name in ("bastioncorpus", "agent_injection_bench"):
        collection = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
        found |= {f"{name}-{key}": text for key, text in collection["texts"].items()}
    return found
