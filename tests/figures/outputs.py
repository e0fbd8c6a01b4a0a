"""Right outputs: what a request says, in the fields of a schema; and what follows from results, as a report has it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from activities.model.figures.spoken import Spoken
from tests.figures.recorded import Write
from tests.figures.right import Right
from workflows.contract.values import Arguments, Schema

NO_SCHEMA: Schema = {"type": "object"}


@dataclass(frozen=True)
class Output:
    name: str
    spoken: Spoken
    value: Arguments
    schema: Schema

    def made_up(self, value: Arguments | None = None) -> tuple[str, ...]:
        """Those figures that are taken for made up: of this output, or of another of the same conversation."""
        return self.spoken.unsupported_in_output(self.value if value is None else value, self.schema)


def extracted(writes: Iterable[Write]) -> Iterator[Output]:
    """A right call's arguments, as an output that is to have what the request says."""
    for write in writes:
        yield Output(f"{write.case}: {write.asked}", write.spoken, write.arguments, write.tool.schema())


def reported(rights: Iterable[Right]) -> Iterator[Output]:
    """Of results, what a report has: a row, rounded; of a list, how many there are, sum, mean, least and largest."""
    for right in {(each.asked, repr(each.found)): each for each in rights}.values():
        for found in right.found:
            for value in _reports(cast("JsonValue", found)):
                yield Output(f"{right.asked} {right.found}", right.spoken, value, NO_SCHEMA)


def _reports(found: JsonValue) -> Iterator[Arguments]:
    match found:
        case dict():
            numbers = {name: each for name, each in found.items() if _is_number(each)}
            if numbers:
                yield {name: each for name, each in found.items() if not isinstance(each, dict | list)}
                yield {name: round(float(cast("float", each)), 1) for name, each in numbers.items()}
                yield {name: round(cast("float", each)) for name, each in numbers.items()}
            for each in found.values():
                yield from _reports(each)
        case list():
            rows = [each for each in found if isinstance(each, dict)]
            for name in rows[0] if rows else ():
                column = [cast("float", each[name]) for each in rows if _is_number(each.get(name))]
                if len(column) == len(rows) > 1:
                    yield {"count": len(rows), "total": round(sum(column), 2)}
                    yield {"mean": round(sum(column) / len(column), 2), "spread": round(max(column) - min(column), 2)}
                    yield {"least": min(column), "largest": max(column)}
            for each in rows:
                yield from _reports(each)
        case _:
            return


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
