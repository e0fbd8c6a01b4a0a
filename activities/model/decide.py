"""`decide`: what the model wants done next. The schemas, the policy and the system prompt stay in the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic_core import to_json
from temporalio import activity

from activities.callbacks.endpoints import NO_ENDPOINTS, Endpoints
from activities.errors import BadRequest, CallsUnreadable, ModelRefused
from activities.failures import translated
from activities.lenient_json import LONGEST_QUOTE, Object
from activities.model import envelope
from activities.model.call_validation import Proposals, each_hint_once
from activities.model.claims import unsupported
from activities.model.cost_budgets import CostBudgets
from activities.model.endpoint import Endpoint
from activities.model.figures.spoken import Spoken
from activities.model.grounding import Heard
from activities.model.profiles import Calling, Echo, Profile
from activities.model.question import Question
from activities.model.spending import Spending, usage_tracked
from activities.model.system_prompts import system_prompt
from activities.model.tool_choice import ToolChoice
from activities.model.tool_schemas import Offers
from activities.model.transcript import Offer, to_messages
from activities.model.wire import replies
from activities.model.wire.replies import Reply
from activities.model.wire.wire_calls import RawCall
from activities.policy import Policy
from activities.toolkit.tool import Tool
from workflows.contract.api import EVERY_TOOL, Usage
from workflows.contract.internal import CHECK, DECIDE, PREPARE, Decision, EditedCall, ModelInput, ProposedCall
from workflows.refusals import no_such

LONGEST_HELD_BACK = 4 * 1024
"""Bytes of JSON."""
UNREADABLE = (
    "Your function call could not be read, and nothing was run. Call a function by its name, with arguments that fit "
    "its schema, or answer in plain text. You wrote: "
)


class Decide:
    """Asks the model, holds what it wants to the schemas, and says of each call how it is to be run."""

    def __init__(
        self,
        endpoint: Endpoint,
        tools: Mapping[str, Tool],
        policy: Policy,
        address_book: tuple[str, ...] = (),
        prompt: str | None = None,
        ledger: str = "",
        choice: ToolChoice | None = None,
        endpoints: Endpoints | None = None,
        costs: CostBudgets | None = None,
    ) -> None:
        self._costs = costs
        self._ledger = ledger
        self._callbacks = endpoints or NO_ENDPOINTS
        self._endpoint = endpoint
        self._choice = choice
        self._tools = tools = choice.tools if choice else tools
        self._address_book = address_book
        self._prompt = prompt
        self._offers = Offers(tools)
        self._proposals = Proposals(tools, policy)

    @activity.defn(name=DECIDE)
    async def decide(self, situation: ModelInput) -> Decision:
        """One question to the model.

        Raises:
            ApplicationError: of type BadRequest, ModelUnavailable, ModelReplyUnusable, NoUsableReply, ContextTooLong,
                ParameterUnsupported, PerhapsTooLong, LimitExhausted or ModelRefused. Its `FailureDetail` says what all
                attempts have used.
        """
        endpoint = self._endpoint.knowing(situation.demoted)
        account = self._costs and self._costs.account(situation.requester)
        with translated():
            async with usage_tracked(endpoint, situation.cost_left, account) as spending:
                return await self._decide(endpoint, situation, spending)

    async def _decide(self, endpoint: Endpoint, situation: ModelInput, spending: Spending) -> Decision:
        self._require_tools(situation.approve)
        self._require_endpoints(situation.notify, situation.requester)
        profile = endpoint.profile
        heard = Heard.of(situation, self._address_book)
        shown = self._choice.of(situation.conversation) if self._choice else None
        offers = self._offered(profile, heard, shown)
        try:
            reply = await self._ask(endpoint, profile, situation, offers, spending)
        except CallsUnreadable as error:
            problem = UNREADABLE + error.written[:LONGEST_QUOTE]
            usage = spending.with_this(error.usage or Usage())
            return Decision(problem=problem, usage=usage, demoted=endpoint.demoted, shown=shown or ())
        spending.answered(reply.usage)
        return self._decision(reply, situation, heard, profile).model_copy(
            update={
                "usage": spending.with_this(reply.usage),
                "demoted": endpoint.demoted,
                "shown": shown or (),
            }
        )

    def _require_endpoints(self, names: Sequence[str], requester: str) -> None:
        if problem := self._callbacks.problem_with(names, requester):
            raise BadRequest(f"notify: {problem}")

    def _require_tools(self, approved: Sequence[str]) -> None:
        for name in approved:
            if name != EVERY_TOOL and name not in self._tools:
                raise BadRequest(f"approve: {no_such('tool', name, self._tools)}")

    @activity.defn(name=CHECK)
    async def check(self, edited: EditedCall) -> ProposedCall:
        """Hold a call that a person has edited to the schema, the policy, and what was said that has its values."""
        heard = Heard.of(ModelInput(conversation=edited.conversation), self._address_book)
        call = edited.call
        return self._proposals.propose(RawCall(call.tool, call.arguments), call.requester, heard)

    @activity.defn(name=PREPARE)
    async def prepare(self, given: EditedCall) -> Decision:
        """What would be decided if a model had asked for this call.

        Raises:
            ApplicationError: of type BadRequest, where an endpoint is named that there is not.
        """
        with translated():
            self._require_endpoints(given.notify, given.call.requester)
        call = await self.check(given)
        writes = call.route is not None and call.route.effect == "write"
        return Decision(calls=(call,), usage=Usage(), ledger=self._ledger if writes else "")

    def _offered(self, profile: Profile, heard: Heard, shown: Sequence[str] | None) -> list[Offer]:
        """The same at every turn, unless the endpoint holds the model to what they say."""
        is_held = profile.constrained or profile.calling is Calling.JSON_SCHEMA
        return self._offers.of(heard, shown) if is_held else self._offers.full(shown)

    async def _ask(
        self,
        endpoint: Endpoint,
        profile: Profile,
        situation: ModelInput,
        offers: Sequence[Offer],
        spending: Spending,
    ) -> Reply:
        question = await spending.within(self._question(profile, situation, offers))
        body = await endpoint.ask(question)
        cap = endpoint.cap(question)
        try:
            if profile.calling is Calling.NATIVE:
                schemas = {offer.name: offer.parameters for offer in offers}
                return replies.read(body, schemas=schemas, recover=profile.recover, max_tokens=cap)
            return envelope.read(body, self._offers.full(), max_tokens=cap)
        except ModelRefused as error:
            meant = endpoint.meaning_of(error, body, question, profile)
            raise meant from (None if meant is error else error)

    def _question(self, profile: Profile, situation: ModelInput, offers: Sequence[Offer]) -> Question:
        prompt = system_prompt(profile, self._prompt)
        if profile.calling is Calling.NATIVE:
            return Question(
                to_messages(prompt, situation.conversation, profile),
                tools=self._offers.params(offers, strict=profile.strict, brief=profile.brief),
                max_tokens=situation.output_tokens,
                said=situation.conversation,
            )
        return Question(
            envelope.messages(prompt, situation.conversation, offers, profile.calling),
            response_format=envelope.response_format(offers, profile.calling),
            max_tokens=situation.output_tokens,
        )

    def _decision(self, reply: Reply, situation: ModelInput, heard: Heard, profile: Profile) -> Decision:
        """What the model said; what the endpoint wants to have back of it is kept, and nothing else."""
        spoken = Spoken(situation, datetime.now(UTC).date())
        calls = each_hint_once(self._propose(call, spoken, heard, profile) for call in reply.calls)
        is_answer = not (calls or reply.problem or reply.refused)
        claims = unsupported(reply.text, situation, self._tools) if is_answer else ()
        figures = spoken.unsupported_in_summary(reply.text, claims) if is_answer else ()
        writes = any(call.route is not None and call.route.effect == "write" for call in calls)
        echoes = profile.echo is Echo.ALWAYS or (profile.echo is Echo.TOOL_TURNS and bool(calls))
        return Decision(
            text=reply.text,
            calls=calls,
            usage=reply.usage,
            problem=reply.problem,
            refused=reply.refused,
            cut_off=reply.cut_off,
            reasoning=reply.reasoning if echoes else "",
            extra=_kept(reply.extra, profile) if calls or profile.extras else {},
            unsupported_claims=(*claims, *figures),
            ledger=self._ledger if writes else "",
        )

    def _propose(self, call: RawCall, spoken: Spoken, heard: Heard, profile: Profile) -> ProposedCall:
        named = replace(call, tool=self._offers.tool_named(call.tool))
        proposed = self._proposals.propose(named, spoken.situation.requester, heard, spoken)
        extra = _kept(call.extra, profile)
        return proposed.model_copy(update={"extra": extra}) if extra else proposed


def _kept(extra: Object, profile: Profile) -> Object:
    """What the endpoint put on its calls, also where nobody knows yet that it wants it back: but then not much, since
    every turn records it."""
    if profile.extras:
        return extra
    may_be_wanted = profile.calling is Calling.NATIVE and len(to_json(extra)) <= LONGEST_HELD_BACK
    return extra if may_be_wanted else {}
