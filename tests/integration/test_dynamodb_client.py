"""The client's calls against the local AWS, and PynamoDB as an independent reader."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import config
from chalicelib.aws import connections, dynamodb
from chalicelib.aws.dynamodb import (
    ConditionFailedError,
    InvalidRequestError,
    Item,
    ItemTooLargeError,
    MissingTableError,
    Reason,
    TransactionCanceledError,
    TransactionTooLargeError,
)
from chalicelib.store import table as definition
from chalicelib.store.keys import SLOTS, key
from tools.local_aws.client import LocalAws

ROOT = Path(__file__).resolve().parents[2]
ABSENT = "attribute_not_exists(PK)"


@pytest.fixture(autouse=True)
def empty_partitions(table: str) -> Iterator[None]:
    """Give each test empty partitions A and B, which is quicker than an empty table."""
    yield
    for partition in ("A", "B"):
        page = dynamodb.query("PK = :p", {":p": {"S": partition}}, consistent=True)
        dynamodb.batch_write_deletes({name: item[name] for name in ("PK", "SK")}
                                     for item in page.items)  # fmt: skip


def item(sort: str, partition: str = "A", **attributes: str) -> Item:
    return {**key(partition, sort), **{name: {"S": text} for name, text in attributes.items()}}


def given(*items: Item) -> None:
    for each in items:
        dynamodb.put(each)


def sorts(items: list[Item]) -> list[str]:
    return [each["SK"]["S"] for each in items]


class TestItems:
    def test_an_absent_item_is_none(self) -> None:
        assert dynamodb.get(key("A", "none")) is None

    @pytest.mark.parametrize("consistent", [True, False])
    def test_what_was_put_is_read(self, consistent: bool) -> None:
        written: Item = {
            **item("1", doc='{"a": "ü ☃ \\u0000"}', empty=""),
            "n": {"N": "-1.5E+3"},
            "yes": {"BOOL": True},
            "nothing": {"NULL": True},
            "bytes": {"B": "AP8="},
            "list": {"L": [{"S": "x"}, {"M": {"y": {"N": "1"}}}]},
        }
        dynamodb.put(written)

        assert dynamodb.get(key("A", "1"), consistent) == {**written, "n": {"N": "-1500"}}

    def test_pynamodb_reads_what_the_client_wrote(self) -> None:
        given(item("1", doc="{}", rev="r1"))

        model = definition.Item.get("A", "1", consistent_read=True)

        assert (model.PK, model.SK, model.doc, model.rev) == ("A", "1", "{}", "r1")

    def test_a_failed_condition_tells_what_is_stored(self) -> None:
        given(item("1", rev="theirs"))

        with pytest.raises(ConditionFailedError) as caught:
            dynamodb.put(item("1", rev="mine"), ABSENT)

        assert caught.value.item == item("1", rev="theirs")
        assert dynamodb.get(key("A", "1")) == item("1", rev="theirs")

    def test_a_condition_on_an_absent_item_fails_without_an_item(self) -> None:
        with pytest.raises(ConditionFailedError) as caught:
            dynamodb.put(item("1"), "#r = :r", {":r": {"S": "x"}}, {"#r": "rev"})
        assert caught.value.item is None

    def test_an_update_returns_the_item_as_it_is_then(self) -> None:
        given(item("1", rev="a"))

        changed = dynamodb.update(
            key("A", "1"),
            "SET #r = :new ADD n :two",
            {":new": {"S": "b"}, ":two": {"N": "2"}, ":old": {"S": "a"}},
            {"#r": "rev"},
            "#r = :old",
        )

        assert changed == {**item("1", rev="b"), "n": {"N": "2"}}

    def test_a_delete_of_an_absent_item_is_fine(self) -> None:
        dynamodb.delete(key("A", "none"))

    def test_a_conditional_delete_may_fail(self) -> None:
        given(item("1", rev="a"))

        with pytest.raises(ConditionFailedError):
            dynamodb.delete(key("A", "1"), "rev = :r", {":r": {"S": "b"}})
        dynamodb.delete(key("A", "1"), "rev = :r", {":r": {"S": "a"}})

        assert dynamodb.get(key("A", "1")) is None


class TestMany:
    def test_any_number_of_keys_is_read_and_each_once(self) -> None:
        dynamodb.transact([{"Put": {"Item": item(f"{n:03}")}} for n in range(100)])
        dynamodb.transact([{"Put": {"Item": item(f"{n:03}")}} for n in range(100, 130)])
        wanted = [key("A", f"{n:03}") for n in range(140)] + [key("A", "005")] * 3

        with dynamodb.meter() as meter:
            found = dynamodb.batch_get(wanted)

        assert sorted(sorts(found)) == [f"{n:03}" for n in range(130)]
        assert meter.calls == 2
        dynamodb.batch_write_deletes(wanted)
        assert dynamodb.batch_get(wanted) == []

    def test_no_keys_need_no_call(self) -> None:
        with dynamodb.meter() as meter:
            assert dynamodb.batch_get([]) == []
            dynamodb.batch_write_deletes([])
        assert meter.calls == 0

    def test_a_query_pages_in_both_directions(self) -> None:
        given(*(item(str(n)) for n in range(5)), item("9", "B"))
        values = {":p": {"S": "A"}}

        first = dynamodb.query("PK = :p", values, limit=2)
        second = dynamodb.query("PK = :p", values, limit=9, start=first.next_key)
        backward = dynamodb.query("PK = :p", values, forward=False)

        assert sorts(first.items) == ["0", "1"]
        assert sorts(second.items) == ["2", "3", "4"]
        assert second.next_key is None
        assert sorts(backward.items) == ["4", "3", "2", "1", "0"]

    def test_a_query_may_filter_project_and_count(self) -> None:
        given(item("1", rev="a", doc="x"), item("2", rev="b", doc="y"), item("3", rev="a"))
        values = {":p": {"S": "A"}, ":r": {"S": "a"}}
        names = {"#r": "rev"}

        page = dynamodb.query(
            "PK = :p", values, names, filter_expression="#r = :r", projection="SK"
        )
        counted = dynamodb.query(
            "PK = :p", values, names, filter_expression="#r = :r", count_only=True
        )

        assert page.items == [{"SK": {"S": "1"}}, {"SK": {"S": "3"}}]
        assert (page.count, page.scanned) == (2, 3)
        assert (counted.items, counted.count, counted.scanned) == ([], 2, 3)

    @pytest.mark.parametrize("slot", [1, SLOTS])
    def test_a_query_reads_an_index_slot_in_its_order(self, slot: int) -> None:
        name = f"ix{slot}"
        given(
            item("1", ip="posts#0", **{name: "zebra"}),
            item("2", ip="posts#0", **{name: "ant"}),
            item("3", ip="posts#0"),  # has no value in the slot, so is not in the index
        )

        page = dynamodb.query("ip = :p", {":p": {"S": "posts#0"}}, index=name, consistent=True)

        assert sorts(page.items) == ["2", "1"]


def put_action(sort: str, condition: str = "", **attributes: str) -> dict[str, Any]:
    action: dict[str, Any] = {"Item": item(sort, **attributes)}
    if condition:
        action["ConditionExpression"] = condition
    return {"Put": action}


class TestTransact:
    def test_all_actions_are_carried_out(self) -> None:
        given(item("old"), item("counter"))

        dynamodb.transact(
            [
                put_action("new", ABSENT),
                {"Delete": {"Key": key("A", "old")}},
                {
                    "Update": {
                        "Key": key("A", "counter"),
                        "UpdateExpression": "ADD n :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
                {"ConditionCheck": {"Key": key("A", "x"), "ConditionExpression": ABSENT}},
            ]
        )

        page = dynamodb.query("PK = :p", {":p": {"S": "A"}}, consistent=True)
        assert page.items == [{**item("counter"), "n": {"N": "1"}}, item("new")]

    def test_or_none_with_a_reason_for_each(self) -> None:
        given(item("taken", rev="theirs"))

        with pytest.raises(TransactionCanceledError) as caught:
            dynamodb.transact([put_action("free", ABSENT), put_action("taken", ABSENT, rev="mine")])

        free, taken = caught.value.reasons
        assert free == Reason("None", None)
        assert (taken.code, taken.item) == (
            dynamodb.CONDITION_FAILED,
            item("taken", rev="theirs"),
        )
        assert dynamodb.get(key("A", "free")) is None

    def test_the_callers_actions_are_left_as_they_were(self) -> None:
        action = put_action("1", ABSENT)
        before = json.dumps(action)

        dynamodb.transact([action])

        assert json.dumps(action) == before

    def test_over_100_actions_are_refused_before_they_are_sent(self) -> None:
        with dynamodb.meter() as meter, pytest.raises(TransactionTooLargeError, match="100"):
            dynamodb.transact([put_action(str(n)) for n in range(101)])
        assert meter.calls == 0

    def test_over_4_mb_are_refused(self) -> None:
        with pytest.raises(TransactionTooLargeError, match="4 MB"):
            dynamodb.transact([put_action(str(n), doc="x" * 390_000) for n in range(11)])
        assert dynamodb.query("PK = :p", {":p": {"S": "A"}}).items == []


class TestRefusals:
    def test_an_item_over_400_kb(self) -> None:
        large = item("1", doc="x" * 410_000)
        with pytest.raises(ItemTooLargeError):
            dynamodb.put(large)
        with pytest.raises(ItemTooLargeError):
            dynamodb.transact([{"Put": {"Item": large}}])
        with pytest.raises(ItemTooLargeError):
            dynamodb.update(key("A", "1"), "SET doc = :d", {":d": large["doc"]})

    def test_an_item_of_just_400_kb_fits(self) -> None:
        size = 400 * 1024 - len("PKASK1doc")
        dynamodb.put(item("1", doc="x" * size))
        with pytest.raises(ItemTooLargeError):
            dynamodb.put(item("1", doc="x" * (size + 1)))

    def test_a_wrong_expression_is_a_programming_error(self) -> None:
        with pytest.raises(InvalidRequestError, match="ValidationException"):
            dynamodb.query("PK = :undefined", {":p": {"S": "A"}})

    def test_half_a_surrogate_pair_is_a_programming_error(self) -> None:
        with pytest.raises(InvalidRequestError, match="JSON"):
            dynamodb.put(item("1", doc="\ud800"))

    def test_a_missing_table_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        elsewhere = config.Settings(table_name="elsewhere")
        for module in ("dynamodb_reads", "dynamodb_calls"):
            monkeypatch.setattr(f"chalicelib.aws.{module}.settings", lambda: elsewhere)
        with pytest.raises(MissingTableError, match="'elsewhere'"):
            dynamodb.get(key("A", "1"))


class TestMeter:
    def test_it_counts_what_the_calls_inside_consume(self) -> None:
        given(item("1", doc="x" * 5000), item("2"))
        with dynamodb.meter() as meter:
            dynamodb.get(key("A", "1"))
            dynamodb.get(key("A", "none"))
            dynamodb.query("PK = :p", {":p": {"S": "A"}})
            dynamodb.put(item("3", doc="x" * 5000))
        dynamodb.get(key("A", "1"))

        assert meter.calls == 4
        assert meter.items_read == 3
        assert meter.read_units > 0
        assert meter.write_units == 5

    def test_an_outer_meter_counts_the_inner_ones_calls_too(self) -> None:
        with dynamodb.meter() as outer:
            dynamodb.get(key("A", "1"))
            with dynamodb.meter() as inner:
                dynamodb.get(key("A", "1"))
        assert (inner.calls, outer.calls) == (1, 2)


class TestConnections:
    def test_a_request_is_sent_in_one_piece(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pieces: list[bytes] = []
        send = HTTPConnection.send

        def noting_send(connection: HTTPConnection, data: bytes) -> None:
            pieces.append(data)
            send(connection, data)

        monkeypatch.setattr(HTTPConnection, "send", noting_send)
        dynamodb.get(key("A", "1"))

        assert len(pieces) == 1
        assert pieces[0].startswith(b"POST / HTTP/1.1\r\n")
        assert pieces[0].endswith(b"}")

    def test_threads_do_not_share_a_connection(self) -> None:
        given(*(item(str(n), rev=str(n)) for n in range(4)))
        wrong: list[Any] = []

        def read(n: int) -> None:
            for _ in range(25):
                found = dynamodb.get(key("A", str(n)))
                if found != item(str(n), rev=str(n)):
                    wrong.append(found)

        threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []

    def test_a_forked_process_does_not_speak_on_its_parents_connection(
        self, local_aws: LocalAws
    ) -> None:
        program = """
import os
from chalicelib.aws import connections, dynamodb
from chalicelib.store.keys import key
dynamodb.get(key("A", "1"))
to = connections.endpoint("dynamodb", "us-east-1")
before = connections._connection(to).sock.getsockname()
child = os.fork()
if not child:
    dynamodb.get(key("A", "1"))
    os._exit(connections._connection(to).sock.getsockname() == before)
dynamodb.get(key("A", "1"))
same = connections._connection(to).sock.getsockname() == before
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), same)
"""
        assert run_python(program, local_aws) == "0 True"


def test_the_record_road_imports_no_aws_library(local_aws: LocalAws) -> None:
    program = """
import sys
from chalicelib import aws, store
from chalicelib.store.keys import key
aws.dynamodb.put({**key("A", "1"), "rev": {"S": "1"}}, "attribute_not_exists(SK) OR rev = :r",
                 {":r": {"S": "1"}})
aws.dynamodb.get(key("A", "1"))
aws.dynamodb.transact([{"Delete": {"Key": key("A", "1")}}])
aws.s3.put("a", b"b"); aws.s3.get("a"); aws.s3.delete("a")
print([name for name in ("botocore", "boto3", "pynamodb", "dataclasses", "inspect", "uuid",
                         "xml.etree", "concurrent.futures") if name in sys.modules])
"""
    assert run_python(program, local_aws) == "[]"


def run_python(program: str, aws: LocalAws) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **aws.environment()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestTable:
    def test_it_is_described_as_it_was_defined(self, table: str) -> None:
        client = boto3.client("dynamodb")
        described = client.describe_table(TableName=table)["Table"]
        ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=table)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        indexes = {index["IndexName"]: index for index in described["GlobalSecondaryIndexes"]}

        assert [entry["AttributeName"] for entry in described["KeySchema"]] == ["PK", "SK"]
        assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert described["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
        assert ttl["AttributeName"] == "ttl"
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
        assert sorted(indexes) == [f"ix{slot}" for slot in range(1, SLOTS + 1)]
        for name, index in indexes.items():
            assert [entry["AttributeName"] for entry in index["KeySchema"]] == ["ip", name]
            assert index["Projection"] == {"ProjectionType": "ALL"}

    def test_creating_it_again_changes_nothing(self) -> None:
        given(item("1"))
        definition.create()
        assert definition.exists()
        assert dynamodb.get(key("A", "1")) == item("1")


def test_the_services_own_endpoint_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://general:4566")
    assert connections.endpoint("s3", "us-east-1") == (False, "general:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://own.example:443/")
    assert connections.endpoint("s3", "us-east-1") == (True, "own.example")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert connections.endpoint("dynamodb", "eu-west-3") == (
        True,
        "dynamodb.eu-west-3.amazonaws.com",
    )
    assert connections.endpoint("dynamodb", "cn-north-1") == (
        True,
        "dynamodb.cn-north-1.amazonaws.com.cn",
    )


@pytest.mark.parametrize("url", ["localhost:4566", "http://", "ftp://host", "//host:1"])
def test_an_endpoint_that_is_no_url_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    with pytest.raises(ValueError, match="http://localhost:4566"):
        connections.endpoint("dynamodb", "us-east-1")
