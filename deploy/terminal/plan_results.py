"""A plan as people see it: every write whole, what the rules say of it, and what it rests on."""

from deploy.terminal.console import INDENT, Paper
from deploy.terminal.text import compact, visible
from workflows.contract.plans import Plan, PlannedWrite
from workflows.timeline import count

STYLES = {"allowed": ("✓", "green"), "needs approval": ("!", "yellow"), "refused": ("✗", "red")}


class PlanScreen(Paper):
    """Shows what a rehearsal has come to."""

    def plan(self, plan: Plan) -> None:
        """The writes in their order, and those that would not be made."""
        self._line()
        made_at = f"{plan.made_at.astimezone():%Y-%m-%d %H:%M:%S}"
        self._line((f"{count(len(plan.writes), 'write')} planned", "bold"), (f"  {made_at}  {plan.digest}", "dim"))
        for write in (*plan.writes, *plan.refused):
            self._planned(write)
        if plan.problem:
            self._line((f"It cannot be applied: {plan.problem}", "red"))

    def how_to_apply(self, plan: Plan) -> None:
        """Tell what comes after a rehearsal."""
        if plan.writes and not plan.problem:
            self.note(f"nothing is done yet: uv run client.py apply {plan.request_id}")

    def _planned(self, write: PlannedWrite) -> None:
        mark, style = STYLES[write.verdict]
        self._line((f"{mark} {write.verdict}".ljust(17), style), (write.tool, "bold"), (f"  {write.why}", "dim"))
        names = max(map(len, write.arguments), default=0)
        for name, value in write.arguments.items():
            first, *rest = visible(value if isinstance(value, str) else compact(value)).split("\n")
            self._line(INDENT, (name.ljust(names), "dim"), "  ", first)
            for line in rest:
                self._line(INDENT, " " * names, "  ", line)
        if write.depends_on:
            reads = ", ".join(key.rpartition("/")[2] for key in write.depends_on)
            self._line(INDENT, (f"rests on what was read: {reads}", "dim"))
