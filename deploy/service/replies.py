"""What the body of a chat completion says of itself."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class TokensUsed(_Lenient):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Choice(_Lenient):
    finish_reason: str | None = None


class Told(_Lenient):
    """Its id, its model, why it ends, its tokens: each where the endpoint says it."""

    id: str = ""
    model: str = ""
    choices: Annotated[tuple[_Choice, ...], Field(max_length=16)] = ()
    usage: TokensUsed = TokensUsed()

    @property
    def finish_reasons(self) -> tuple[str, ...]:
        return tuple(each.finish_reason for each in self.choices if each.finish_reason)


def told_by(body: str) -> Told:
    """Nothing where it is no completion."""
    try:
        return Told.model_validate_json(body)
    except ValidationError:
        return Told()
