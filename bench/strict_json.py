"""How much slower than json.loads is the strict JSON reader, for a megabyte of each shape?

Run it from the root of the repository: `.venv/bin/python -m bench.strict_json [--json]`. Both readers
alternate on the same text, and the best processor time of each counts.
"""

import argparse
import json
import math
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from authn.web.strict_json import read_json

SIZE = 1_000_000
LIMIT = 1.5
_COMPACT = (",", ":")


def _many(text: str, between: str = "") -> str:
    """Repeat a text up to SIZE bytes of UTF-8."""
    return between.join([text] * (SIZE // len((text + between).encode())))


def _shapes() -> dict[str, tuple[str, float]]:
    """Return the text and the limit of each shape."""
    rows = range(SIZE // 45)
    small = [{"id": n, "name": f"name {n}", "on": True} for n in rows]
    urls = [{"id": n, "url": f"https://acme.example/{n}"} for n in rows]
    nested = [{"org": {"name": "x", "id": n}, "tags": ["a", "b"], "on": True} for n in rows[:16_000]]
    floats = [random.random() for _ in range(SIZE // 21)]  # noqa: S311  # not used for secrets
    return {
        "one string": (json.dumps("a" * SIZE), LIMIT),
        "a string of words": (json.dumps(_many("Lorem ipsum, dolor: sit amet. ")), LIMIT),
        "a string of brackets": (json.dumps(_many("[{,:}]")), LIMIT),
        "a string in an object": (json.dumps({"sfdxAuthUrl": "a" * SIZE}), LIMIT),
        "escapes: line breaks": (f'"{_many(chr(92) + "n")}"', LIMIT),
        "escapes: backslashes": (f'"{_many(chr(92) * 2)}"', LIMIT),
        "escapes: letters": (f'"{_many(chr(92) + "u00e9")}"', LIMIT),
        "escapes: surrogate pairs": (f'"{_many(chr(92) + "ud83d" + chr(92) + "ude00")}"', LIMIT),
        "a list of short strings": (f"[{_many(json.dumps('some ASCII words'), ',')}]", LIMIT),
        "a list of non-ASCII strings": (
            f"[{_many(json.dumps('東京 é', ensure_ascii=False), ',')}]",
            LIMIT,
        ),
        "integers": (json.dumps(list(range(SIZE // 8)), separators=_COMPACT), LIMIT),
        "floats": (json.dumps(floats, separators=_COMPACT), LIMIT),
        "one object of many keys": (json.dumps({f"key {n}": n for n in rows}), LIMIT),
        "small objects": (json.dumps(small), LIMIT),
        "small objects with URLs": (json.dumps(urls), LIMIT),
        "objects in objects": (json.dumps(nested), LIMIT),
        "lists of three numbers": (f"[{_many('[1,2,3]', ',')}]", LIMIT),
        "lists, 30 levels deep": (f"[{_many('[' * 30 + ']' * 30, ',')}]", LIMIT),
        "one string, not ASCII": (json.dumps("東" * (SIZE // 3), ensure_ascii=False), LIMIT),
    }


def main() -> None:
    """Measure and print. Exits with 1 if the ratio of a shape exceeds its limit."""
    options = _options()
    before = os.getloadavg()
    rows = [_measure(shape, text, limit, options.rounds) for shape, (text, limit) in _shapes().items()]
    report = {"rows": rows, "ok": all(row["ok"] for row in rows), "load": [before, os.getloadavg()]}
    print(json.dumps(report, indent=2)) if options.json else _show(report)
    sys.exit(0 if report["ok"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of a table")
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each shape; the best counts (15)")
    return parser.parse_args()


def _measure(shape: str, text: str, limit: float, rounds: int) -> dict[str, Any]:
    """Time one shape as bytes, as a request body arrives."""
    body = text.encode()
    standard = strict = math.inf
    for _ in range(rounds):
        standard, strict = min(standard, _seconds(json.loads, body)), min(strict, _seconds(read_json, body))
    ratio = strict / standard
    return {
        "shape": shape,
        "bytes": len(body),
        "json_loads_ms": round(1000 * standard, 2),
        "read_json_ms": round(1000 * strict, 2),
        "ratio": round(ratio, 2),
        "limit": limit,
        "ok": ratio <= limit,
    }


def _seconds(read: Callable[[bytes], object], body: bytes) -> float:
    began = time.thread_time()
    read(body)
    return time.thread_time() - began


def _show(report: dict[str, Any]) -> None:
    print(f"{'shape':30}{'json.loads ms':>15}{'read_json ms':>15}{'ratio':>8}{'limit':>8}")
    for row in report["rows"]:
        figures = f"{row['json_loads_ms']:15.2f}{row['read_json_ms']:15.2f}{row['ratio']:8.2f}{row['limit']:8.1f}"
        print(f"{row['shape']:30}{figures}{'' if row['ok'] else '  TOO SLOW'}")
    print("load before {:.2f}, after {:.2f}".format(*(each[0] for each in report["load"])))
    print("ok" if report["ok"] else "FAILED")


if __name__ == "__main__":
    main()
