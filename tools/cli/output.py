"""What is shown: a result on stdout, everything else on stderr; with `--json` one document."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TextIO

from tools.cli.failures import Failure

BAR_CHARACTERS = 30
LINE_SECONDS = 5.0
"""Between the lines that replace the bar where there is no terminal."""

Progress = Callable[[int, int], None]
"""Takes how many bytes are sent, and of how many."""


class Output:
    """Where a command says things."""

    def __init__(
        self, as_json: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr

    def result(self, value: Any, text: str) -> None:
        """Show the result: `value` as JSON if that was asked for, else `text`."""
        shown = document(value, indent=2) if self.as_json else text
        if shown:
            print(shown, file=self._stdout, flush=True)

    def line(self, value: Any, text: str) -> None:
        """Show one of many results as they come: a JSON document per line, or text."""
        print(document(value) if self.as_json else text, file=self._stdout, flush=True)

    def say(self, text: str) -> None:
        """Say something on the way; silent with `--json`."""
        if not self.as_json:
            print(text, file=self._stderr, flush=True)

    def failure(self, failure: Failure) -> None:
        """Say why the command failed, and what to do next."""
        if self.as_json:
            said = {"message": str(failure), "hint": failure.hint, "data": failure.data}
            body = {"code": failure.code, "exit": failure.exit_status, **said}
            print(document({"error": body}), file=self._stderr)
            return
        print(f"dormouse: {failure}", file=self._stderr)
        for line in field_lines(failure.data):
            print(f"  {line}", file=self._stderr)
        if failure.hint:
            print(f"  -> {failure.hint}", file=self._stderr)

    def progress(self, what: str) -> Progress:
        """Return what shows an upload: a bar on a terminal, else a line every few seconds."""
        if self.as_json:
            return _silent
        return _bar(what, self._stderr) if self._stderr.isatty() else _lines(what, self._stderr)


def document(value: Any, indent: int | None = None) -> str:
    """Return JSON text; decimals as the numbers they are."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=_number)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return columns as wide as their contents; numbers stand right."""
    texts = [[cell if isinstance(cell, str) else str(cell) for cell in row] for row in rows]
    right = [
        bool(rows) and all(isinstance(row[at], int | float | Decimal) for row in rows)
        for at in range(len(heads))
    ]
    widths = [max(len(line[at]) for line in [list(heads), *texts]) for at in range(len(heads))]
    lines = [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [list(heads), *texts]
    ]
    return "\n".join(lines)


def money(usd: Any) -> str:
    """Return dollars in full: a call costs far less than a cent, and 2E-7 says little."""
    text = f"{Decimal(str(usd or 0)):f}"
    return "$" + (text.rstrip("0").rstrip(".") if "." in text else text)


def size(size_bytes: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "bytes" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


def field_lines(data: dict[str, Any]) -> list[str]:
    """Return a line per field of an error's `data`, however deep the message is."""
    lines = []
    for name, error in data.items():
        if isinstance(error, dict) and "message" in error:
            lines.append(f"{name}: {error['message']}")
        elif isinstance(error, dict):
            lines += [f"{name}.{line}" for line in field_lines(error)]
        else:
            lines.append(f"{name}: {error}")
    return lines


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _silent(_sent: int, _total: int) -> None:
    pass


def _bar(what: str, stream: TextIO) -> Progress:
    started = time.monotonic()

    def show(sent: int, total: int) -> None:
        share = sent / total if total else 1.0
        done = "#" * int(share * BAR_CHARACTERS)
        rate = sent / max(time.monotonic() - started, 0.001)
        text = f"\r{what} [{done:<{BAR_CHARACTERS}}] {share:4.0%} of {size(total)}  {size(rate)}/s "
        print(text, end="\n" if sent >= total else "", file=stream, flush=True)

    return show


def _lines(what: str, stream: TextIO) -> Progress:
    said_at = [time.monotonic()]

    def show(sent: int, total: int) -> None:
        if time.monotonic() - said_at[0] >= LINE_SECONDS:
            said_at[0] = time.monotonic()
            print(f"{what} {size(sent)} of {size(total)}", file=stream, flush=True)

    return show
