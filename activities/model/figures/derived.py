"""What follows from figures by simple arithmetic: sums, differences, products, means and percentages.

Only of figures that belong together: of one field, of one row, or one that the request names with one that was found.
Otherwise everything would follow from something.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice, permutations

from pydantic import JsonValue

MOST = 20_000
"""Results of arithmetic that are kept."""
LONGEST_COLUMN = 60
MOST_FIELDS = 12
FEW = 20
MOST_APART = 10_000
"""Times. Nobody adds a price to an order's number."""


@dataclass
class Tables:
    """The numbers of the results by field and by row, and how many there are of what."""

    columns: dict[str, list[float]] = field(default_factory=lambda: defaultdict[str, list[float]](list))
    rows: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    parts: list[list[float]] = field(default_factory=list[list[float]])
    """Of a field, the numbers of the rows that have the same text in another."""
    products: list[float] = field(default_factory=list[float])
    """Quantity times price, of all rows of a list together."""
    counts: set[int] = field(default_factory=set[int])

    def add_row(self, row: Mapping[str, float]) -> None:
        if len(row) > 1 and len(self.rows) < LONGEST_COLUMN:
            self.rows.append(dict(islice(row.items(), MOST_FIELDS)))
        for name, number in row.items():
            self.columns[name].append(number)

    def add_list(self, items: Sequence[JsonValue]) -> None:
        """How many there are, and of how many each field has the same value."""
        self.counts.add(len(items))
        rows = [item for item in items[:LONGEST_COLUMN] if isinstance(item, dict)]
        columns = {name: column for name, column in _numbers_by_field(rows).items() if len(column) == len(rows)}
        for one, other in combinations(islice(columns, MOST_FIELDS), 2):
            self.products.append(sum(a * b for a, b in zip(columns[one], columns[other], strict=True)))
        groups: dict[tuple[str, str], list[Mapping[str, JsonValue]]] = defaultdict(list)
        for item in items:
            if isinstance(item, dict):
                for name, value in item.items():
                    if isinstance(value, str | bool) and len(str(value)) < 100:
                        groups[name, str(value)].append(item)
        self.counts.update(len(group) for group in groups.values())
        fields: Counter[str] = Counter(name for name, _ in groups)
        for (name, _), group in groups.items():
            if 1 < fields[name] < len(items) and len(group) > 1:
                self.parts.extend(_numbers_by_field(group).values())
        self.counts.update(fields.values())


def _numbers_by_field(group: Iterable[Mapping[str, JsonValue]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for item in group:
        for name, value in item.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[name].append(float(value))
    return found


def amounts(tables: Tables, named: Sequence[float], known: Sequence[float]) -> list[float]:
    """What sums, differences and products come to, in order.

    Args:
        tables: what was found.
        named: the numbers of the request.
        known: all numbers.
    """
    return sorted({abs(each) for each in islice(_amounts(tables, named, known), MOST)})


def totals(tables: Tables) -> list[float]:
    """Of each field as a whole: sum, mean and range; and of each list, quantity times price. In order."""
    found = set(tables.products)
    for column in (*tables.columns.values(), *tables.parts):
        if len(column) > 1:
            found.update((sum(column), sum(column) / len(column), max(column) - min(column)))
    return sorted(map(abs, found))


def _amounts(tables: Tables, named: Sequence[float], known: Sequence[float]) -> Iterator[float]:
    for row in tables.rows:
        for one, other in combinations(row.values(), 2):
            yield from (one + other, one - other, one * other)
    for column in tables.columns.values():
        for one, other in combinations(column[:LONGEST_COLUMN], 2):
            yield one - other
        if len(column) <= MOST_FIELDS:
            yield from (one + other for one, other in combinations(column, 2))
    for one in named[:MOST_FIELDS]:
        for other in known[:LONGEST_COLUMN]:
            if one and other and max(one / other, other / one) < MOST_APART:
                yield from (one + other, other - one)
            yield from (one * other, one * other / 100)
            yield from (other * (1 + one / 100), other * (1 - one / 100), other / one if one else 0.0)


def percentages(tables: Tables, named: Sequence[float], known: Sequence[float]) -> list[float]:
    """What one is of another, or has changed by, in percent and in order."""
    return sorted({abs(each) for each in islice(_percentages(tables, named, known), MOST)})


def _percentages(tables: Tables, named: Sequence[float], known: Sequence[float]) -> Iterator[float]:
    counts = [float(each) for each in sorted(tables.counts)[:LONGEST_COLUMN]]
    pairs: list[Iterable[tuple[float, float]]] = [permutations(row.values(), 2) for row in tables.rows]
    pairs.append(permutations(counts, 2))
    for column in tables.columns.values():
        pairs.append(permutations(column[:LONGEST_COLUMN], 2))
        pairs.append((each, sum(column)) for each in column[:LONGEST_COLUMN])
    pairs.append((one, other) for one in named[:MOST_FIELDS] for other in known[:LONGEST_COLUMN])
    pairs.append((other, one) for one in named[:MOST_FIELDS] for other in known[:LONGEST_COLUMN])
    if len(known) <= FEW:
        pairs.append(permutations(known, 2))
    for each in pairs:
        for one, other in each:
            if other:
                yield from (100 * one / other, 100 * (one - other) / other)
