"""queues: what waits, and putting a message into one."""

import argparse

from tools.cli.api import segment
from tools.cli.commands.invoke import event
from tools.cli.commands.kinds import Commands
from tools.cli.context import Context
from tools.cli.failures import Failure
from tools.cli.output import table


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("queues", help="queues that wake functions")
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    parser = inner.add_parser("list", parents=[common], help="all queues")
    parser.set_defaults(run=list_)
    parser = inner.add_parser("send", parents=[common], help="put a message into a queue")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--body", required=True, metavar="JSON|@FILE|-")
    parser.add_argument("--delay-seconds", type=int, default=0)
    parser.set_defaults(run=send)


def list_(context: Context, _options: argparse.Namespace) -> int:
    """Show the queues."""
    found = context.api.get("/api/queues")
    rows = [[queue["name"], queue["function"] or "-"] for queue in found["items"]]
    context.out.result(found, table(("name", "function"), rows) if rows else "No queues.")
    return 0


def send(context: Context, options: argparse.Namespace) -> int:
    """Put one message into a queue."""
    message = {"body": event(options.body)}
    if options.delay_seconds:
        message["delaySeconds"] = options.delay_seconds
    path = f"/api/queues/{segment(options.name)}/messages"
    answer = context.api.post(path, {"messages": [message]})
    sent = answer["messages"][0]
    if "error" in sent:
        raise Failure(f"The queue {options.name} did not take it: {sent['error']}")
    context.out.result(sent, f"Sent to {options.name} as {sent['id']}.")
    return 0
