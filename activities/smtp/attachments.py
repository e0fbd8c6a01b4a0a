"""Files in a mail: text, tables of values, and JSON, as a model writes them or as an earlier result has them."""

import json
import unicodedata
from typing import Annotated, NoReturn, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, StringConstraints, model_validator

from activities.errors import InvalidArguments
from activities.smtp.message import Body, printable
from activities.smtp.mime import TYPES
from activities.smtp.result_files import text_of
from activities.toolkit.earlier_results import EarlierResults, Filled
from workflows.contract.values import Arguments

_LONGEST_NAME = 60
_ENDS = ", ".join(f".{end}" for end in TYPES)


def _file_name(name: str) -> str:
    """Hold a name to what is a file's name everywhere, and looks like what it is."""
    stem, dot, end = name.rpartition(".")
    fits = printable(name) and not any(unicodedata.category(each) == "Cf" or each in '/\\:*?"<>|' for each in name)
    if not (fits and len(name) <= _LONGEST_NAME and stem.strip(" .") == stem != "" and dot and end.lower() in TYPES):
        raise ValueError(f"must be a file's name of at most {_LONGEST_NAME} characters that ends in one of {_ENDS}")
    return name


def _no_number(name: str) -> NoReturn:
    """Python takes NaN and Infinity for JSON; other readers do not."""
    raise ValueError(f"{name} is no number of JSON")


class Attachment(BaseModel):
    """One file. Its content goes out as it is, in UTF-8; or it names the result that it is to be made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_file_name)]
    content: Body | None = None
    from_result: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if (self.content is None) == (self.from_result is None):
            raise ValueError(f"{self.name} needs either content or from_result")
        return self

    @model_validator(mode="after")
    def _is_what_its_name_says(self) -> Self:
        if self.content is not None and self.name.lower().endswith(".json"):
            try:
                json.loads(self.content, parse_constant=_no_number)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"the content of {self.name} is no JSON: {error}") from error
        return self

    @property
    def file(self) -> tuple[str, str]:
        """Its name and its content.

        Raises:
            InvalidArguments: it names a result, and nobody has put that in.
        """
        if self.content is None:
            raise InvalidArguments(f"{self.name}: the result of {self.from_result} is not in it")
        return self.name, self.content


def from_results(arguments: Arguments, earlier: EarlierResults) -> Filled:
    """Write the results into the attachments that name them, so that whoever approves the call sees what goes out.

    Raises:
        InvalidArguments: one names no result that can be had, or no table is to be made of it.
    """
    files = cast("list[dict[str, JsonValue]]", arguments.get("attachments") or [])
    copied, strangers = set[str](), list[str]()
    written: list[JsonValue] = []
    for file in files:
        given = Attachment.model_validate(file)
        if given.from_result is None:
            written.append(file)
            continue
        result = earlier.named(given.from_result)
        content = text_of(result.value, given.name)
        copied.add(content)
        strangers += [f"what is in {given.name}"] if result.untrusted else []
        written.append({"name": given.name, "content": content})
    filled: Arguments = {**arguments, "attachments": written}
    return Filled(filled if copied else arguments, frozenset(copied), tuple(strangers))
