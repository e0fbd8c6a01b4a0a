"""One question to an OpenAI-compatible endpoint, and what its errors mean.

The client's own retries are off: one attempt of the activity is one HTTP request, and only Temporal repeats it.
"""

from collections.abc import Iterable

import openai
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from activities.errors import ConfigurationError, ModelError, ModelRefused, ModelUnavailable
from activities.settings import Settings
from activities.web import retry_after

RETRYABLE = frozenset({408, 409, 425, 429})
OPENAI = "https://api.openai.com/v1"
OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class Endpoint:
    """Where the model answers: `POST {base_url}/chat/completions`.

    Source: https://platform.openai.com/docs/api-reference/chat/create
    """

    def __init__(self, client: openai.AsyncOpenAI, model: str, max_tokens: int | None = None) -> None:
        self._client = client
        self._model = model
        self._max_tokens = max_tokens

    @classmethod
    def from_settings(cls, settings: Settings) -> "Endpoint":
        """
        Raises:
            ConfigurationError: OPENAI_MODEL is missing, or OPENAI_API_KEY is and OpenAI itself would be asked.
        """
        if settings.openai_model is None:
            raise ConfigurationError("OPENAI_MODEL: missing; name the model to ask, as its endpoint calls it")
        if settings.openai_api_key is None and settings.openai_base_url is None:
            raise ConfigurationError("OPENAI_API_KEY: missing; or set OPENAI_BASE_URL to an endpoint that needs no key")
        # An endpoint of one's own needs no key, but the client insists on one.
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
        client = openai.AsyncOpenAI(
            api_key=key, base_url=settings.openai_base_url or OPENAI, timeout=settings.model_timeout, max_retries=0
        )
        return cls(client, settings.openai_model, settings.model_max_tokens)

    async def ask(
        self, messages: Iterable[ChatCompletionMessageParam], tools: Iterable[ChatCompletionToolParam]
    ) -> str:
        """The body of the reply.

        Raises:
            ModelUnavailable: no connection, time-out, 408, 409, 425, 429 or 5xx. Carries `Retry-After`.
            ModelRefused: any other status, and 429 where the quota is used up.
        """
        offered = list(tools)
        try:
            reply = await self._client.chat.completions.with_raw_response.create(
                model=self._model,
                messages=messages,
                tools=offered or openai.omit,
                max_completion_tokens=self._max_tokens or openai.omit,
            )
        except openai.OpenAIError as error:
            raise self._meaning(error) from error
        return reply.text

    async def aclose(self) -> None:
        await self._client.close()

    def _meaning(self, error: openai.OpenAIError) -> ModelError:
        where = f"model {self._model} at {self._client.base_url}"
        if isinstance(error, openai.APITimeoutError):
            return ModelUnavailable(f"{where} did not answer in time")
        if isinstance(error, openai.APIConnectionError):
            return ModelUnavailable(f"{where} cannot be reached")
        if not isinstance(error, openai.APIStatusError):
            return ModelRefused(f"{where} cannot be asked: {error}")
        # Some endpoints quote the key that they refuse.
        words = error.message.replace(self._client.api_key, "…")[:500]
        message = f"{where} answered {error.status_code}: {words}"
        if error.code in OUT_OF_MONEY:
            return ModelRefused(f"{message}; its quota is used up")
        if error.status_code not in RETRYABLE and error.status_code < 500:
            return ModelRefused(message)
        return ModelUnavailable(message, retry_after=retry_after(error.response.headers.get("retry-after", "")))
