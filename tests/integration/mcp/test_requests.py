"""A request calls the tools of an MCP server, and its receipts say what the server's own account says."""

from pathlib import Path

from temporalio.client import Client

from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import ask
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.mcp.notebook import sources
from workflows.contract.api import ReceiptStatus


async def test_receipts_tell_what_was_done_what_was_refused_and_what_nobody_knows(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    settings = settings_for(model, sources=sources(tmp_path))
    texts = ("milk", "refuses: bread", "dies-after: eggs")
    model.scripts["Take notes"] = [*(calls(call("book_take_note", text=text)) for text in texts), say("Done.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Take notes", approve=("book_take_note",))
    done, failed, unknown = outcome.receipts
    assert (done.status, done.result) == (ReceiptStatus.DONE, "noted: milk")
    assert (failed.status, failed.error) == (ReceiptStatus.FAILED, "book take_note: the notebook is full")
    assert unknown.status is ReceiptStatus.UNKNOWN
    assert (tmp_path / "record").read_text().splitlines() == ["milk", "dies-after: eggs"]
