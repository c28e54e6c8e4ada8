"""Each case runs in its own process, because what counts is the first import of orjson."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_orjson_comes_without_the_modules_it_looks_up() -> None:
    program = """
import sys
from chalicelib.light_orjson import orjson
print([name for name in ("dataclasses", "inspect", "ast", "uuid") if name in sys.modules])
"""
    assert python(program) == "[]"


def test_the_modules_it_looked_up_can_be_imported_afterwards() -> None:
    program = """
from chalicelib.light_orjson import orjson
import dataclasses, uuid
Point = dataclasses.make_dataclass("Point", ["x"])
print(Point(1), uuid.UUID(int=0), orjson.dumps(Point(1)).decode())
"""
    assert python(program) == 'Point(x=1) 00000000-0000-0000-0000-000000000000 {"x":1}'


def test_modules_that_are_there_stay_as_they_are() -> None:
    program = """
import sys, uuid
from chalicelib.light_orjson import orjson
print(sys.modules["uuid"] is uuid, orjson.dumps(uuid.UUID(int=0)).decode())
"""
    assert python(program) == 'True "00000000-0000-0000-0000-000000000000"'


def test_documents_are_read_and_written_as_ever() -> None:
    program = """
from chalicelib.light_orjson import orjson
document = {"text": "ü ☃ \\u0000", "n": [0, -1, 2**63, 1.5, 1e300], "no": None, "yes": True, "": {}}
try:
    orjson.dumps(object())
except TypeError as error:
    print(orjson.loads(orjson.dumps(document)) == document, error)
"""
    assert python(program) == "True Type is not JSON serializable: object"
