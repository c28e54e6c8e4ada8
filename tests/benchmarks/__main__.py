"""Measure, print a table, and exit with 1 if a figure is over its limit.

python -m tests.benchmarks [--json FILE] [--runs N] [--rounds N] [--calls N] [--depth N] ..
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator

from tools.local_aws import client


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure Dormouse beside its yardsticks.")
    parser.add_argument("--json", help="write the figures here as well")
    parser.add_argument("--runs", type=int, default=15, help="cold starts of each target")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of warm calls")
    parser.add_argument("--calls", type=int, default=100, help="warm calls a round")
    parser.add_argument("--depth", type=int, default=1000, help="pages to go by cursor")
    parser.add_argument("--records", type=int, default=10_000, help="the larger collection")
    options = parser.parse_args()
    aws = client.start()
    os.environ.update(aws.environment())
    try:
        rows = list(_measured(options))
    finally:
        aws.stop()
    print(_table(rows))
    if options.json:
        with open(options.json, "w") as file:
            json.dump([dict(zip(_HEADER, row, strict=True)) for row in rows], file, indent=1)
    return 0 if all(row[-1] != "OVER" for row in rows) else 1


_HEADER = ("figure", "value", "unit", "own", "limit", "verdict")


def _measured(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """Yield the rows; imports only now, since the environment says which AWS is meant."""
    from app import app  # noqa: PLC0415 (after the environment is set)
    from tests.benchmarks import measures, targets  # noqa: PLC0415 (likewise)
    from tools import bootstrap  # noqa: PLC0415 (likewise)

    bootstrap.table_and_bucket()
    print("Preparing the sample data ...", file=sys.stderr)
    targets.prepare()
    measured: dict[str, Callable[[], list[measures.Row]]] = {
        "cold starts": lambda: measures.cold(options.runs),
        "warm calls": lambda: measures.warm(options.rounds, options.calls),
        "capacity units": lambda: measures.units(app),
        "growth": lambda: measures.growth(app, 100, options.records),
        "the local server": lambda: measures.health(3.0),
        "paging by cursor": lambda: measures.pages(app, options.depth),
    }
    for name, measure in measured.items():
        print(f"Measuring {name} ...", file=sys.stderr)
        for row in measure():
            sign = ">=" if row.is_floor else "<="
            yield (
                row.what,
                f"{row.figure:.2f}",
                row.unit,
                "" if row.beside is None else f"{row.beside:.1f}",
                "" if row.limit is None else f"{sign} {row.limit}",
                "ok" if row.holds else "OVER",
            )


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = [_HEADER, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(_HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
