"""The two that run the job: how each one's worker is started, how it is given a job, and whether it did it right."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from temporalio.client import WorkflowHandle

from client import submit
from deploy.local.part import Part
from tests.bench.floor.workflow import TASK_QUEUE as FLOOR_TASK_QUEUE
from tests.bench.floor.workflow import FloorWorkflow
from tests.bench.job import MODEL_CALLS, TOOLS, done, job
from tests.bench.scene import Scene, worker
from workflows.contract.api import Outcome, Receipt, ReceiptStatus, Request, RequestStatus

POLICY = '[[rule]]\ntool = "send_email"\narguments = { to = "*@example.com" }\nruling = "allow"\n'


class Contender(Protocol):
    @property
    def name(self) -> str: ...

    def worker(self, scene: Scene) -> Part:
        """A worker of its own, with nothing left of the one before."""
        ...

    async def run(self, scene: Scene, token: str) -> list[str]:
        """Run one job to its end; what is wrong with that end, in words."""
        ...


@dataclass(frozen=True)
class Floor:
    name: str = "floor"

    def worker(self, scene: Scene) -> Part:
        variables = {
            "TEMPORAL_ADDRESS": scene.address,
            "FLOOR_MODEL_URL": scene.around.model,
            "FLOOR_SERVICES_URL": scene.around.services,
            "FLOOR_SMTP_PORT": str(scene.around.mail.port),
        }
        return worker(self.name, ("-m", "tests.bench.floor.worker"), variables)

    async def run(self, scene: Scene, token: str) -> list[str]:
        handle: WorkflowHandle[FloorWorkflow, str] = await scene.plain.start_workflow(
            FloorWorkflow.run, job(token), id=token, task_queue=FLOOR_TASK_QUEUE
        )
        said = await handle.result()
        return [] if said == done(token) else [f"{token}: it ended with {said!r}"]


@dataclass(frozen=True)
class Service:
    name: str = "service"
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables beside those that say where everything is."""

    def worker(self, scene: Scene) -> Part:
        policy = scene.folder / "policy.toml"
        policy.write_text(POLICY, encoding="utf-8")
        around = scene.around
        variables = {
            "TEMPORAL_ADDRESS": scene.address,
            "OPENAI_BASE_URL": around.model,
            "OPENAI_API_KEY": "sk-of-the-bench",
            "OPENAI_MODEL": "scripted",
            "ERRAND_SMTP_URL": f"smtp+plain://127.0.0.1:{around.mail.port}",
            "ERRAND_MAIL_FROM": "errand@example.com",
            "ERRAND_WEATHER_URL": around.services,
            "ERRAND_GEOCODING_URL": around.services,
            "ERRAND_STOCKS_URL": around.services,
            "ERRAND_LEDGER_URL": f"sqlite:///{scene.folder / 'ledger.db'}",
            "ERRAND_POLICY": str(policy),
            "ERRAND_OFFER": " ".join(TOOLS),  # what the other one has too
        }
        if scene.payload_keys:
            variables["ERRAND_PAYLOAD_KEYS"] = str(scene.payload_keys)
        return worker(self.name, ("worker.py",), variables | dict(self.settings))

    async def run(self, scene: Scene, token: str) -> list[str]:
        handle = await submit(scene.client, Request(text=job(token)), request_id=token)
        return [f"{token}: {words}" for words in problems_of(await handle.result(), token)]


def problems_of(outcome: Outcome, token: str) -> Iterable[str]:
    """What differs from the one right outcome of the job."""
    if outcome.status is not RequestStatus.COMPLETED:
        yield f"it ended as {outcome.status}: {outcome.summary}"
    if outcome.summary != done(token) or outcome.unsupported_claims:
        yield f"it said {outcome.summary!r}, unsupported: {outcome.unsupported_claims}"
    if outcome.usage.model_calls != MODEL_CALLS:
        yield f"it took {outcome.usage.model_calls} model calls"
    if sorted(receipt.tool for receipt in outcome.receipts) != [*TOOLS]:
        yield f"it has receipts of {[receipt.tool for receipt in outcome.receipts]}"
    for receipt in outcome.receipts:
        yield from _problems_of_receipt(receipt)


def _problems_of_receipt(receipt: Receipt) -> Iterable[str]:
    if receipt.status is not ReceiptStatus.DONE or receipt.attempts != 1:
        yield f"{receipt.tool} is {receipt.status} after {receipt.attempts} attempts: {receipt.error}"
    if receipt.effect == "write" and receipt.approved_by != "policy":
        yield f"{receipt.tool} was approved by {receipt.approved_by}"


def handle_of(scene: Scene, workflow_id: str, run_id: str | None = None) -> WorkflowHandle[Any, Any]:
    return scene.plain.get_workflow_handle(workflow_id, run_id=run_id)
