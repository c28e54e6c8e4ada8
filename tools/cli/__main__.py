"""`python -m tools.cli`: read the command, run it, say what went wrong."""

import os
import signal
import sys

from tools.cli import options
from tools.cli.context import Context
from tools.cli.failures import INTERRUPTED, Failure
from tools.cli.output import Output


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status."""
    chosen = options.parse(arguments)
    out = Output(chosen.json)
    try:
        status: int = chosen.run(Context(out, chosen.url), chosen)
        return status
    except Failure as failure:
        out.failure(failure)
        return failure.exit_status
    except BrokenPipeError:
        # Whoever read the output has had enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        out.failure(Failure(f"A file cannot be used: {error}"))
        return Failure.exit_status
    except (KeyboardInterrupt, EOFError):
        out.say("")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
