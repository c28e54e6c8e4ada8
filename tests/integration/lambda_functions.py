"""Functions of the local AWS for tests: one package with many handlers, and short ways to call."""

import base64
import io
import json
import os
import re
import time
import zipfile
from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from chalicelib.domain.functions import report
from chalicelib.domain.functions.report import Report

ROLE = "arn:aws:iam::000000000000:role/of-tests"

PYTHON = """
import importlib.util, json, logging, os, resource, subprocess, sys, threading, time
import urllib.error, urllib.request

print("loaded")
COUNT = {"ticks": 0, "calls": 0}


def echo(event, context):
    return event


def silent(event, context):
    COUNT["calls"] += 1
    return {"pid": os.getpid(), "calls": COUNT["calls"]}


def nap(event, context):
    time.sleep(event.get("seconds", 0.3))
    return os.getpid()


def told(event, context):
    given = context.client_context
    return {
        "id": context.aws_request_id, "arn": context.invoked_function_arn,
        "name": context.function_name, "version": context.function_version,
        "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
        "custom": given and given.custom, "env": given and given.env,
        "title": given and given.client and given.client.app_title,
        "identity": context.identity.cognito_identity_id,
    }


def surroundings(event, context):
    names = ("boto3", "dateutil", "orjson", "pytest", "chalicelib", "ministack")
    limits = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1]
              for name in ("NOFILE", "CORE", "FSIZE")}
    root = os.environ["LAMBDA_TASK_ROOT"]
    modes = {oct(os.stat(path).st_mode & 0o222) for path in (root, __file__)}
    try:
        open("mine.py", "w").close()
        wrote = "yes"
    except OSError as error:
        wrote = error.strerror
    return {"wrote": wrote, "env": dict(os.environ), "cwd": os.getcwd(), "limits": limits,
            "found": [name for name in names if importlib.util.find_spec(name)],
            "modes": sorted(modes), "tmp": os.listdir(os.environ["TMPDIR"])}


def who(event, context):
    import boto3

    open(os.path.join(os.environ["TMPDIR"], "mine"), "w").close()
    return boto3.client("sts").get_caller_identity()["Arn"]


def talks(event, context):
    print("print")
    os.write(1, b"descriptor one\\n")
    os.write(2, b"descriptor two\\n")
    subprocess.run(["sh", "-c", "echo child"])
    logging.getLogger("mine").warning("logger")
    sys.stdout.write("no line end")


def chatters(event, context):
    for number in range(2000):
        print("line", number)


def fails(event, context):
    raise LookupError("no such thing")


def returns_a_set(event, context):
    return {1}


def returns_bytes(event, context):
    return b"plain text"


def returns(event, context):
    return "x" * event["characters"]


def leaves(event, context):
    os._exit(event["status"])


def exits(event, context):
    sys.exit(4)


def hoards(event, context):
    hoard = []
    while True:
        hoard.append(b"x" * 5_000_000)


def has_a_hoarding_child(event, context):
    program = "import time; hoard = [b'x' * 150_000_000]; time.sleep(20)"
    subprocess.run([sys.executable, "-c", program])


def ticks(event, context):
    def tick():
        while True:
            time.sleep(0.01)
            COUNT["ticks"] += 1

    if event.get("start"):
        threading.Thread(target=tick, daemon=True).start()
    return COUNT["ticks"]


def has_children(event, context):
    own_session = subprocess.Popen(["sleep", "60"], start_new_session=True)
    return [subprocess.Popen(["sleep", "60"]).pid, own_session.pid]


def goes_round(event, context):
    url = os.environ["AWS_ENDPOINT_URL"] + f"/2015-03-31/functions/{event['name']}/invocations"
    headers = {"X-Amz-Invocation-Type": "Event", "X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"],
               "Authorization": "AWS4-HMAC-SHA256 Credential=test/1/us-east-1/lambda/aws4_request"}
    request = urllib.request.Request(url, json.dumps(event).encode(), headers)
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        print("stopped", error.read().decode())


def reports_failures(event, context):
    bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
"""

NODE = """
exports.hello = async (event, context) => {
  console.log('hello', event);
  return {
    id: context.awsRequestId, arn: context.invokedFunctionArn, name: context.functionName,
    memory: context.memoryLimitInMB, left: context.getRemainingTimeInMillis(),
    custom: context.clientContext?.custom, env: process.env, cwd: process.cwd(),
  };
};
exports.called = (event, context, callback) => {
  setTimeout(() => {}, 30);
  callback(null, event);
};
exports.callsAtOnce = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 2000);
  callback(null, event);
};
exports.callsBackWith = (event, context, callback) => callback(new RangeError('too far'));
exports.nothing = async () => {};
class Mine extends Error { constructor(text) { super(text); this.name = 'Mine'; } }
exports.fails = async () => { throw new Mine('bad'); };
exports.circles = async () => { const round = {}; round.round = round; return round; };
exports.forgets = async () => {
  Promise.reject(new Error('lost'));
  await new Promise((resolve) => setTimeout(resolve, 200));
};
exports.exits = async () => process.exit(7);
exports.hoards = async () => {
  const hoard = [];
  for (;;) { hoard.push(Buffer.alloc(5e6, 1)); await null; }
};
exports.returns = async (event) => 'x'.repeat(event.characters);
"""

FILES = {
    "main.py": PYTHON,
    "index.js": NODE,
    "pack/__init__.py": "",
    "pack/inner.py": "from .other import VALUE\n\ndef handler(event, context):\n    return VALUE\n",
    "pack/other.py": "VALUE = 'from a package'\n",
    "broken.py": "def handler(event, context)\n    pass\n",
    "raising.py": "raise ZeroDivisionError('at import')\n",
    "quitting.py": "import os\nos._exit(9)\n",
    "importing.py": "import nothing_like_it\n",
    "module.mjs": "const value = await Promise.resolve(1);\n"
    "export const handler = async () => value;\n",
    "esm/package.json": '{"type": "module"}',
    "esm/index.js": "export const handler = async () => import.meta.url.slice(-12);\n",
    "requiring.js": "require('nothing-like-it');\n",
}


class Call(NamedTuple):
    """The answer to one invocation."""

    result: Any
    error: str
    """What X-Amz-Function-Error says."""
    log: str
    request_id: str
    version: str

    @property
    def report(self) -> Report:
        found = report.parse(self.log, self.request_id)
        assert found, self.log
        return found


def package(files: dict[str, str] = FILES) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


_PACKAGE = package()


def client(checks_parameters: bool = True) -> Any:
    return _client(os.environ["AWS_ENDPOINT_URL"], checks_parameters)


@cache
def _client(url: str, checks_parameters: bool) -> Any:
    settings = Config(
        retries={"max_attempts": 0},
        max_pool_connections=30,
        parameter_validation=checks_parameters,
    )
    return boto3.client("lambda", endpoint_url=url, config=settings)


def make(handler: str, name: str = "", files: dict[str, str] | None = None, **settings: Any) -> str:
    """Return the name of a new function."""
    runtime = "nodejs20.x" if handler.startswith(("index", "module", "esm", "req")) else ""
    name = name or re.sub(r"\W", "-", handler)
    wanted = {"Runtime": runtime or "python3.12", "Role": ROLE, "Timeout": 5, **settings}
    code = {"ZipFile": package(files) if files else _PACKAGE}
    client().create_function(FunctionName=name, Handler=handler, Code=code, **wanted)
    return name


def call(name: str, event: Any = None, **options: Any) -> Call:
    payload = json.dumps({} if event is None else event)
    answer = client().invoke(FunctionName=name, Payload=payload, LogType="Tail", **options)
    text = answer["Payload"].read().decode()
    return Call(
        json.loads(text) if text else None,
        answer.get("FunctionError", ""),
        base64.b64decode(answer.get("LogResult", "")).decode(),
        answer["ResponseMetadata"]["RequestId"],
        answer["ExecutedVersion"],
    )


def streams(name: str) -> dict[str, list[str]]:
    """Return the lines of each log stream of a function."""
    logs = boto3.client("logs")
    group = f"/aws/lambda/{name}"
    try:
        found = logs.describe_log_streams(logGroupName=group)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return {}
    return {
        each["logStreamName"]: [
            event["message"]
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=each["logStreamName"], startFromHead=True
            )["events"]
        ]
        for each in found
    }


def wait_for(condition: Any, seconds: float = 10.0) -> Any:
    """Return the first true value of a condition."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen")
