"""Every example of README.md and docs/ is run; one that is not says why. Every link leads to a file."""

import ast
import asyncio
import inspect
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from markdown_it import MarkdownIt
from pydantic import BaseModel
from standardwebhooks import Webhook
from temporalio.client import Client

from activities.callbacks.deliver import headers
from activities.callbacks.endpoints import Endpoints
from activities.execution.act import Act
from activities.http.staged import FIRST_BYTE, HttpSender, idempotency_key
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.policy import Policy
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.source_file import read_sources
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.compose_email import compose_email
from activities.tools.mail import send_email
from client import close, handle_of
from deploy.client.cases import load_cases
from deploy.codec_server.access import Access
from deploy.service.assembly import Service
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.conftest import running_worker, settings_for
from tests.dev_server import TEMPORAL, variables_for
from tests.forked import Forked
from tests.integration.web.conftest import served
from tests.scripted_model import Answer, ScriptedModel, call, calls, say
from tests.webhook_receiver import SECRET
from worker import processes_wanted
from workflows.contract.api import TASK_QUEUE, Approve, Outcome, Receipt, Reject, Request, Say
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

NOT_RUN = {
    "worker.py            settings": "it is a map of the files, and nothing to run",
    "uv sync --extra web": "it is the door itself, which the examples are run against",
    'curl -s "$DOOR/v1/requests/invoice-4711/approvals': "it takes the digest of a call that waits",
    "errand=http://": "`test_other_languages.py` runs its lines, each with what the one before has shown",
    "uv run -m deploy.codec_server": "it serves until it is stopped; its own tests start it",
    ".venv/bin/python -m tests.bench.capacity": "it takes minutes; its own test measures a little",
    "cd deploy/compose": "it needs Docker; `make compose-test` does it",
    "for each in temporal": "it needs Docker; `make compose-test` does it",
    "docker compose": "it needs Docker; `make compose-test` does it",
    "kubectl create": "it needs a cluster; the manifests are held to their schemas",
    "uv run client.py ledger downgrade": "its workers would have to stop; `cli/test_ledger.py` runs it",
    "temporal workflow show": "`test_try.py` exports the history of a request that there is, and explains it",
    "StartWorkflow:RequestWorkflow": "it is a map of spans, and nothing to run",
    "uv sync --extra openapi": "it needs the file of sources that the page shows, which other tests load",
    "uv run client.py tools call crm_createTicket": "it needs that source; `test_tools_call.py` calls other tools",
}
"""How a block begins → why it is not run."""
ELSEWHERE = {"typescript"}
"""`test_other_languages.py` holds it to a file that is compiled."""
NO_TOOLCHAIN = {"go", "java", "csharp"}
"""The page says that these are not run."""


class Block(NamedTuple):
    language: str
    text: str


def blocks() -> list[Block]:
    """The examples, each once; an indented one is for the shell."""
    found = (
        Block(token.info if token.type == "fence" else "shell", token.content)
        for page in PAGES
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8"))
        if token.type in ("fence", "code_block")
    )
    return [*dict.fromkeys(found)]


BLOCKS = blocks()


def in_language(language: str) -> list[str]:
    return [block.text for block in BLOCKS if block.language == language]


def first_line(text: str) -> str:
    return text.splitlines()[0][:60]


def test_every_example_is_in_a_language_that_is_known_here() -> None:
    assert {block.language for block in BLOCKS} == {
        *("python", "toml", "json", "shell", "yaml"),
        *ELSEWHERE,
        *NO_TOOLCHAIN,
    }


def links(page: Path) -> set[str]:
    """The files of this repository that a page names in its links and pictures."""
    inline = (
        token for each in MarkdownIt().enable("table").parse(page.read_text("utf-8")) for token in each.children or ()
    )
    targets = (str(token.attrGet("href") or token.attrGet("src") or "") for token in inline)
    return {target.partition("#")[0] for target in targets if target and "://" not in target} - {""}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert {target for target in links(page) if not (page.parent / target).exists()} == set()


def test_the_readme_links_to_every_page() -> None:
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= links(PAGES[0])


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 150


REHEARSED = "Get the weather in Paris and email it to ann@example.com."


class Scripts(dict[str, Sequence[Answer]]):
    """Whatever is asked for, the model says that it is done; but for what is rehearsed, where it calls a write."""

    def __missing__(self, text: str) -> Sequence[Answer]:
        if text == REHEARSED:
            return [calls(call("write_down", word="Paris")), say("Done.")]
        return [say("Done.")] * 5


@pytest_asyncio.fixture(loop_scope="session")
async def worker(client: Client, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Settings]:
    """A worker on the task queue of the examples, and an environment in which they find it; its settings."""
    monkeypatch.setattr(model, "scripts", Scripts())
    settings = settings_for(model, task_queue=TASK_QUEUE)
    for name, value in variables_for(client).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ERRAND_LEDGER_URL", settings.ledger.ledger_url)
    monkeypatch.setenv("LOGNAME", "ann")
    async with running_worker(client, settings):
        yield settings


def the_one_with(word: str) -> str:
    """The Python example that has a word in it."""
    [text] = [text for text in in_language("python") if word in text]
    return text


class TestPython:
    def test_every_example_is_run_by_one_of_these_tests(self) -> None:
        words = ("ended.summary", "open_with", "plan_of", "send_fax", "open_ticket", "standardwebhooks", *TOOL_FILES)
        run = {the_one_with(word) for word in words}
        assert run == {*in_language("python")}

    @pytest.mark.usefixtures("imports_undone")
    @pytest.mark.parametrize("word", ["look_up_rate", "CrmSettings", "find_pets"])
    async def test_a_file_with_a_tool_is_loaded_and_the_tool_runs(
        self, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CRM_TOKEN", "hush")
        file = tmp_path / "example.py"
        file.write_text(the_one_with(word))
        catalogue = Catalogue.load(Settings.read(tools=(str(file),)))
        [found] = [each for each in catalogue.tools.values() if each.defined_at.startswith(str(file))]
        await TOOL_FILES[word](found, catalogue)

    async def test_a_program_gets_a_request_done(self, worker: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        await executed(the_one_with("ended.summary"), {})
        assert capsys.readouterr().out == "Done. []\n"

    async def test_a_receiver_verifies_what_it_is_told(self) -> None:
        told = (await executed(the_one_with("standardwebhooks"), {}))["told"]
        assert told(headers([Webhook(SECRET)], "evt_1", b'{"type": "x"}'), '{"type": "x"}') == {"type": "x"}

    async def test_a_program_submits_and_talks(self, worker: Settings, model: ScriptedModel) -> None:
        class Price(BaseModel):
            price: float

        model.scripts["What is IBM trading at?"] = [say("Here it is."), *[say('{"price": 230.79}')] * 2]
        names = await executed(the_one_with("open_with"), {"Price": Price})
        assert names["price"] == Price(price=230.79)
        assert names["second"].summary == "Done."
        await close(handle_of(names["client"], names["first"].request_id))

    async def test_a_program_rehearses_and_applies(self, worker: Settings) -> None:
        done: Outcome = (await executed(the_one_with("plan_of"), {}))["done"]
        assert done.summary == "Done: write_down."

    async def test_a_write_says_where_its_point_of_no_return_is(self, tmp_path: Path) -> None:
        class Line:
            async def transmit(self, text: str) -> str:
                return f"sent {text}"

        async def dial(to: str) -> Line:
            return Line()

        names = await executed(the_one_with("send_fax"), {"tool": tool, "Act": Act, "dial": dial})
        fax = tool_of(names["send_fax"])
        assert fax is not None
        call = ToolCall(key="r/1.1", tool="send_fax", arguments={"to": "1", "text": "hello"})
        async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
            act = Act(ledger, Write(call), attempt=1, seen=None, fence=lambda _: asyncio.sleep(0))
            result = await fax.bind({})(fax.validate(call.arguments), {ToolCall: call, Act: act})
            assert (result, act.begun) == ("sent hello", True)

    async def test_a_write_over_http_gives_the_far_end_its_key(self, tmp_path: Path) -> None:
        ticket = tool_of((await executed(the_one_with("open_ticket"), {}))["open_ticket"])
        assert ticket is not None
        call, asked = ToolCall(key="r/1.1", tool="open_ticket", arguments={"title": "Help"}), list[httpx.Request]()

        async def answer(request: httpx.Request) -> httpx.Response:
            await request.extensions["trace"](FIRST_BYTE, {})
            asked.append(request)
            return httpx.Response(201, json={"id": "7"})

        async with (
            aclosing(await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as ledger,
            httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http,
        ):
            act = Act(ledger, Write(call), attempt=1, seen=None, fence=lambda _: asyncio.sleep(0))
            run = ticket.bind({HttpSender: HttpSender(http, http)})
            assert await run(ticket.validate(call.arguments), {ToolCall: call, Act: act}) == {"id": "7"}
        assert [request.headers["Idempotency-Key"] for request in asked] == [idempotency_key(call)]


async def executed(text: str, names: dict[str, Any]) -> dict[str, Any]:
    """The names that the code has left, which may `await` anywhere."""
    code = compile(text, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    left = eval(code, names)
    if inspect.isawaitable(left):
        await left
    return names


async def called(found: Tool, catalogue: Catalogue, **arguments: str) -> httpx.Request:
    """The one request that a tool sends; it is answered with JSON, which is the tool's result."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"found": True})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        run = found.bind({httpx.AsyncClient: http, **catalogue.settings})
        assert await run(found.validate({**arguments}), {}) == {"found": True}
    [request] = sent
    return request


async def exchange(found: Tool, catalogue: Catalogue) -> None:
    request = await called(found, catalogue, base="EUR", quote="USD")
    assert dict(request.url.params) == {"base": "EUR", "symbols": "USD"}
    assert found.describe({"base": "EUR", "quote": "USD"}) == "EUR in USD"


async def customer(found: Tool, catalogue: Catalogue) -> None:
    request = await called(found, catalogue, name="Ann")
    assert request.headers["Authorization"] == "Bearer hush"
    assert str(request.url) == "https://crm.example.com/customers?name=Ann"


async def pets(found: Tool, catalogue: Catalogue) -> None:
    request = await called(found, catalogue, kind="cat")
    assert dict(request.url.params) == {"kind": "cat"}
    assert found.route.effect == "read"


TOOL_FILES: Mapping[str, Callable[[Tool, Catalogue], Awaitable[None]]] = {
    "look_up_rate": exchange,
    "CrmSettings": customer,
    "find_pets": pets,
}


SOURCE_FILES = [text for text in in_language("toml") if "[openapi." in text or "[mcp." in text]
COPIES = [text for text in in_language("toml") if "compose_email" in text]
CALLBACK_FILES = [text for text in in_language("toml") if "[endpoint." in text]
APPROVALS = [text for text in in_language("toml") if text.startswith("[approvals]")]
ACCESS = [text for text in in_language("toml") if "[token." in text]
CASES = [text for text in in_language("toml") if "[[case]]" in text]
BUDGETS = [text for text in in_language("toml") if "[[budget]]" in text]
OTHERS = (*CASES, *SOURCE_FILES, *COPIES, *CALLBACK_FILES, *APPROVALS, *ACCESS, *BUDGETS)
POLICIES = [text for text in in_language("toml") if text not in OTHERS]

MESSAGES = [text for text in in_language("json") if "$schema" not in json.loads(text)]
"""The schemas beside them are held to the code by `test_contract_files.py`."""


class TestData:
    @pytest.mark.parametrize("text", SOURCE_FILES, ids=first_line)
    def test_a_file_of_sources_is_one_that_is_read(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "sources.toml").write_text(text)
        found = read_sources(tmp_path / "sources.toml")
        assert found.openapi or found.mcp

    @pytest.mark.parametrize("text", CASES, ids=first_line)
    def test_a_file_of_cases_is_one_that_is_read(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "cases.toml").write_text(text)
        assert len(load_cases(tmp_path / "cases.toml")) == text.count("[[case]]")

    @pytest.mark.parametrize("text", CALLBACK_FILES, ids=first_line)
    def test_a_file_of_callbacks_is_one_that_is_read(
        self, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPS_HOOK_SECRET", SECRET)
        (tmp_path / "callbacks.toml").write_text(text)
        found = Endpoints.load(tmp_path / "callbacks.toml")
        assert found.problem_with(["ops"], "billing-7") is None

    @pytest.mark.parametrize("text", ACCESS, ids=first_line)
    def test_a_file_of_access_is_one_that_is_read(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "access.toml").write_text(text)
        assert Access.read(tmp_path / "access.toml").oidc is not None

    def test_a_document_is_that_of_a_file_of_sources(self) -> None:
        """`test_tools_page.py` imports it."""
        assert [text.startswith("openapi:") for text in in_language("yaml")] == [True]

    @pytest.mark.parametrize("text", POLICIES, ids=first_line)
    def test_a_policy_rules_as_it_says(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "policy.toml").write_text(text)
        policy, mail = Policy.load(tmp_path / "policy.toml"), tool_of(send_email)
        assert mail is not None
        assert policy.rule_on(mail, {"to": ["ann@example.com"]}, "billing-7")[0] == "allow"
        assert policy.rule_on(mail, {"to": ["ann@example.com", "eve@rival.example"]}, "billing-7")[0] == "ask"
        assert policy.rule_on(mail, {"to": ["ann@example.com"]}, "sales")[0] == "ask"

    @pytest.mark.parametrize(
        ("more", "ruling"),
        [
            ({}, "allow"),
            ({"to": ["ann@example.com", "eve@rival.example"]}, "ask"),
            ({"cc": ["bob@example.com"]}, "ask"),
            ({"reply_to": ["bob@example.com"]}, "ask"),
            ({"cc": ["bob@example.com"], "bcc": ["bob@example.com"]}, "deny"),
        ],
    )
    def test_a_policy_about_copies_rules_as_it_says(self, more: Arguments, ruling: str, tmp_path: Path) -> None:
        [text] = COPIES
        (tmp_path / "policy.toml").write_text(text)
        mail = tool_of(compose_email)
        assert mail is not None
        plain: Arguments = {"to": ["ann@example.com"], "subject": "s", "body": "b"}
        arguments = plain | more
        used = mail.validate(arguments).used
        assert Policy.load(tmp_path / "policy.toml").rule_on(mail, arguments, "ann", as_used=used)[0] == ruling

    @pytest.mark.parametrize("text", BUDGETS, ids=first_line)
    def test_a_policy_has_budgets(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "policy.toml").write_text(text)
        assert len(Policy.load(tmp_path / "policy.toml").budget) == text.count("[[budget]]")

    @pytest.mark.parametrize("text", APPROVALS, ids=first_line)
    def test_a_policy_names_approvers_and_who_is_told(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "policy.toml").write_text(text)
        found, mail = Policy.load(tmp_path / "policy.toml").approvals, tool_of(send_email)
        assert mail is not None
        found = found.with_recipients(["ops"], {"send_email": mail})
        assert found.rules is not None

    @pytest.mark.parametrize("text", MESSAGES, ids=first_line)
    def test_json_is_what_callers_send_and_get(self, text: str) -> None:
        value = json.loads(text)
        [message] = [each for each in (Request, Outcome, Say, Approve, Reject) if set(value) <= set(each.model_fields)]
        message.model_validate_json(text)
        assert all(set(receipt) <= set(Receipt.model_fields) for receipt in value.get("receipts", ()))


UV = f"""#!/bin/sh
[ "$1" = run ] || exit 2
shift
case "$1" in
worker.py) printf '%s\\0' "$*" > "$WORKERS/$$"; exec env -0 >> "$WORKERS/$$";;
client.py) exec $PYTHON "$@";;
*) exec {sys.executable} "$@";;
esac
"""
"""`uv run`, with this Python, and without the second that each `client.py` needs for importing; of a worker
only its words and variables are kept, see `assemble`."""
MAKE = '#!/bin/sh\ngrep -q "^$1:.*## " Makefile\n'
"""`make`, of which only is asked whether it has the target; other tests run it."""


class TestShell:
    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        """Where the commands of the examples are."""
        for name, text in {"uv": UV, "make": MAKE}.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        (tmp_path / "temporal").symlink_to(TEMPORAL)
        return f"{tmp_path}:{os.environ['PATH']}"

    @pytest.mark.parametrize("text", in_language("shell"), ids=first_line)
    @pytest.mark.sampled(8)
    async def test_it_runs(
        self,
        text: str,
        path: str,
        python: Forked,
        worker: Settings,
        client: Client,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for beginning, reason in NOT_RUN.items():
            if text.startswith(beginning):
                pytest.skip(reason)
        await an_unknown_write("invoice-4711/1.1", worker)
        door = application(client, WebSettings(keys=tmp_path / "keys.json"), worker)
        (tmp_path / "workers").mkdir()
        async with served(door) as url:
            environment = {
                "PATH": path,
                "PYTHON": " ".join(python()),
                "DOOR": url,
                "ERRAND_WEB_KEYS": str(tmp_path / "keys.json"),
            }
            await self.run(text, environment | {"WORKERS": str(tmp_path / "workers")})
        for started in sorted((tmp_path / "workers").iterdir()):
            self.assemble(started, monkeypatch)

    def assemble(self, started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker with these words and variables, up to where it would connect."""
        words, *variables = started.read_text().rstrip("\0").split("\0")
        with monkeypatch.context() as set_up:
            set_up.setattr(sys, "argv", words.split())
            for variable in variables:
                set_up.setenv(*variable.split("=", 1))
            assert processes_wanted() > 0
            Service.assemble(Settings.from_environment())

    async def run(self, text: str, environment: Mapping[str, str]) -> None:
        said, tries = await self.said(text, environment), 1
        while b"make the same call again" in said and tries < 4:  # Temporal's server has much else to do
            said, tries = await self.said(text, environment), tries + 1
        assert b"urn:errand:problem:" not in said

    async def said(self, text: str, environment: Mapping[str, str]) -> bytes:
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", runnable(text)),
            cwd=ROOT,
            env={**os.environ, **environment, "OPENAI_MODEL": "m", "OPENAI_API_KEY": "x", **IN_THE_SHELL},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(120):
            said, _ = await shell.communicate()
        assert shell.returncode == 0, said.decode()
        return said


IN_THE_SHELL = {"USER": "ann", "no_proxy": "127.0.0.1"}


def runnable(text: str) -> str:
    """Without the prompt, and with something in place of what a reader fills in."""
    lines = (line.removeprefix("$ ") for line in text.splitlines())
    whole = (f"{line[:-1]} uv run worker.py" if line.endswith(" …") else line for line in lines)
    return "\n".join(whole).replace("…", "x")


async def an_unknown_write(key: str, settings: Settings) -> None:
    """One that the ledger knows and nobody knows the end of."""
    async with aclosing(await Ledger.open(settings.ledger.ledger_url)) as ledger:
        token = await ledger.begin(Write(ToolCall(key=key, tool="send_email", arguments={})), attempt=1, seen=None)
        await ledger.finish(key, token, State.UNKNOWN)
