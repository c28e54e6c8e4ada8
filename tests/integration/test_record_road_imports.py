"""What a request for records imports: each module more is paid for by every cold start.

A GET, a list by a rule and a create run in a fresh interpreter each, on the local AWS. None may
import what is slow (docs/adr/0001-no-dataclass-on-the-record-road.md), and of our own modules
exactly those below: who adds one adds it here, and knows why.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import subprocess_environment
from tests.integration.auth_client import Client
from tools.local_aws.client import LocalAws

FORBIDDEN = (
    "botocore",
    "boto3",
    "pynamodb",
    "dataclasses",
    "inspect",
    "PIL",
    "jmespath",
    "asyncio",
)


def names_in(text: str) -> set[str]:
    return set(text.split())


EVERY_REQUEST = names_in(
    """
    chalicelib
    chalicelib.aws
    chalicelib.aws.connections
    chalicelib.aws.credentials
    chalicelib.aws.dynamodb
    chalicelib.aws.dynamodb_calls
    chalicelib.aws.dynamodb_errors
    chalicelib.aws.dynamodb_reads
    chalicelib.aws.dynamodb_writes
    chalicelib.aws.lean_response
    chalicelib.aws.retries
    chalicelib.aws.sigv4
    chalicelib.config
    chalicelib.domain
    chalicelib.domain.collection
    chalicelib.domain.fields
    chalicelib.domain.index_values
    chalicelib.domain.indexes
    chalicelib.domain.record
    chalicelib.domain.request
    chalicelib.domain.tokens
    chalicelib.errors
    chalicelib.lazy
    chalicelib.light_orjson
    chalicelib.routes
    chalicelib.routes.api
    chalicelib.routes.auth
    chalicelib.routes.batch
    chalicelib.routes.collections
    chalicelib.routes.files
    chalicelib.routes.health
    chalicelib.routes.not_served
    chalicelib.routes.records
    chalicelib.routes.settings
    chalicelib.routes.uploads
    chalicelib.services
    chalicelib.services.expand
    chalicelib.services.records
    chalicelib.services.rules
    chalicelib.services.session
    chalicelib.store
    chalicelib.store.changes
    chalicelib.store.keys
    chalicelib.store.records
    chalicelib.store.related
    chalicelib.store.schema
    chalicelib.web
    chalicelib.web.app
    chalicelib.web.body
    chalicelib.web.gateway
    chalicelib.web.headers
    chalicelib.web.limits
    chalicelib.web.payload
    chalicelib.web.reply
    chalicelib.web.router
    """
)

WITH_A_RULE = names_in(
    """
    chalicelib.domain.filters
    chalicelib.domain.filters.columns
    chalicelib.domain.filters.comparisons
    chalicelib.domain.filters.compiler
    chalicelib.domain.filters.conjuncts
    chalicelib.domain.filters.context
    chalicelib.domain.filters.joins
    chalicelib.domain.filters.lexer
    chalicelib.domain.filters.like
    chalicelib.domain.filters.macros
    chalicelib.domain.filters.nodes
    chalicelib.domain.filters.operands
    chalicelib.domain.filters.parser
    chalicelib.domain.filters.predicate
    chalicelib.domain.filters.resolver
    chalicelib.domain.filters.search
    chalicelib.domain.filters.sort
    chalicelib.domain.filters.values
    """
)

A_LIST = names_in(
    """
    chalicelib.domain.paging
    chalicelib.domain.query_plan
    chalicelib.services.candidates
    chalicelib.services.record_search
    """
)

A_WRITE = names_in(
    """
    chalicelib.domain.auth_record
    chalicelib.domain.autogenerate
    chalicelib.domain.dates
    chalicelib.domain.fields.casting
    chalicelib.domain.fields.common
    chalicelib.domain.fields.number
    chalicelib.domain.fields.password
    chalicelib.domain.fields.primary_key
    chalicelib.domain.fields.text
    chalicelib.domain.ids
    chalicelib.domain.modifiers
    chalicelib.domain.patterns
    chalicelib.domain.patterns.charsets
    chalicelib.domain.patterns.classes
    chalicelib.domain.patterns.matcher
    chalicelib.domain.patterns.scanner
    chalicelib.domain.patterns.syntax
    chalicelib.domain.record_changes
    chalicelib.passwords
    chalicelib.services.record_writes
    chalicelib.store.guards
    """
)

PROGRAM = """
import json, sys
import app
event = json.loads(sys.argv[1])
answer = app.app(event, None)
print(json.dumps({"status": answer["statusCode"], "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def record_id(table: str) -> str:
    client = Client()
    client.as_root(
        "POST",
        "/api/collections",
        {
            "name": "notes",
            "type": "base",
            "listRule": "title != 'hidden'",
            "viewRule": "",
            "createRule": "",
            "fields": [{"name": "title", "type": "text"}, {"name": "n", "type": "number"}],
            "indexes": ["CREATE INDEX by_n ON notes (n)"],
        },
    )
    record: dict[str, Any] = client.as_root(
        "POST", "/api/collections/notes/records", {"title": "x", "n": 1}
    )
    return str(record["id"])


def imported(aws: LocalAws, method: str, path: str, body: Any = None) -> set[str]:
    """Return the modules that one request in a new interpreter leaves imported."""
    event = {
        "path": "/api/collections/notes/records" + path,
        "headers": {"content-type": "application/json", "accept": "*/*"},
        "multiValueQueryStringParameters": None,
        "requestContext": {"httpMethod": method, "identity": {"sourceIp": "127.0.0.1"}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(event)],
        env=subprocess_environment(aws),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    assert answer["status"] == 200, run.stdout
    return set(answer["modules"])


CASES = {
    "GET": ("GET", "/{id}", None, EVERY_REQUEST),
    "list": ("GET", "", None, EVERY_REQUEST | WITH_A_RULE | A_LIST),
    "create": ("POST", "", {"title": "new"}, EVERY_REQUEST | A_WRITE),
}


@pytest.mark.parametrize("name", CASES)
def test_a_request_for_records_imports_what_it_needs(
    local_aws: LocalAws, record_id: str, name: str
) -> None:
    method, path, body, allowed = CASES[name]
    modules = imported(local_aws, method, path.format(id=record_id), body)
    slow = sorted(name for name in modules if name.partition(".")[0] in FORBIDDEN)
    assert slow == []
    own = {name for name in modules if name.partition(".")[0] == "chalicelib"}
    assert (sorted(own - allowed), sorted(allowed - own)) == ([], [])
