"""`client.py submit`, `watch` and `result`."""

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from client import handle_of, state
from tests.integration.cli.conftest import CommandLine, Said, an_id
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Request, RequestStatus
from workflows.contract.progress import LimitsUsed, Messages, Progress


@workflow.defn(name=REQUEST_WORKFLOW)
class TwoRuns:
    """Continues as new once, as a request does whose history has grown long."""

    @workflow.run
    async def run(self, request: Request) -> Outcome:
        if request.carried is None:
            spending = LimitsUsed(turn=7, deadline=workflow.now())
            progress = Progress(messages=Messages(), spending=spending)
            workflow.continue_as_new(request.model_copy(update={"carried": progress}))
        return Outcome(request_id=workflow.info().workflow_id, status=RequestStatus.COMPLETED, summary="Twice.")


async def said(process: asyncio.subprocess.Process) -> Said:
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    return Said(process.returncode or 0, out.decode(), err.decode())


async def test_submit_shows_turns_calls_receipts_and_summary(
    cli: CommandLine, worker: ScriptedModel, happened: World
) -> None:
    happened.failures["errand"] = 1
    worker.scripts["Look up errand."] = [calls(call("look_up", word="errand"), call("no_tool")), say("An errand.")]
    shown = await cli("submit", "Look up errand.", "--id", (request_id := an_id()))
    assert shown.code == 0
    for expected in (
        f"{request_id}  Look up errand.",
        "turn 1  the model asks for 2 calls",
        '→ look_up word="errand"',
        "✓ look_up",
        "2 attempts",
        "tried again after: the dictionary is closed for a moment",
        "✗ no_tool",
        "turn 2  the model answers",
        "completed: An errand.",
        "✓ done",
        "✗ invalid",
        "2 model calls, 200 tokens in and 20 out",
        f"/namespaces/{cli.environment['TEMPORAL_NAMESPACE']}/workflows/{request_id}/",
    ):
        assert expected in shown.out, shown.out


async def test_json_is_the_outcome_and_nothing_else(cli: CommandLine, worker: ScriptedModel) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    shown = await cli("submit", "Say hello.", "--json")
    assert Outcome.model_validate_json(shown.out).summary == "Hello."
    assert shown.err == ""
    later = await cli("result", Outcome.model_validate_json(shown.out).request_id, "--json")
    assert later.out == shown.out


async def test_the_same_id_and_request_joins(cli: CommandLine, worker: ScriptedModel) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    options = ("--id", an_id(), "--json", "--max-turns", "3")
    first = await cli("submit", "Say hello.", *options, "--approve", "tell", "--approve", "look_up")
    second = await cli("submit", "Say hello.", *options, "--approve", "look_up", "--approve", "tell")
    assert first.code == 0
    assert (second.code, second.out) == (0, first.out)


@pytest.mark.parametrize(
    ("words", "different"),
    [
        (["Say goodbye."], "TEXT"),
        (["Say hello.", "--yes"], "--approve"),
        (["Say hello.", "--max-turns", "3", "--timeout", "60"], "--max-turns, another --timeout"),
        (["Say hello.", "--requester", "bob", "--max-cost", "1"], "--max-cost, another --requester"),
        (["Say hello.", "--schema", "SCHEMA"], "--schema"),
    ],
)
@pytest.mark.sampled(2)
async def test_an_id_that_is_taken_by_another_request_is_refused_and_the_difference_is_named(
    cli: CommandLine, worker: ScriptedModel, tmp_path: Path, words: list[str], different: str
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    (file := tmp_path / "schema.json").write_text('{"type": "object"}')
    request_id = an_id()
    await cli("submit", "Say hello.", "--id", request_id)
    shown = await cli("submit", *(str(file) if word == "SCHEMA" else word for word in words), "--id", request_id)
    taken = f"{request_id} is taken by a request with another {different}; use another id"
    assert shown == Said(2, "", f"error: {taken}\n")


async def test_an_id_that_is_taken_by_something_else_is_refused(cli: CommandLine, client: Client) -> None:
    other = await client.start_workflow("Other", {"txt": "Go"}, id=an_id(), task_queue="nobody's")
    shown = await cli("submit", "Say hello.", "--id", other.id)
    assert shown == Said(2, "", f"error: {other.id} is taken by something that is no request; use another id\n")
    await other.terminate()


@pytest.mark.parametrize("request_id", ["", " ", "a b", "a/", "/a", "ä", "-a", "x" * 201])
async def test_an_id_that_no_request_can_have_is_refused_before_anything_starts(
    cli: CommandLine, request_id: str
) -> None:
    shown = await cli("submit", "Say hello.", f"--id={request_id}")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(f'error: --id "{request_id[:59]}')
    assert "an id has 1 to 200 letters (A to Z), digits and . _ ~ : @ + = -" in shown.err


async def test_no_wait_prints_the_id_and_the_limits_reach_the_request(cli: CommandLine, client: Client) -> None:
    limits = ("--max-turns", "3", "--max-calls", "4", "--timeout", "5", "--max-cost", "0.5")
    tokens = ("--max-input-tokens", "600", "--max-output-tokens", "70")
    shown = await cli("submit", "Wait.", "--no-wait", *limits, *tokens, "--approve", "tell")
    handle = handle_of(client, shown.out.strip())
    first = await anext(handle.fetch_history_events())
    (payload,) = first.workflow_execution_started_event_attributes.input.payloads
    request = Request.model_validate_json(payload.data)
    assert (request.limits.turns, request.limits.calls, request.limits.seconds) == (3, 4, 5)
    assert (request.limits.cost, request.limits.input_tokens, request.limits.output_tokens) == (0.5, 600, 70)
    assert (request.approve, request.requester) == (("tell",), "ann")
    await handle.terminate()


async def test_a_schema_that_cannot_be_used_is_refused_before_anything_starts(
    cli: CommandLine, client: Client, tmp_path: Path
) -> None:
    (file := tmp_path / "price.json").write_text('{"type": "nubmer"}')
    request_id = an_id()
    shown = await cli("submit", "What does it cost?", "--schema", str(file), "--id", request_id)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(f"error: --schema: {file} is not a JSON Schema that can be used: ")
    nothing = f"error: there is no request {request_id}"
    assert await cli("status", request_id) == Said(2, "", f"{nothing}\n")
    nowhere = f"{nothing}: Temporal has no history of it, and the ledger no write\n"
    assert await cli("why", request_id) == Said(2, "", nowhere)


async def test_an_output_is_shown_below_the_summary_and_is_in_the_json(
    cli: CommandLine, worker: ScriptedModel, tmp_path: Path
) -> None:
    schema = {"type": "object", "properties": {"letters": {"type": "integer"}}, "required": ["letters"]}
    (file := tmp_path / "letters.json").write_text(json.dumps(schema))
    worker.scripts["Has errand 6 letters?"] = [say("It has six letters."), say('{"letters": 6}')]
    shown = await cli("submit", "Has errand 6 letters?", "--schema", str(file))
    assert shown.code == 0, shown.err
    assert "turn 1  the result is put into the schema" in shown.out
    assert 'completed: It has six letters.\n{\n  "letters": 6\n}\n' in shown.out
    as_json = await cli("submit", "Has errand 6 letters?", "--schema", str(file), "--json")
    assert json.loads(as_json.out)["output"] == {"letters": 6}


async def test_a_limit_that_is_reached_ends_with_1(cli: CommandLine, worker: ScriptedModel) -> None:
    worker.scripts["Look twice."] = [calls(call("look_up", word="a")), calls(call("look_up", word="b"))]
    shown = await cli("submit", "Look twice.", "--max-turns", "1")
    assert shown.code == 1
    assert "limit reached: Stopped at the limit of 1 turn." in shown.out


async def test_input_that_is_no_request_ends_with_1_and_the_reason(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    request_id, queue = an_id(), cli.environment["ERRAND_TASK_QUEUE"]
    await client.start_workflow(REQUEST_WORKFLOW, {"txet": "hello"}, id=request_id, task_queue=queue)
    for shown in (await cli("watch", request_id), await cli("result", request_id)):
        assert shown.code == 1
        assert "txet" in shown.err


async def test_wrong_usage_ends_with_2_and_says_what_is_wrong(cli: CommandLine) -> None:
    assert await cli("submit", "") == Said(2, "", "error: TEXT: it is blank; say what should happen\n")
    assert await cli("watch", "no-such") == Said(2, "", "error: there is no request no-such\n")
    assert (await cli("submit", "x", "--max-turns", "0")).err == "error: --max-turns: expected 1 or more, not 0\n"
    assert (await cli("list", "--status", "nope")).code == 2


async def test_an_address_where_nobody_answers_ends_with_3_within_seconds(cli: CommandLine) -> None:
    nobody = CommandLine({**cli.environment, "TEMPORAL_ADDRESS": "127.0.0.1:1"}, cli.python)
    begun = time.monotonic()
    async with nobody.process("submit", "Say hello.") as process:
        shown = await said(process)
    assert shown.code == 3
    assert shown.err == "error: cannot reach Temporal at 127.0.0.1:1 (TEMPORAL_ADDRESS); `make up` starts one\n"
    assert time.monotonic() - begun < 15


async def test_an_interrupt_leaves_the_request_running_and_says_how_to_watch_it(
    cli: CommandLine, client: Client
) -> None:
    request_id = an_id()
    async with cli.process("submit", "Take your time.", "--id", request_id) as process:
        assert process.stdout
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        shown = await said(process)
    assert shown.code == 130
    assert f"{request_id} goes on; see how: uv run client.py watch {request_id}" in shown.err
    await handle_of(client, request_id).terminate()


async def test_on_a_terminal_the_person_is_asked_in_place_and_their_yes_runs_the_call(
    cli: CommandLine, client: Client, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write errand."] = [calls(call("write_down", word="errand")), say("Written.")]
    request_id = an_id()
    async with cli.terminal("submit", "Write errand.", "--id", request_id) as terminal:
        shown = await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("y\n")
        shown += await terminal.see("/history")
        assert await terminal.ends() == 0
    assert "write_down waits for approval" in shown
    assert "✓ approved by ann" in shown
    assert happened.done("write_down") == ["errand"]
    assert (await handle_of(client, request_id).result()).receipts[0].approved_by == "ann"


async def test_on_a_terminal_the_person_can_edit_the_call_before_saying_yes(
    cli: CommandLine, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write errand."] = [calls(call("write_down", word="errand")), say("It is over.")]
    editor = "sed -i s/errand/errands/"
    async with cli.terminal("submit", "Write errand.", "--id", an_id(), VISUAL=editor) as terminal:
        await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("e\n")
        shown = await terminal.see("approve? [y/N/e=edit/reason]")
        terminal.type("y\n")
        shown += await terminal.see("/history")
        assert await terminal.ends() == 0
    assert 'approved by ann, with word="errands"' in shown
    assert happened.done("write_down") == ["errands"]


async def test_watching_goes_on_in_the_run_that_continues_the_request(cli: CommandLine, client: Client) -> None:
    queue = cli.environment["ERRAND_TASK_QUEUE"]
    runner = UnsandboxedWorkflowRunner()
    async with cli.process("submit", "Run twice.", "--id", (request_id := an_id())) as process:
        assert process.stdout
        await process.stdout.readline()
        async with Worker(client, task_queue=queue, workflows=[TwoRuns], workflow_runner=runner):
            shown = await said(process)
    assert shown.code == 0
    assert "completed: Twice." in shown.out
    assert (await cli("submit", "Run twice.", "--id", request_id, "--no-wait")).code == 0


async def test_the_state_of_a_request_can_be_asked_for_by_a_program(
    cli: CommandLine, client: Client, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    request_id = an_id()
    await cli("submit", "Say hello.", "--id", request_id)
    now = await state(handle_of(client, request_id))
    shown = await cli("status", request_id, "--json")
    assert json.loads(shown.out) == json.loads(now.model_dump_json())
