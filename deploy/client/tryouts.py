"""What a worker with these settings would ask, made ready to be tried."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager

from pydantic import JsonValue, ValidationError
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.error_text import said_by
from activities.errors import ConfigurationError
from activities.model.answer import Answers
from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.model.tool_choice import ToolChoice
from activities.policy import Policy
from activities.settings import Settings
from activities.settings.environment import variable
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.tool_index import ToolIndex
from deploy.client.requests import outcome, submit
from deploy.client.tried_calls import Live
from deploy.client.trying import Tryout
from workflows.contract.api import GivenCall, Limits, ReceiptStatus, Request
from workflows.contract.values import Arguments

NOBODY_IS_ASKED = Limits(approval_seconds=0.1)
"""A person who would have to answer is not waited for, by default for a day."""


@asynccontextmanager
async def tryout_of(settings: Settings, live: Live | None = None) -> AsyncGenerator[Tryout]:
    """A model with the tools, the policy and the prompt of these settings.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    endpoint, catalogue = Endpoint.from_settings(settings.model), Catalogue.load(settings)
    choice = ToolChoice.where_needed(
        ToolIndex(catalogue.tools), settings.tools.offer_at_most, settings.tools.offer_bytes
    )
    policy = Policy.load(settings.tools.policy)
    decide = Decide(
        endpoint,
        catalogue.tools,
        policy,
        settings.tools.address_book,
        settings.model.system_prompt,
        choice=choice,
    )
    async with aclosing(endpoint), aclosing(catalogue.sources):
        answers = Answers(endpoint, settings.model.system_prompt)
        tools = choice.tools if choice else catalogue.tools
        yield Tryout(decide, answers, tools, policy.budget, live)


def changed_settings(changes: Sequence[str]) -> Settings:
    """The settings of the environment with some variables changed, as in `OPENAI_MODEL=gpt-x`.

    Raises:
        ConfigurationError: there is no such variable, or it cannot have this value.
    """
    known = {variable(name): name for name in Settings.fields()}
    values = dict[str, object]()
    for change in changes:
        name, is_set, value = change.partition("=")
        if not is_set or name not in known:
            raise ConfigurationError(f"--against: expected VARIABLE=VALUE, such as OPENAI_MODEL=…: {change}")
        values[known[name]] = value
    try:
        return Settings.read(**values)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise ConfigurationError(f"--against: {first['loc'][0]}: {said_by(first)}") from invalid


def live_reads(client: Client, task_queue: str, requester: str) -> Live:
    """Reads that a running worker makes, each as a request that is one call: by its policy, with a receipt.

    Each is a rehearsal, in which the worker and its ledger make no write. So what counts is the effect that the tool
    has on the side of the worker, whatever it has here.
    """

    async def read(tool: str, arguments: Arguments) -> JsonValue:
        call = GivenCall(tool=tool, arguments=arguments)
        request = Request(call=call, rehearse=True, requester=requester, limits=NOBODY_IS_ASKED)
        ended = await outcome(await submit(client, request, task_queue=task_queue))
        receipt = next(iter(ended.receipts), None)
        if receipt and receipt.status is ReceiptStatus.PLANNED:
            raise ApplicationError(f"{tool} is a write on the side of the worker, and a trial makes none")
        if receipt is None or receipt.status is not ReceiptStatus.DONE:
            raise ApplicationError((receipt and receipt.error) or ended.summary)
        return receipt.result

    return read


def label_of(settings: Settings, changes: Sequence[str] = ()) -> str:
    """What tells a model under trial from another; values may be secrets, or long."""
    changed = [name for name in (each.partition("=")[0] for each in changes) if name != "OPENAI_MODEL"]
    return " ".join([settings.model.openai_model or "", *(f"{name}=…" for name in changed)])
