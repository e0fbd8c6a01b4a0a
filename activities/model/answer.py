"""`answer`: the outcome's `output`, in the form that the caller's JSON Schema asks for.

Few endpoints take functions and a form of the answer in one question, and most of those ignore one of the two. So the
form has a question of its own, without functions, when the model has nothing left to call. What comes back is held to
the schema here, whatever the endpoint promises; formats (`date`, `email`) are told to the model and not asserted, as
JSON Schema 2020-12 has it: what must hold belongs into a `pattern` or an `enum`.
"""

import asyncio
from datetime import UTC, datetime

from pydantic import JsonValue
from pydantic_core import to_json
from temporalio import activity

from activities.errors import CallsUnreadable, ConfigurationError, ModelRefused
from activities.failures import translated
from activities.lenient_json import LONGEST_QUOTE, is_object, parse
from activities.model.cost_budgets import CostBudgets
from activities.model.endpoint import Endpoint
from activities.model.envelope import history
from activities.model.figures.spoken import Spoken
from activities.model.grammar import Definitions, is_strict, loosened
from activities.model.profiles import Calling, Profile
from activities.model.question import Question
from activities.model.spending import usage_tracked
from activities.model.system_prompts import system_prompt
from activities.model.transcript import to_messages
from activities.model.wire.json_in_text import json_within
from activities.model.wire.replies import Reply, read
from activities.schema.json_schema import JsonSchema, NotASchema, SchemaMismatch, check
from workflows.contract.api import Usage
from workflows.contract.conversation import Entry, NoteEntry
from workflows.contract.internal import ANSWER, CHECK_SCHEMA, Answer, ModelInput
from workflows.contract.values import Schema

OUTPUT = "output"
LARGEST_SCHEMA = 64 * 1024
"""Bytes of JSON: the schema stands in every question for the output."""

NO_JSON = "there is no JSON in the reply"
CUT_OFF = "the reply was cut off at its length limit; write a shorter one"
NO_FUNCTIONS = "no function can be called any more"
INSTRUCTION = (
    "Now give the result of the request, from what was said and found above, as JSON that fits this JSON Schema. "
    "Reply with the JSON and nothing else.\n"
)


class Answers:
    """Asks the model for the output."""

    def __init__(self, endpoint: Endpoint, prompt: str | None = None, costs: CostBudgets | None = None) -> None:
        self._endpoint = endpoint
        self._prompt = prompt
        self._costs = costs

    @activity.defn(name=ANSWER)
    async def answer(self, situation: ModelInput) -> Answer:
        """One question to the model. A reply that does not fit says so in its `problem`, for the model to read.

        Raises:
            ApplicationError: of type ConfigurationError, ContextTooLong, ModelUnavailable, ModelReplyUnusable,
                NoUsableReply, LimitExhausted or ModelRefused.
        """
        endpoint = self._endpoint.knowing(situation.demoted)
        account = self._costs and self._costs.account(situation.requester)
        with translated():
            async with usage_tracked(endpoint, situation.cost_left, account) as spending:
                schema = situation.output_schema
                if schema is None:
                    raise ConfigurationError("output_schema: missing")
                prompt = system_prompt(endpoint.profile, self._prompt)
                question = await spending.within(ask_for(schema, prompt, situation, endpoint.profile))
                reply = await _ask(endpoint, question)
                usage = spending.with_this(reply.usage)
                spending.answered(reply.usage)
                if reply.refused:
                    raise ModelRefused(
                        f"the model refuses to give the output: {reply.text[:LONGEST_QUOTE]}", usage=reply.usage
                    )
                return (await _read(reply, schema, situation)).model_copy(
                    update={"usage": usage, "demoted": endpoint.demoted}
                )


async def _read(reply: Reply, schema: Schema, situation: ModelInput) -> Answer:
    try:
        output = await asyncio.to_thread(read_output, reply, schema)
    except ValueError as error:
        problem = f"That is not the output: {error}. Write the whole JSON again."
        return Answer(text=reply.text, problem=problem, usage=reply.usage)
    spoken = Spoken(situation, datetime.now(UTC).date())
    made_up = await asyncio.to_thread(spoken.unsupported_in_output, output, schema)
    return Answer(text=reply.text, output=output, unsupported=made_up, usage=reply.usage)


async def _ask(endpoint: Endpoint, question: Question) -> Reply:
    profile = endpoint.profile
    try:
        body = await endpoint.ask(question)
    except CallsUnreadable as error:
        # Groq: it was no JSON, or not what the schema asks for.
        return Reply(error.written, (), error.usage or Usage())
    try:
        return read(body, max_tokens=endpoint.cap(question))
    except ModelRefused as error:
        meant = endpoint.meaning_of(error, body, question, profile)
        raise meant from (None if meant is error else error)


@activity.defn(name=CHECK_SCHEMA)
async def check_schema(schema: Schema) -> None:
    """Refuse an output schema that cannot be used, with the error that the workflow reads.

    Raises:
        ApplicationError: of type ConfigurationError: nothing can be held to this schema. The message says why.
    """
    with translated():
        await asyncio.to_thread(require_usable, schema)


def require_usable(schema: Schema) -> None:
    """Refuse an output schema that cannot be used.

    Raises:
        ConfigurationError: it is no JSON Schema, refers to something outside of itself, or is too large.
    """
    size = len(to_json(schema))
    if size > LARGEST_SCHEMA:
        raise ConfigurationError(f"output_schema: it has {size:,} bytes, and {LARGEST_SCHEMA:,} are the most")
    try:
        check(schema)
    except NotASchema as error:
        raise ConfigurationError(f"output_schema: {error}") from error


def ask_for(schema: Schema, system_prompt: str, situation: ModelInput, profile: Profile) -> Question:
    """The question for the output: the conversation in the form that the model knows it in, and the instruction."""
    sent = on_the_wire(schema)
    instruction = NoteEntry(text=INSTRUCTION + to_json(sent).decode())
    conversation: list[Entry] = [*situation.conversation, instruction]
    if profile.calling is Calling.NATIVE:
        messages = to_messages(system_prompt, conversation, profile)
    else:
        messages = [*to_messages(system_prompt, ()), *history(conversation)]
    form = _response_format(sent, profile)
    return Question(messages, response_format=form, max_tokens=situation.output_tokens, said=situation.conversation)


def on_the_wire(schema: Schema) -> Schema:
    """The schema of an object, which is all that endpoints hold a model to; of anything else, `{"output": …}`."""
    if _is_of_object(schema):
        return schema
    definitions = Definitions()
    inner = definitions.take_from(schema, OUTPUT)
    wrapped: Schema = {
        "type": "object",
        "properties": {OUTPUT: inner},
        "required": [OUTPUT],
        "additionalProperties": False,
    }
    return {**wrapped, "$defs": {**definitions.found}} if definitions.found else wrapped


def read_output(reply: Reply, schema: Schema) -> JsonValue:
    """The output that a reply consists of, or holds.

    Raises:
        ValueError: it holds none that fits; the message says why, for the model to read.
    """
    if reply.calls:
        raise ValueError(NO_FUNCTIONS)
    if reply.cut_off:
        raise ValueError(CUT_OFF)
    value = _value(reply.text)
    if is_object(value) and value.keys() == {OUTPUT} and not _is_of_object(schema):
        value = value[OUTPUT]
    try:
        JsonSchema(schema).require(value)
    except SchemaMismatch as misfit:
        raise ValueError(str(misfit)) from misfit
    return value


def _value(text: str) -> JsonValue:
    try:
        return parse(text)
    except ValueError:
        found = json_within(text)
    if found is None:
        raise ValueError(NO_JSON)
    try:
        return parse(found)
    except ValueError as error:
        raise ValueError(f"it is not valid JSON ({error})") from error


def _is_of_object(schema: Schema) -> bool:
    return schema.get("type") == "object" and schema.keys().isdisjoint({"anyOf", "oneOf", "allOf", "$ref"})


def _response_format(schema: Schema, profile: Profile) -> dict[str, JsonValue] | None:
    """What the endpoint is to hold the model to, as far as it can: also one that takes functions in its own way."""
    match next((each for each in profile.callings if each is not Calling.NATIVE), Calling.PROMPT):
        case Calling.JSON_SCHEMA if profile.strict and is_strict(schema):
            form: dict[str, JsonValue] = {"name": OUTPUT, "strict": True, "schema": schema}
            return {"type": "json_schema", "json_schema": form}
        case Calling.JSON_SCHEMA:
            return {"type": "json_schema", "json_schema": {"name": OUTPUT, "schema": loosened(schema)}}
        case Calling.JSON_OBJECT:
            return {"type": "json_object"}
        case _:
            return None
