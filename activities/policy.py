"""Which calls need a person's yes: the policy file.

plan_seconds = 900                      # how old a read may be that a rehearsed plan rests on, when it is applied
four_eyes = true                        # nobody approves a call of their own request, in advance or later
# The first rule that fits decides. A write that no rule fits is "ask", a read "allow".
[[rule]]
tool = "send_email"                     # patterns as in a shell: * ? [abc]
requester = "billing-*"                 # optional
arguments = { to = "*@example.com" }    # optional
ruling = "allow"                        # or "ask", or "deny"
after_untrusted = "deny"                # optional: what an allow becomes once a stranger's text has been read

[approvals]
approvers = ["*@example.com"]           # who may decide about a call that waits; without it, anybody
to = ["ops", "mailto:ann@example.com"]  # who is told of it: callback endpoints and addresses
notify = 60                             # seconds after it began to wait; once more at half time

[[budget]]                              # see `budgets`
tool = "send_email"
most = 200
per = "day"
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from activities.budgets import Budget
from activities.errors import ConfigurationError, InvalidArguments
from activities.written_by_hand import read_toml
from workflows.contract.approvals import MAIL, MAILTO, ApprovalRules
from workflows.contract.values import AfterUntrusted, Arguments, Ruling, texts
from workflows.refusals import no_such

if TYPE_CHECKING:
    from activities.settings import Settings
    from activities.settings.model import ModelSettings
    from activities.toolkit.catalogue import Catalogue
    from activities.toolkit.tool import Tool

VARIABLE = "ERRAND_POLICY"
TO = f"{VARIABLE}: approvals.to"


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


class Approvals(BaseModel):
    """The section [approvals]: who may decide about calls that wait, and who is told of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    approvers: tuple[str, ...] = ()
    to: tuple[str, ...] = Field(default=(), max_length=10)
    notify: float = Field(default=60, ge=0, le=86_400)

    @property
    def rules(self) -> ApprovalRules | None:
        """As a request records them; None where there are none."""
        if not (self.approvers or self.to):
            return None
        return ApprovalRules(approvers=self.approvers, to=self.to, notify_seconds=self.notify if self.to else 0)

    def with_recipients(self, endpoints: Sequence[str], tools: Mapping[str, "Tool"]) -> Self:
        """The same, with whom to tell as they are told: addresses as mail is sent to them.

        Raises:
            ConfigurationError: there is no such endpoint, no such address, or no mail is sent.
        """
        return self.model_copy(update={"to": tuple(_recipient(name, endpoints, tools) for name in self.to)})


def _recipient(name: str, endpoints: Sequence[str], tools: Mapping[str, "Tool"]) -> str:
    if not name.startswith(MAILTO):
        if name not in endpoints:
            raise ConfigurationError(f"{TO}: {no_such('endpoint', name, endpoints)}")
        return name
    if (mail := tools.get(MAIL)) is None:
        raise ConfigurationError(f"{TO}: {name}: the tool {MAIL} is not offered or not configured")
    try:
        read = mail.validate({"to": [name.removeprefix(MAILTO)], "subject": "", "body": ""}).given
    except InvalidArguments as error:
        raise ConfigurationError(f"{TO}: {name}: {error}") from error
    return f"{MAILTO}{cast('list[str]', read['to'])[0]}"


class Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rule: tuple[Rule, ...] = Field(default=())
    approvals: Approvals = Approvals()
    budget: tuple[Budget, ...] = ()
    plan_seconds: float = Field(default=900, ge=0, le=366 * 86_400)
    """How old the result of a read may be that a plan rests on, before it is made again."""
    four_eyes: StrictBool = False
    """Whether a yes that a rule asks for has to come from somebody else than the requester."""

    @field_validator("budget")
    @classmethod
    def _each_once(cls, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
        if len({budget.id for budget in budgets}) < len(budgets):
            raise ValueError("two budgets count the same for the same requesters")
        return budgets

    @classmethod
    def load(cls, path: Path | None, of: str = VARIABLE) -> Self:
        """Read the policy file; without one there are no rules.

        Args:
            path: of the file.
            of: what has named it.

        Raises:
            ConfigurationError: the file is missing or wrong; the message names the place.
        """
        return cls() if path is None else read_toml(cls, path, of)

    @classmethod
    def of_worker(cls, settings: "Settings", catalogue: "Catalogue", endpoints: Sequence[str]) -> Self:
        """The policy as a worker with these tools and callback endpoints holds to it.

        Raises:
            ConfigurationError: the file is missing or wrong, or does not fit what the worker has.
        """
        policy = cls.load(settings.tools.policy)
        approvals = policy.approvals.with_recipients(endpoints, catalogue.tools)
        policy.check_budgets(catalogue.every, settings.model)
        return policy.model_copy(update={"approvals": approvals})

    def check_budgets(self, tools: Mapping[str, "Tool"], model: "ModelSettings") -> None:
        """Refuse budgets that would never hold anything.

        Args:
            tools: all that there are, be they offered or not.
            model: which one is asked, and what is known of its cost.

        Raises:
            ConfigurationError: one names no write, or no argument of it; or nobody knows what the model costs.
        """
        for number, budget in enumerate(self.budget, start=1):
            where = f"{VARIABLE}: budget {number}"
            if budget.cost is not None:
                if lacking := _lacking_for_cost(model):
                    raise ConfigurationError(f"{where}: cost needs {lacking}")
                continue
            writes = [
                tool for tool in tools.values() if tool.route.effect == "write" and fnmatchcase(tool.name, budget.tool)
            ]
            if not writes:
                raise ConfigurationError(f"{where}: no tool that writes is called {budget.tool}")
            for tool in writes:
                if budget.amount and budget.amount.argument not in tool.argument_names():
                    raise ConfigurationError(f"{where}: {tool.name} has no argument {budget.amount.argument}")

    def fitting(
        self, tool: "Tool", arguments: Arguments, requester: str, *, as_used: Arguments | None = None
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
        self, tool: "Tool", arguments: Arguments, requester: str, *, as_used: Arguments | None = None
    ) -> tuple[Ruling, str]:
        """The ruling, and which rule made it."""
        if found := self.fitting(tool, arguments, requester, as_used=as_used):
            number, rule = found
            return rule.ruling, f"rule {number} of the policy"
        if tool.route.effect == "read":
            return "allow", ""
        return "ask", "no rule of the policy allows it"


def _lacking_for_cost(model: "ModelSettings") -> str:
    """What has to be set before it is known what a model call costs at most; nothing, where it is known."""
    name, lacking = model.openai_model, list[str]()
    if name is None:
        lacking.append("a model (OPENAI_MODEL) and its price (ERRAND_MODEL_PRICES)")
    elif name not in model.model_prices:
        lacking.append(f"the price of the model {name} (ERRAND_MODEL_PRICES={name}=INPUT/OUTPUT)")
    if model.model_max_tokens is None:
        lacking.append(f"the longest answer of {f'the model {name}' if name else 'it'} (ERRAND_MODEL_MAX_TOKENS)")
    return ", and ".join(lacking)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())
