"""login and logout."""

import argparse
import getpass
import os
import sys
from typing import Any

from tools.cli import session
from tools.cli.api import Api
from tools.cli.commands.kinds import Commands
from tools.cli.context import Context
from tools.cli.failures import Failure, NotThere, SignInNeeded
from tools.cli.packing.target import is_local
from tools.cli.session import Session

SIGN_IN = "/api/collections/_superusers/auth-with-password"


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("login", parents=[common], help="sign in as a superuser")
    parser.add_argument("--email", required=True)
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin"
    )
    parser.set_defaults(run=login)
    parser = commands.add_parser("logout", parents=[common], help="forget the token")
    parser.set_defaults(run=logout)


def login(context: Context, options: argparse.Namespace) -> int:
    """Sign in and keep the token; the password is kept nowhere."""
    url = session.normal(options.url or os.environ.get("DORMOUSE_URL") or session.DEFAULT_URL)
    if url.startswith("http://") and not is_local(url):
        context.out.say(f"Careful: {url} is not encrypted; the password goes over it in the clear.")
    token = _token(url, options.email, _password(options))
    file = session.remember(Session(url, token))
    kept = {"url": url, "email": options.email, "file": str(file)}
    context.out.result(kept, f"Signed in to {url} as {options.email}; the token is in {file}")
    return 0


def logout(context: Context, options: argparse.Namespace) -> int:
    gone = session.forget(options.url)
    text = f"Signed out of {gone}; the token itself holds until it expires." if gone else ""
    context.out.result({"url": gone or None}, text or "You were not signed in.")
    return 0


def _password(options: argparse.Namespace) -> str:
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Failure("There is no terminal to ask for the password.", "Use --password-stdin.")
    return getpass.getpass(f"Password of {options.email}: ")


def _token(url: str, email: str, password: str) -> str:
    body: dict[str, Any] = {"identity": email, "password": password}
    try:
        return str(Api(Session(url, "")).post(SIGN_IN, body)["token"])
    except NotThere as error:
        raise Failure(f"{url} is no Dormouse.", "Check the URL.") from error
    except (SignInNeeded, Failure) as error:
        if error.exit_status != Failure.exit_status:
            raise
        hint = "Check e-mail and password; make run printed the first superuser's once."
        raise SignInNeeded(str(error), hint, error.data) from error
