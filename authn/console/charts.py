"""Chart layout on the server: computes coordinates from numbers; templates render them as SVG.

Charts need no script and no inline style, which the Content-Security-Policy forbids.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_WIDTH, _HEIGHT = 480, 190
_LEFT, _TOP, _BOTTOM = 40, 16, 26
_ROUND_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its labels, its value and its rectangle."""

    label: str
    short: str
    value: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return the x coordinate of its centred label."""
        return round(self.x + self.width / 2, 1)

    @property
    def above(self) -> float:
        """Return the y coordinate of its value."""
        return round(self.y - 4, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """A grid line at a round value."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Columns:
    """The layout of a column chart."""

    columns: tuple[Column, ...]
    grid: tuple[Line, ...]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    floor: int = _HEIGHT - _BOTTOM

    @property
    def total(self) -> int:
        """Return the sum of all columns."""
        return sum(column.value for column in self.columns)


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar table; `share` is its percentage of the longest row."""

    label: str
    value: int
    tone: str = "info"
    link: str = ""
    note: str = ""
    share: float = 0


def columns(points: Sequence[tuple[str, str, int]]) -> Columns:
    """Return the layout for points (label, short label, value), from left to right."""
    top = _round_top(max((value for _, _, value in points), default=0))
    floor, room = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    slot = (_WIDTH - _LEFT) / max(1, len(points))
    drawn = []
    for place, (label, short, value) in enumerate(points):
        height = room * value / top
        x = _LEFT + slot * (place + 0.15)
        drawn.append(
            Column(label, short, value, round(x, 1), round(floor - height, 1), round(slot * 0.7, 1), round(height, 1))
        )
    grid = tuple(Line(step * top // 4, round(floor - room * step / 4, 1)) for step in range(5))
    return Columns(tuple(drawn), grid)


def bars(rows: Sequence[Bar]) -> list[Bar]:
    """Return the bars with their shares, in the same order."""
    longest = max((row.value for row in rows), default=0) or 1
    return [replace(row, share=round(100 * row.value / longest, 2)) for row in rows]


def _round_top(highest: int) -> int:
    """Return the smallest 4, 8 or 20 times a power of ten that is at least the highest value."""
    magnitude = 1
    while True:
        for step in _ROUND_STEPS:
            if 4 * step * magnitude >= highest:
                return 4 * step * magnitude
        magnitude *= 10
