"""What a person at a terminal sees of trials: a table of the cases, what differed, and what it took."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from deploy.client.pass_rates import Rate, Report
from deploy.terminal.console import INDENT, Paper
from deploy.terminal.text import short, visible
from workflows.timeline import count


class TrialScreen(Paper):
    """Shows how models did with cases; several models stand side by side."""

    def trying(self, what: str | None) -> None:
        """Say what is under way, on the live line; nothing, when it is over."""
        self._rest() if what is None else self._wait("try", what)

    def tried(self, reports: Sequence[Report]) -> None:
        """One line a case, then what differed in it, then rates, tokens and cost of each model."""
        table = Table(box=None, header_style="dim", pad_edge=False)
        table.add_column("case", overflow="fold")
        for report in reports:
            table.add_column(Text(visible(report.label)), no_wrap=True)
        for rows in zip(*(report.tried for report in reports), strict=True):
            table.add_row(Text(visible(rows[0].case.title)), *(_rate(each.rate) for each in rows))
        self._out.print(table, width=self._width, soft_wrap=False)
        for report in reports:
            self._differences(report, named=len(reports) > 1)
        for report in reports:
            self._used(report)

    def _differences(self, report: Report, *, named: bool) -> None:
        for each in report.tried:
            if not each.differences:
                continue
            whose = f"  ({report.label})" if named else ""
            self._line()
            self._line(("✗ ", "red"), (each.case.title, "bold"), (whose, "dim"))
            for what, often in each.differences.items():
                times = f"  ({often} of {each.rate.of})" if each.rate.of > 1 else ""
                self._line(INDENT, short(what, 400), (times, "dim"))

    def _used(self, report: Report) -> None:
        used, rate = report.usage, report.rate
        cost = "" if used.cost is None else f", cost {used.cost:.4g}"
        self._line()
        self._line(
            (f"{report.label}  ", "bold"),
            f"{rate} passed",
            (
                f"  {count(used.model_calls, 'model call')}, {used.input_tokens} tokens in and {used.output_tokens} "
                f"out{cost}",
                "dim",
            ),
        )


def _rate(rate: Rate) -> Text:
    if rate.of == 1:
        return Text("✓ passed", style="green") if rate.passed else Text("✗ failed", style="red")
    return Text(str(rate), style="green" if rate.passed == rate.of else "red" if not rate.passed else "yellow")
