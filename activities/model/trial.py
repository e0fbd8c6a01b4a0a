"""One question to the model, to see whether it answers with a call."""

from activities.errors import ParameterUnsupported, WantedBack
from activities.model import envelope
from activities.model.endpoint import Endpoint
from activities.model.profiles import Calling, Profile
from activities.model.question import Question
from activities.model.system_prompts import system_prompt
from activities.model.tool_schemas import Offers
from activities.model.transcript import to_messages
from activities.model.wire import replies
from activities.toolkit.tool import tool_of
from activities.tools.weather import get_weather
from workflows.contract.conversation import UserEntry

ASKED = (UserEntry(text="What's the weather in Paris?"),)
QUESTIONS = 8
"""Until an endpoint has said all that it does not take."""


async def answers_with_a_call(endpoint: Endpoint, prompt: str | None) -> bool:
    """Whether the model, shown `get_weather` and asked for the weather, calls it. Nothing is run.

    Args:
        endpoint: to be asked; what it turns out not to take is left out of the next question.
        prompt: what the model is told first, instead of the default.

    Raises:
        ModelError: it gives no answer that can be used.
    """
    tool = tool_of(get_weather)
    assert tool is not None
    offers = Offers({tool.name: tool})
    for left in reversed(range(QUESTIONS)):
        profile = endpoint.profile
        question = _question(profile, offers, prompt)
        try:
            body = await endpoint.ask(question)
        except (ParameterUnsupported, WantedBack):
            if not left:
                raise
            continue
        cap = endpoint.cap(question)
        if profile.calling is Calling.NATIVE:
            reply = replies.read(body, recover=profile.recover, max_tokens=cap)
        else:
            reply = envelope.read(body, offers.full(), max_tokens=cap)
        return any(offers.tool_named(call.tool) == tool.name for call in reply.calls)
    return False


def _question(profile: Profile, offers: Offers, prompt: str | None) -> Question:
    said, told = system_prompt(profile, prompt), offers.full()
    if profile.calling is Calling.NATIVE:
        params = offers.params(told, strict=profile.strict, brief=profile.brief)
        return Question(to_messages(said, ASKED, profile), tools=params, said=ASKED)
    messages = envelope.messages(said, ASKED, told, profile.calling)
    return Question(messages, response_format=envelope.response_format(told, profile.calling))
