"""python -m tests.compose

Starts deploy/compose in a folder of its own, with the image that `make image` has built, and does what
docs/production.md says: a request through the door; the worker restarted and killed while a mail waits for its verdict;
the key changed; a backup put back; the end. It removes what it has started.
"""

import base64
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from tests.compose import door_client

HERE = Path(__file__).parent
COMPOSE = HERE.parents[1] / "deploy/compose"
FILLED_IN = {
    "OPENAI_MODEL": "scripted",
    "OPENAI_BASE_URL": "http://model:8000/v1",
    "ERRAND_MAIL_FROM": "errand@example.com",
    "TEMPORAL_NAMESPACE": "errand",
}
OURS = ("worker", "door", "codec-server")
DATABASES = ("temporal", "temporal_visibility", "errand")
Answer = dict[str, JsonValue]
ANSWER = TypeAdapter(Answer)
PROCESSES = TypeAdapter(list[Answer])


@dataclass
class Stack:
    folder: Path

    def compose(self, *words: str, given: bytes | None = None) -> bytes:
        """What it prints; it has to end with 0."""
        files = ("-f", "compose.yaml", "-f", "beside.yaml")
        command = ("docker", "compose", "-p", "errand-test", *files, *words)
        ended = subprocess.run(command, cwd=self.folder, input=given, stdout=subprocess.PIPE, check=False, timeout=600)
        if ended.returncode:
            raise SystemExit(f"error: docker compose {' '.join(words[:4])} … ended with {ended.returncode}")
        return ended.stdout

    def inside(self, service: str, *words: str, given: bytes | None = None) -> bytes:
        return self.compose("exec", "-T", service, *words, given=given)

    def client(self, *words: str) -> str:
        return self.inside("worker", "python", "client.py", *words).decode()

    def door(self, path: str, body: Answer | None = None) -> Answer:
        """What the door answers to the first key's caller."""
        words = (path, (self.folder / "secrets/door_key").read_text(), json.dumps(body) if body else "")
        program = Path(door_client.__file__).read_bytes()
        return ANSWER.validate_json(self.inside("door", "python", "-", *words, given=program))

    def mail(self, request_id: str) -> None:
        """A request that sends one; it is on its way when this returns."""
        before = self.mails()
        text = "Send a mail to ann@example.com that says hello."
        self.door("/v1/requests", {"text": text, "request_id": request_id, "approve": ["send_email"]})
        until(lambda: self.mails() > before, f"the mail of {request_id} to be on its way")

    def mails(self) -> int:
        return len(re.findall(rb"(?i)message-id:", self.compose("logs", "--no-log-prefix", "mail")))

    def became(self, request_id: str) -> str:
        """The status of the request's one receipt, once it has ended."""
        ended: Answer = {}

        def has_ended() -> bool:
            ended.update(self.door(f"/v1/requests/{request_id}/outcome?wait=10"))
            return "receipts" in ended

        until(has_ended, f"{request_id} to end")
        receipts = ended["receipts"]
        assert isinstance(receipts, list)
        [receipt] = receipts
        assert isinstance(receipt, dict)
        return str(receipt["status"])

    def up(self, *services: str) -> None:
        self.compose("up", "--no-build", "--detach", "--wait", "--wait-timeout", "300", *services)


def until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"error: waited for {what}")
        time.sleep(0.5)


def hold(claim: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise SystemExit(f"error: {claim}: {seen!r}, not {wanted!r}")
    print(f"ok: {claim}", flush=True)


def prepare(folder: Path) -> None:
    shutil.copytree(COMPOSE, folder, ignore=shutil.ignore_patterns("secrets", ".env"), dirs_exist_ok=True)
    for name in ("beside.yaml", "far_ends.py"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["sh", "secrets.sh"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with (folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in FILLED_IN.items())
    (folder / "secrets/openai_api_key").write_text("unused")
    (folder / "secrets/errand_smtp_url").write_text("smtp+plain://127.0.0.1:1025")


def restarts(stack: Stack) -> None:
    stack.mail("restarted")
    stack.compose("restart", "worker")
    hold("a worker that is restarted lets a mail that is under way finish", stack.became("restarted"), "done")
    hold("and nobody sends it again", stack.mails(), 1)
    stack.up()
    stack.mail("killed")
    stack.compose("kill", "worker")
    stack.up()
    stack.compose("restart", "mail")  # into the network of the worker that is there now
    hold("a mail whose worker was killed is unknown", stack.became("killed"), "unknown")
    stack.client("resolve", "killed/1.1", "delivered", "--by", "ann")
    hold("an operator settles it", "settled by ann" in stack.client("actions"), True)


def changes_the_key(stack: Stack) -> None:
    file = stack.folder / "secrets/payload_keys"
    old, added = file.read_text(), f"next {base64.b64encode(secrets.token_bytes(32)).decode()}\n"
    for text in (old + added, added + old):
        file.write_text(text)
        stack.compose("restart", *OURS)
        stack.up()
    stack.mail("by-the-new-key")
    hold("what was sent by the new key is done", stack.became("by-the-new-key"), "done")
    hold("what was said by the old key is still read", stack.became("killed"), "unknown")


def restores(stack: Stack) -> None:
    dumps = {
        name: stack.inside("postgresql", "pg_dump", "-U", "temporal", "--format=custom", name) for name in DATABASES
    }
    stack.compose("stop", "worker", "door", "temporal")
    put_back = ("pg_restore", "-U", "temporal", "--clean", "--if-exists", "--create", "--dbname", "postgres")
    for dump in dumps.values():
        stack.inside("postgresql", *put_back, given=dump)
    stack.up()
    hold("a ledger that was put back knows its writes", stack.client("actions").count("send_email"), 3)


def ends(stack: Stack) -> None:
    began = time.monotonic()
    stack.compose("stop", *OURS)
    print(f"stopped after {time.monotonic() - began:.0f} s", flush=True)
    lines = stack.compose("ps", "--all", "--format", "json").splitlines()
    codes = {each["Service"]: each["ExitCode"] for each in map(ANSWER.validate_json, lines)}
    hold("each of them ends with 0", {name: codes[name] for name in OURS}, dict.fromkeys(OURS, 0))


def main() -> int:
    if not shutil.which("docker"):
        print(
            "error: make compose-test needs Docker with Compose 2.24 or newer, and the image of make image",
            file=sys.stderr,
        )
        return 2
    with tempfile.TemporaryDirectory(prefix="errand-compose-") as temporary:
        folder = Path(temporary)
        prepare(folder)
        stack = Stack(folder)
        try:
            began = time.monotonic()
            stack.up()
            print(f"up after {time.monotonic() - began:.0f} s", flush=True)
            for part in (restarts, changes_the_key, restores, ends):
                part(stack)
        finally:
            with suppress(SystemExit):
                stack.compose("down", "--volumes", "--timeout", "5")
    return 0


if __name__ == "__main__":
    sys.exit(main())
