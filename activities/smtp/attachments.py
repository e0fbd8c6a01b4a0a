"""Files that a model writes into a mail: text, tables of values, and JSON."""

import json
import unicodedata
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from activities.smtp.message import Body, printable
from activities.smtp.mime import TYPES

_LONGEST_NAME = 60
_ENDS = ", ".join(f".{end}" for end in TYPES)


def _file_name(name: str) -> str:
    """Hold a name to what is a file's name everywhere, and looks like what it is."""
    stem, dot, end = name.rpartition(".")
    fits = printable(name) and not any(unicodedata.category(each) == "Cf" or each in '/\\:*?"<>|' for each in name)
    if not (fits and len(name) <= _LONGEST_NAME and stem.strip(" .") == stem != "" and dot and end.lower() in TYPES):
        raise ValueError(f"must be a file's name of at most {_LONGEST_NAME} characters that ends in one of {_ENDS}")
    return name


class Attachment(BaseModel):
    """One file. Its content goes out as it is, in UTF-8."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_file_name)]
    content: Body

    @model_validator(mode="after")
    def _is_what_its_name_says(self) -> Self:
        if self.name.lower().endswith(".json"):
            try:
                json.loads(self.content)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"the content of {self.name} is no JSON: {error}") from error
        return self
