"""Is the time to read a ServiceStack body proportional to its size, for hostile shapes too?

Run it from the root of the repository: `.venv/bin/python -m bench.hostile_bodies [--json]`. Each
shape is read at four sizes, each twice the previous one. The limit applies to the ratio between two.
"""

import argparse
import os
import sys
import time
import timeit
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from authn.servicestack.dtos import Authenticate  # noqa: E402  # settings come first
from authn.servicestack.errors import Unreadable  # noqa: E402
from authn.servicestack.formats import CSV, JSON, JSV, XML, Format  # noqa: E402
from bench.harness import circumstances, show_json  # noqa: E402

LIMIT = 2.5
_ATTEMPTS = 4
SIZES = (125_000, 250_000, 500_000, 1_000_000)
TYPES = "http://schemas.servicestack.net/types"


def _xml(members: str) -> str:
    return f'<Authenticate xmlns="{TYPES}">{members}</Authenticate>'


# Each function returns a text of about `size` characters.
SHAPES: list[tuple[Format, str, Callable[[int], str]]] = [
    (JSV, "one bare value", lambda size: "{UserName:" + "a" * size + "}"),
    (JSV, "one quoted value", lambda size: '{UserName:"' + "a," * (size // 2) + '"}'),
    (JSV, "doubled quotes", lambda size: '{UserName:"' + '""' * (size // 2) + '"}'),
    (JSV, "an unclosed quote", lambda size: '{UserName:"' + "a" * size),
    (JSV, "many quotes, the last unclosed", lambda size: '{x:{"a":' + '"a",' * (size // 4) + '"'),
    (JSV, "nested lists", lambda size: "{x:" + "[" * (size // 2) + "]" * (size // 2) + "}"),
    (JSV, "flat lists, unknown", lambda size: "{x:[" + "[a]," * (size // 4) + "]}"),
    (JSV, "other brackets, unknown", lambda size: "{x:{" + "[" * size + "}}"),
    (
        JSV,
        "900 long values",
        lambda size: "{Meta:{" + ",".join(f"k{n}:{'v' * (size // 900)}" for n in range(900)) + "}}",
    ),
    (JSV, "many keys", lambda size: "{" + ",".join(f"k{n}:v" for n in range(size // 8)) + "}"),
    (JSV, "blanks", lambda size: "{" + " " * size + "}"),
    (JSV, "line breaks", lambda size: "{UserName:" + "\n" * size + "}"),
    (JSV, "a name without end", lambda size: "{" + "a" * size),
    (JSON, "one text", lambda size: '{"UserName":"' + "a" * size + '"}'),
    (JSON, "escapes", lambda size: '{"UserName":"' + "\\n" * (size // 2) + '"}'),
    (JSON, "an unclosed quote", lambda size: '{"UserName":"' + "a" * size),
    (JSON, "nested lists", lambda size: '{"x":' + "[" * (size // 2) + "]" * (size // 2) + "}"),
    (JSON, "many keys", lambda size: "{" + ",".join(f'"k{n}":1' for n in range(size // 10)) + "}"),
    (JSON, "a long number", lambda size: '{"UserName":' + "1" * size + "}"),
    (XML, "one text", lambda size: _xml("<UserName>" + "a" * size + "</UserName>")),
    (XML, "references", lambda size: _xml("<UserName>" + "&lt;" * (size // 4) + "</UserName>")),
    (XML, "nested elements", lambda size: _xml("<a>" * (size // 7) + "</a>" * (size // 7))),
    (XML, "many elements", lambda size: _xml("<a/>" * (size // 4))),
    (XML, "many attributes", lambda size: _xml("<a " + " ".join(f'a{n}="b"' for n in range(size // 9)) + "/>")),
    (XML, "an open tag", lambda size: _xml("<" + "a" * size)),
    (XML, "a comment", lambda size: _xml("<!--" + "a" * size + "-->")),
    (CSV, "one value", lambda size: "UserName\r\n" + "a" * size + "\r\n"),
    (CSV, "quotes", lambda size: 'UserName\r\n"' + '""' * (size // 2) + '"\r\n'),
    (CSV, "an unclosed quote", lambda size: 'UserName\r\n"' + "a" * size),
    (CSV, "many columns", lambda size: "a," * (size // 2)),
    (CSV, "many rows", lambda size: "a\r\n" * (size // 3)),
]


def main() -> None:
    """Measure and print. Exits with 1 if doubling a size takes more than LIMIT times as long."""
    options = _options()
    before = circumstances()
    rows = [_measure(format_, shape, make, options.rounds) for format_, shape, make in SHAPES]
    report = {"limit": LIMIT, "sizes": SIZES, "rows": rows, "ok": all(row["ok"] for row in rows)}
    report |= {"before": before, "after": circumstances()}
    show_json(report) if options.json else _show(report)
    sys.exit(0 if report["ok"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of a table")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each shape; the best counts (7)")
    return parser.parse_args()


def _measure(format_: Format, shape: str, make: Callable[[int], str], rounds: int) -> dict[str, Any]:
    """Time one shape at all sizes. A ratio over the limit is measured again: the machine may be busy."""
    texts = [make(size) for size in SIZES]
    best = [float("inf")] * len(SIZES)
    for _ in range(_ATTEMPTS):
        best = _best(format_, texts, rounds, best)
        # Below a tenth of a millisecond, the clock is not precise enough.
        pairs = [(before, after) for before, after in zip(best, best[1:], strict=False) if after > 0.0001]
        worst = max((after / before for before, after in pairs), default=1.0)
        if worst <= LIMIT:
            break
    return {
        "format": format_.name,
        "shape": shape,
        "milliseconds": [round(seconds * 1000, 3) for seconds in best],
        "worst_ratio": round(worst, 2),
        "ok": worst <= LIMIT,
    }


def _best(format_: Format, texts: list[str], rounds: int, best: list[float]) -> list[float]:
    """Return the shortest processor time of one read of each text so far, in seconds. The sizes alternate."""
    timers = [timeit.Timer(partial(_read, format_, text), timer=time.process_time) for text in texts]
    times = [max(1, min(200, round(0.02 / max(timer.timeit(1), 1e-6)))) for timer in timers]
    for _ in range(rounds):
        taken = [timer.timeit(number) / number for timer, number in zip(timers, times, strict=True)]
        best = [min(pair) for pair in zip(best, taken, strict=True)]
    return best


def _read(format_: Format, text: str) -> None:
    assert format_.read is not None
    with suppress(Unreadable):
        format_.read(text, Authenticate)


def _show(report: dict[str, Any]) -> None:
    print(f"milliseconds at {', '.join(f'{size // 1000} kB' for size in report['sizes'])}; the worst ratio of two")
    for row in report["rows"]:
        times = "".join(f"{each:10.3f}" for each in row["milliseconds"])
        print(f"{row['format']:5}{row['shape']:34}{times}{row['worst_ratio']:8.2f}{'' if row['ok'] else '  TOO SLOW'}")
    print(f"load before {report['before']}, after {report['after']}")
    print(f"{'ok' if report['ok'] else 'FAILED'}: the limit is {report['limit']}")


if __name__ == "__main__":
    main()
