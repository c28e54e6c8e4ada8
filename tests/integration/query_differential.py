"""Compare our Query with ministack's own, in one process, on the same data.

    python -m tests.integration.query_differential SEED

A program of its own because the cures change ministack for the whole process. It prints one line
of JSON: what differed, and how often which kind of query came up.
"""

import json
import random
import sys
from typing import Any

from tools.local_aws import cures, emulator

ROUNDS = 600
TABLE = "differential"
PARTITIONS = ["a", "b", "ü"]
SORTS = ["0", "1", "10", "2", "a", "a#1", "a#2", "ab", "b", "é", "é1", "\U0001f600", "z"]
NUMBERS = ["-10", "-1.5", "0", "1", "2", "9", "10", "1e3", "0.1", "12345678901234567890123"]


def main(seed: int) -> dict[str, Any]:
    cures.install(emulator.load(1, None), None)
    # Imported late: ministack reads its environment when it is imported.
    from ministack.services import dynamodb  # noqa: PLC0415

    from tools.local_aws import queries  # noqa: PLC0415

    return Comparison(random.Random(seed), dynamodb, queries).run()


class Comparison:
    """Random writes and queries; `report` counts what came up."""

    def __init__(self, chance: random.Random, dynamodb: Any, queries: Any) -> None:
        self.chance = chance
        self.dynamodb = dynamodb
        self.queries = queries
        self.report: dict[str, Any] = {
            "different": [], "narrowed": 0, "with_items": 0, "with_next_page": 0, "refused": 0
        }  # fmt: skip

    def run(self) -> dict[str, Any]:
        self._create_table()
        for round_number in range(ROUNDS):
            self._write()
            if round_number == ROUNDS // 2:
                self._add_index()
            for _ in range(2):
                self._compare(self._query())
        return self.report

    def _compare(self, query: dict[str, Any]) -> None:
        for _ in range(4):
            expected = self._answer(self.queries._query_plain, query)
            actual = self._answer(self.queries.query, query)
            if expected != actual:
                self.report["different"].append([query, expected, actual])
            status, body = expected
            self.report["narrowed"] += self.queries._view(query) is not None
            self.report["refused"] += status != 200
            self.report["with_items"] += bool(status == 200 and body["Count"])
            next_key = body.get("LastEvaluatedKey")
            if not next_key:
                return
            self.report["with_next_page"] += 1
            query = {**query, "ExclusiveStartKey": next_key}

    def _answer(self, query: Any, data: dict[str, Any]) -> tuple[int, Any]:
        status, _, body = query(json.loads(json.dumps(data)))
        return status, json.loads(body)

    def _create_table(self) -> None:
        names = {"PK": "S", "SK": "S", "ip": "S", "text": "S", "number": "N"}
        status, _, body = self.dynamodb._create_table({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _key_schema("PK", "SK"),
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": kind} for name, kind in names.items()
            ],
            "GlobalSecondaryIndexes": [
                _index("by_text", "ip", "text"),
                _index("by_number", "ip", "number"),
                _index("keys_only", "ip", "text", "KEYS_ONLY"),
                _index("hash_only", "ip", None),
            ],
            "LocalSecondaryIndexes": [_index("local", "PK", "number")],
        })  # fmt: skip
        assert status == 200, body

    def _add_index(self) -> None:
        status, _, body = self.dynamodb._update_table({
            "TableName": TABLE,
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("ip", "SK")
            ],
            "GlobalSecondaryIndexUpdates": [{"Create": _index("late", "ip", "SK")}],
        })  # fmt: skip
        assert status == 200, body

    def _item(self) -> dict[str, Any]:
        chance = self.chance
        item = {"PK": {"S": chance.choice(PARTITIONS)}, "SK": {"S": chance.choice(SORTS)}}
        optional = {
            "ip": {"S": chance.choice(PARTITIONS)},
            "text": {"S": chance.choice(SORTS)},
            "number": {"N": chance.choice(NUMBERS)},
            "size": {"S": "x" * chance.choice([1, 5_000, 300_000])},
        }
        return item | {name: optional[name] for name in optional if chance.random() < 0.8}

    def _write(self) -> None:
        kinds = (
            self._put, self._put, self._delete, self._update, self._batch, self._transaction,
            self._expire, self._failing_partiql,
        )  # fmt: skip
        self.chance.choice(kinds)()

    def _key(self) -> dict[str, Any]:
        item = self._item()
        return {"PK": item["PK"], "SK": item["SK"]}

    def _put(self) -> None:
        self.dynamodb._put_item({"TableName": TABLE, "Item": self._item()})

    def _delete(self) -> None:
        self.dynamodb._delete_item({"TableName": TABLE, "Key": self._key()})

    def _update(self) -> None:
        new = self.chance.choice(SORTS)
        expression = self.chance.choice(["SET #t = :v", "REMOVE #t", "SET ip = :v REMOVE #t"])
        self.dynamodb._update_item({
            "TableName": TABLE, "Key": self._key(), "UpdateExpression": expression,
            "ExpressionAttributeNames": {"#t": "text"},
            **({"ExpressionAttributeValues": {":v": {"S": new}}} if ":v" in expression else {}),
        })  # fmt: skip

    def _batch(self) -> None:
        puts = {self._unique(item): item for item in (self._item() for _ in range(10))}
        requests = [{"PutRequest": {"Item": item}} for item in puts.values()]
        self.dynamodb._batch_write_item({"RequestItems": {TABLE: requests}})

    def _transaction(self) -> None:
        put, key = self._item(), self._key()
        actions = [{"Put": {"TableName": TABLE, "Item": put}}]
        if self._unique(put) != self._unique(key):
            actions.append({"Delete": {"TableName": TABLE, "Key": key}})
        self.dynamodb._transact_write_items({"TransactItems": actions})

    def _expire(self) -> None:
        """Remove an item as the sweeper of expired items does."""
        key = self._key()
        table = self.dynamodb._tables[TABLE]
        self.dynamodb._remove_item(table, key["PK"]["S"], key["SK"]["S"])

    def _failing_partiql(self) -> None:
        """Have ministack roll back: it swaps all items for those of before."""
        statements = [
            {"Statement": f"INSERT INTO {TABLE} VALUE {{'PK': 'a', 'SK': 'new', 'ip': 'a'}}"},
            {"Statement": f"INSERT INTO {TABLE} VALUE {{'PK': 'a', 'SK': 'new', 'ip': 'b'}}"},
        ]
        self.dynamodb._execute_transaction({"TransactStatements": statements})

    def _unique(self, item: dict[str, Any]) -> str:
        return f"{item['PK']['S']} {item['SK']['S']}"

    def _query(self) -> dict[str, Any]:
        chance = self.chance
        late = ["late"] if len(self.report) and self._has_late() else []
        index = chance.choice(
            ["by_text", "by_number", "keys_only", "hash_only", "local", *late, ""]
        )
        hash_name, range_name = _names(index)
        kind = "N" if range_name == "number" else "S"
        pool = NUMBERS if kind == "N" else [*SORTS, "c", "a#", ""]
        values = {":p": {"S": chance.choice([*PARTITIONS, "absent"])}}
        values |= {name: {kind: chance.choice(pool)} for name in (":v", ":w")}
        condition = self._condition(hash_name, range_name)
        query = {
            "TableName": TABLE,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": {"#r": range_name} if "#r" in condition else {},
            "ExpressionAttributeValues": {k: v for k, v in values.items() if k in condition},
            "ScanIndexForward": chance.random() < 0.5,
            "ReturnConsumedCapacity": "INDEXES",
            **({"IndexName": index} if index else {}),
            **self._options(),
        }
        if not query["ExpressionAttributeNames"]:
            del query["ExpressionAttributeNames"]
        return query

    def _has_late(self) -> bool:
        return any(
            index["IndexName"] == "late"
            for index in self.dynamodb._tables[TABLE]["GlobalSecondaryIndexes"]
        )

    def _condition(self, hash_name: str, range_name: str | None) -> str:
        hash_condition = self.chance.choice([f"{hash_name} = :p", f":p = {hash_name}"])
        if not range_name or self.chance.random() < 0.3:
            return hash_condition
        ranged = self.chance.choice([
            "#r = :v", "#r < :v", "#r <= :v", "#r > :v", "#r >= :v", ":v < #r", ":v >= #r",
            "#r BETWEEN :v AND :w", "#r between :v and :w", "begins_with(#r, :v)",
            "begins_with (#r, :v)", "contains(#r, :v)", "#r <> :v",
        ])  # fmt: skip
        parts = [hash_condition, ranged]
        self.chance.shuffle(parts)
        joined = " AND ".join(parts)
        return self.chance.choice([joined, joined, f"({joined})", f"({parts[0]}) AND ({parts[1]})"])

    def _options(self) -> dict[str, Any]:
        chance = self.chance
        options: dict[str, Any] = {}
        if chance.random() < 0.6:
            options["Limit"] = chance.choice([1, 2, 3, 7, 1000, 0])
        if chance.random() < 0.15:
            options["FilterExpression"] = chance.choice(["attribute_exists(size)", "size(SK) > :"])
        if chance.random() < 0.2:
            options["Select"] = chance.choice(["COUNT", "ALL_ATTRIBUTES", "NONSENSE"])
        elif chance.random() < 0.2:
            options["ProjectionExpression"] = "PK, SK"
        if chance.random() < 0.1:
            options["ExclusiveStartKey"] = self._key()
        return options


def _names(index: str) -> tuple[str, str | None]:
    return {
        "": ("PK", "SK"),
        "local": ("PK", "number"),
        "by_text": ("ip", "text"),
        "keys_only": ("ip", "text"),
        "by_number": ("ip", "number"),
        "hash_only": ("ip", None),
        "late": ("ip", "SK"),
    }[index]


def _index(name: str, hash_name: str, range_name: str | None, projection: str = "ALL") -> Any:
    schema = _key_schema(hash_name, range_name)
    return {
        "IndexName": name,
        "KeySchema": schema,
        "Projection": {"ProjectionType": projection},
    }


def _key_schema(hash_name: str, range_name: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_name, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_name, "KeyType": "RANGE"}] if range_name else keys


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))  # noqa: T201 - its answer
