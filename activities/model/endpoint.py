"""One question to an OpenAI-compatible endpoint, and what its errors mean.

The client's own retries are off: one attempt of the activity is one HTTP request, and only Temporal repeats it.
"""

import copy
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import httpx2
import openai

from activities.errors import (
    CallsUnreadable,
    ConfigurationError,
    ContextTooLong,
    ModelError,
    ModelRefused,
    ModelReplyUnusable,
    ModelUnavailable,
    ParameterUnsupported,
    PerhapsTooLong,
    WantedBack,
)
from activities.http.bounded import ReplyTooLong
from activities.http.web import LONGEST_WAIT, retry_after
from activities.model.connection import OPENAI, connected
from activities.model.endpoint_errors import Complaint, complaint
from activities.model.prices import Price, estimated_tokens
from activities.model.profiles import (
    COMPATIBLE,
    PROFILES,
    Calling,
    Echo,
    LearnedLimits,
    Profile,
    is_taken_off,
    is_wanted,
    of_each_once,
    profile_for,
)
from activities.model.question import Question, options_of, sent_of
from activities.model.wire.reply_errors import OUT_OF_MONEY
from activities.redaction import SECRETS
from activities.settings.model import ModelSettings
from activities.stages import stage
from workflows.contract.api import Usage

RETRYABLE = frozenset({408, 409, 425, 429})
NAMES_A_PARAMETER = frozenset({400, 404, 422, 501})
SAME_FAILURES = 3
"""An endpoint that breaks over a question with functions as often as this does not break by chance."""
GATEWAY_TIMED_OUT = frozenset({504, 524})
NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.LocalProtocolError,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.WriteError,
    httpx2.WriteTimeout,
)
"""What the connection says when the question did not get through, so that nobody can have answered it."""
SAFE_CAP = 8192
"""Tokens. Many endpoints refuse a question that allows more than their model can write, so a cap that nobody has asked
for, but that follows from the money left, is sent up to this."""
LASTING, FREAK = 3600.0, 300.0
"""Seconds until a worker tries again what was not taken: endpoints are upgraded, and one that broke is repaired."""
LONGEST_REASON = 160
AT_ONCE = timedelta(milliseconds=10)
"""Zero would mean: as the retry policy says."""


class Endpoint:
    """Where the model answers: `POST {base_url}/chat/completions`.

    Source: https://platform.openai.com/docs/api-reference/chat/create
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        model: str,
        *,
        profile: Profile = COMPATIBLE,
        max_tokens: int | None = None,
        price: Price | None = None,
    ) -> None:
        self._client = client
        self.model, self.url = model, str(client.base_url).partition("?")[0]
        self._profile = profile
        self._max_tokens = max_tokens
        self.price = price
        self._experience = LearnedLimits()
        self._known: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, settings: ModelSettings) -> "Endpoint":
        """The endpoint that the settings name.

        Raises:
            ConfigurationError: OPENAI_MODEL is missing, or OPENAI_API_KEY is and OpenAI itself would be asked.
        """
        if settings.openai_model is None:
            raise ConfigurationError("OPENAI_MODEL: missing; name the model to ask, as its endpoint calls it")
        if settings.openai_api_key is None and settings.openai_base_url is None:
            raise ConfigurationError("OPENAI_API_KEY: missing; or set OPENAI_BASE_URL to an endpoint that needs no key")
        return cls(
            connected(settings),
            settings.openai_model,
            profile=_profile(settings),
            max_tokens=settings.model_max_tokens,
            price=settings.model_prices.get(settings.openai_model),
        )

    def knowing(self, demoted: Iterable[str]) -> "Endpoint":
        """The same endpoint, with what a request has found out about it. What it has about another model is nothing."""
        known = tuple(step for step in demoted if f"({self.model} answered " in step)
        if not known:
            return self
        endpoint = copy.copy(self)
        endpoint._known = known
        return endpoint

    @property
    def demoted(self) -> tuple[str, ...]:
        """What the endpoint turned out not to take, or to want."""
        return of_each_once([*self._known, *self._experience.steps()])

    @property
    def profile(self) -> Profile:
        """What the endpoint can do, by all that is known now."""
        return self._profile.after(self.demoted)

    def cap(self, question: Question) -> int | None:
        """The most tokens that an answer may have, as it is sent; None where nothing limits it."""
        affordable = question.affordable if (question.affordable or 0) <= SAFE_CAP else None
        return _lowest(question.max_tokens, self._max_tokens, affordable) if self.profile.caps else None

    def at_most(self, question: Question) -> Usage:
        """What a question has used if its answer never comes: as much as it allowed, also where that is not sent."""
        longest = _lowest(question.max_tokens, self._max_tokens, question.affordable)
        return Usage(model_calls=1, input_tokens=question.tokens, output_tokens=longest or 0)

    def priced(self, usage: Usage) -> Usage:
        """With its cost; where the model has no price, as it is."""
        return self.price.of(usage) if self.price else usage

    @stage("chat")
    async def ask(self, question: Question) -> str:
        """The body of the reply.

        Raises:
            ModelUnavailable: no connection, time-out, 408, 409, 425, 429 or 5xx. Carries `Retry-After`.
            ParameterUnsupported: it named a parameter that it does not take; the next question goes without it.
            WantedBack: it wants to have back what it put on its calls; the next question has it.
            ContextTooLong: the question is longer than the model's context.
            PerhapsTooLong: a long question is refused as invalid, and it is not clear why.
            CallsUnreadable: the model's calls were none (Groq).
            ModelReplyUnusable: the reply is longer than any is read.
            ModelRefused: any other status, and 429 where the quota is used up.
            Where an answer may have been lost, or the question was read, these errors carry what that has used.
        """
        profile, cap = self.profile, self.cap(question)
        options = options_of(question, profile, cap)
        try:
            # Not by `chat.completions.create`, which walks through all of the question to transform nothing.
            body = await self._client.post(
                "/chat/completions",
                cast_to=str,
                body={"model": self.model, "messages": question.messages, **options},
            )
            return SECRETS.redact_json(body)
        except ReplyTooLong as error:
            raise ModelReplyUnusable(f"{self._where}: {error}") from error
        except openai.APITimeoutError as error:
            usage = self._lost(question, error)
            raise ModelUnavailable(f"{self._where} did not answer in time", usage=usage) from error
        except openai.APIStatusError as error:
            meaning = self._meaning(error, question, profile)
            meaning.usage = meaning.usage or self._taken(question, error.status_code)
            raise meaning from error
        except openai.APIConnectionError as error:
            usage = self._lost(question, error)
            raise ModelUnavailable(f"{self._where} cannot be reached", usage=usage) from error
        except openai.OpenAIError as error:
            raise ModelRefused(f"{self._where} cannot be asked: {type(error).__name__}") from error

    def meaning_of(self, refusal: ModelRefused, body: str, question: Question, profile: Profile) -> ModelError:
        """What it means that a reply with status 200 is a refusal: some gateways report so what was wrong."""
        told = complaint(200, body)
        if told.is_of_an_invalid_question:
            told = replace(told, status=400)
        return self._to_be_put_otherwise(told, question, profile, str(refusal)) or refusal

    async def aclose(self) -> None:
        await self._client.close()

    @property
    def _where(self) -> str:
        return f"model {self.model} at {self.url}"

    def _lost(self, question: Question, error: Exception) -> Usage | None:
        return None if isinstance(error.__cause__, NOT_SENT) else self.at_most(question)

    def _taken(self, question: Question, status: int) -> Usage | None:
        """What an error with this status has used."""
        if status in GATEWAY_TIMED_OUT:
            return self.at_most(question)
        return Usage(model_calls=1, input_tokens=question.tokens) if status >= 500 else None

    def _meaning(self, error: openai.APIStatusError, question: Question, profile: Profile) -> ModelError:
        told = complaint(error.status_code, error.response.text)
        message = f"{self._where} answered {told.status}: {told.words}"
        if told.codes & OUT_OF_MONEY:
            return ModelRefused(f"{message}; its quota is used up")
        if told.status == 400 and told.is_about_content:
            return ModelRefused(f"{message}; its content filter withheld the question")
        if told.status == 400 and told.failed_generation:
            unreadable = CallsUnreadable(message, written=told.failed_generation)
            unreadable.usage = Usage(model_calls=1, output_tokens=estimated_tokens(told.failed_generation))
            return unreadable
        if (meant := self._to_be_put_otherwise(told, question, profile, message)) is not None:
            return meant
        if told.status in RETRYABLE or told.status >= 500:
            return ModelUnavailable(message, retry_after=_pause(error))
        if 300 <= told.status < 400:
            return ModelRefused(f"{message}; OPENAI_BASE_URL must name the place that it redirects to")
        return ModelRefused(message)

    def _to_be_put_otherwise(
        self, told: Complaint, question: Question, profile: Profile, message: str
    ) -> ModelError | None:
        """The error that says how to put the question the next time; None where that does not help."""
        if told.is_about_length and told.status not in (401, 403):
            return ContextTooLong(message)
        because = f"{self.model} answered {told.status}: {told.words[:LONGEST_REASON]}"
        if (parameter := self._wanted(told, question, profile)) is not None:
            self._experience.add(profile.step_back(parameter, because), for_seconds=LASTING)
            return WantedBack(message, retry_after=AT_ONCE)
        if (parameter := self._not_taken(told, question, profile)) is not None:
            step = profile.step(parameter, because)
            self._experience.add(step, for_seconds=FREAK if told.status == 500 else LASTING)
            return ParameterUnsupported(message, retry_after=AT_ONCE)
        return PerhapsTooLong(message) if told.is_of_an_invalid_question and question.is_long else None

    def _wanted(self, told: Complaint, question: Question, profile: Profile) -> str | None:
        """What to give back the next time, if that may help and it did not turn out not to be taken."""
        if told.status not in NAMES_A_PARAMETER:
            return None
        if told.misses_a_name and not profile.names_results:
            return "names"
        held_back = {
            "extras": () if profile.extras else question.extras,
            profile.reasoning_field: () if profile.echo is not Echo.NEVER else (profile.reasoning_field,),
        }
        asked_for = (each for each, fields in held_back.items() if told.asks_for(fields))
        return next((each for each in asked_for if not is_taken_off(each, self.demoted)), None)

    def _not_taken(self, told: Complaint, question: Question, profile: Profile) -> str | None:
        """What to do without the next time, if that may help."""
        broken = told.status == 500 and bool(question.tools) and self._keeps_breaking(told, question)
        if not broken and told.status not in NAMES_A_PARAMETER:
            return None
        options = options_of(question, profile, self.cap(question))
        named = told.names(sent_of(question, options, profile)) or ("tools" if broken else None)
        if named == "tools":
            return Calling.NATIVE
        if named and is_wanted(named, self.demoted):  # and so it cannot be left out
            return None
        return question.format if named == "response_format" else named

    def _keeps_breaking(self, told: Complaint, question: Question) -> bool:
        return self._experience.same_failure((told.words, str(question.messages))) >= SAME_FAILURES


def _profile(settings: ModelSettings) -> Profile:
    named = settings.model_profile
    profile = PROFILES[named] if named else profile_for(settings.openai_base_url or OPENAI)
    if settings.model_constrained is not None:
        profile = replace(profile, constrained=settings.model_constrained)
    return profile.with_calling(settings.model_calling) if settings.model_calling else profile


def _lowest(*limits: int | None) -> int | None:
    given = [limit for limit in limits if limit is not None]
    return max(1, min(given)) if given else None


def _pause(error: openai.APIStatusError) -> timedelta | None:
    """`retry-after-ms` (OpenAI's, Azure's), else `Retry-After`; at most two minutes."""
    headers = error.response.headers
    exact = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", exact) and float(exact) > 0:
        return min(timedelta(milliseconds=float(exact)), LONGEST_WAIT)
    return retry_after(headers.get("retry-after", ""))
