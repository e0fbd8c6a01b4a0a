"""Which calls need a person's yes: the policy file.

# The first rule that fits decides. A write that no rule fits is "ask", a read "allow".
[[rule]]
tool = "send_email"                     # patterns as in a shell: * ? [abc]
requester = "billing-*"                 # optional
arguments = { to = "*@example.com" }    # optional
ruling = "allow"                        # or "ask", or "deny"
after_untrusted = "deny"                # optional: what an allow becomes once a stranger's text has been read
"""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from activities.errors import ConfigurationError
from activities.toolkit.tool import Tool
from workflows.contract.values import AfterUntrusted, Arguments, Ruling, texts


class Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str = "*"
    requester: str = "*"
    arguments: dict[str, str] = {}
    ruling: Ruling
    after_untrusted: AfterUntrusted = "ask"

    def fits(self, tool: str, arguments: Arguments, requester: str) -> bool:
        """Of an argument with several values, all must fit before the rule allows; one is enough to ask or deny."""
        enough = all if self.ruling == "allow" else any
        return (
            fnmatchcase(tool, self.tool)
            and _like(requester, self.requester)
            and all(
                enough([_like(text, pattern) for text in texts(arguments.get(name))] or [False])
                for name, pattern in self.arguments.items()
            )
        )


class Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: tuple[Rule, ...] = Field(default=())

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Read the policy file; without one there are no rules.

        Raises:
            ConfigurationError: the file is missing or wrong; the message names the place.
        """
        if path is None:
            return cls()
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"ERRAND_POLICY: {path}: {error}") from error
        except ValidationError as invalid:
            first = invalid.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigurationError(f"ERRAND_POLICY: {path}: {where}: {first['msg']}") from invalid

    def fitting(
        self, tool: Tool, arguments: Arguments, requester: str, *, as_used: Arguments | None = None
    ) -> tuple[int, Rule] | None:
        """The first rule that fits, and its number.

        A rule fits if it fits the arguments as the model wrote them, or as the tool will use them, with its defaults.
        """
        written = [arguments] if as_used is None else [as_used, arguments]
        for number, rule in enumerate(self.rule, start=1):
            if any(rule.fits(tool.name, each, requester) for each in written):
                return number, rule
        return None

    def rule_on(
        self, tool: Tool, arguments: Arguments, requester: str, *, as_used: Arguments | None = None
    ) -> tuple[Ruling, str]:
        """The ruling, and which rule made it."""
        if found := self.fitting(tool, arguments, requester, as_used=as_used):
            number, rule = found
            return rule.ruling, f"rule {number} of the policy"
        if tool.route.effect == "read":
            return "allow", ""
        return "ask", "no rule of the policy allows it"


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())
