"""`dormouse/api.py` and `dormouse/api.mjs` against a server that is busy, moves or goes away."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest

from chalicelib.aws.retries import OutcomeUnknownError
from dormouse import api as module
from dormouse.api import ApiError, api
from tests.integration.running import ROOT, free_port

IN_DOUBT = OutcomeUnknownError().body()


class Handler(BaseHTTPRequestHandler):
    """Answers as its path says: /busy/<status>/<times>, /doubt, /moved?to=, anything else."""

    seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append((self.command, self.path, headers, body))
        path, _, query = self.path.partition("?")
        what = path.split("/")[1:]
        if what[0] == "busy" and len([each for each in self.seen if each[1] == self.path]) <= int(
            what[2]
        ):
            self._send(int(what[1]), {"message": "Busy."}, {"Retry-After": "0"})
        elif what[0] == "doubt":
            self._send(503, IN_DOUBT, {})
        elif what[0] == "moved":
            self._send(307, None, {"Location": parse_qs(query)["to"][0]})
        elif what[0] == "bytes":
            self._send(200, b"\x00\x01", {"Content-Type": "image/png"})
        elif what[0] == "nothing":
            self._send(204, None, {})
        elif what[0] == "refused":
            self._send(400, {"message": "No.", "data": {"title": {"code": "x"}}}, {})
        else:
            self._send(200, {"path": self.path, "body": body.decode("latin-1")}, {})

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 (the base's names)

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, str], bytes]]:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
    Handler.seen.clear()
    return Handler.seen


class Context:
    """Lambda's, as far as it matters."""

    def __init__(self, custom: dict[str, str] | None, seconds_left: float = 30) -> None:
        self.client_context = type("ClientContext", (), {"custom": custom})() if custom else None
        self.seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


def called(server: str, seconds_left: float = 30) -> module.Api:
    return api(Context({"dormouse_url": server + "/", "dormouse_token": "tkn"}, seconds_left))


def test_a_call_carries_the_functions_token(server: str, seen: Any) -> None:
    answer = called(server).get("/api/x", {"filter": "a = 'é'", "page": 2})
    assert answer["path"] == "/api/x?filter=a+%3D+%27%C3%A9%27&page=2"
    ((method, _, headers, body),) = seen
    assert (method, headers["authorization"], body) == ("GET", "tkn", b"")
    assert "content-type" not in headers


def test_bodies_and_answers_are_json_bytes_or_nothing(server: str, seen: Any) -> None:
    pb = called(server)
    assert pb.post("/x", {"é": 1})["body"] == '{"\\u00e9": 1}'
    assert pb.patch("/x", [])["body"] == "[]"
    assert pb.put("/x")["body"] == ""
    assert pb.get("/bytes") == b"\x00\x01"
    assert pb.delete("/nothing") is None  # type: ignore[func-returns-value]
    assert [each[0] for each in seen] == ["POST", "PATCH", "PUT", "GET", "DELETE"]


def test_files_go_as_a_form_beside_the_body(server: str, seen: Any) -> None:
    files: module.Files = {
        "a": ('x"\r\n.txt', b"\x00\xff"),
        "b": [("1.png", b"1", "image/png"), ("2", b"2")],
    }
    called(server).post("/x", {"t": "é"}, files)
    ((_, _, headers, body),) = seen
    boundary = headers["content-type"].partition("boundary=")[2].encode()
    parts = body.split(b"--" + boundary)
    assert (parts[0], parts[-1], len(parts)) == (b"", b"--\r\n", 6)
    assert b'name="@jsonPayload"' in parts[1]
    assert b'filename="x%22%0D%0A.txt"' in parts[2]
    assert parts[2].endswith(b"\r\n\r\n\x00\xff\r\n")
    assert b"Content-Type: image/png" in parts[3]


def test_a_refusal_raises_with_what_the_api_said(server: str, seen: Any) -> None:
    with pytest.raises(ApiError, match="400: No") as caught:
        called(server).post("/refused", {})
    assert (caught.value.status, caught.value.data) == (400, {"title": {"code": "x"}})
    assert len(seen) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_busy_answer_is_tried_again(server: str, seen: Any, status: int, method: str) -> None:
    answer = called(server).request(method, f"/busy/{status}/3")
    assert answer["path"] == f"/busy/{status}/3"
    assert len(seen) == 4


def test_after_five_attempts_it_is_told(server: str, seen: Any) -> None:
    with pytest.raises(ApiError, match="503: Busy"):
        called(server).get("/busy/503/9")
    assert len(seen) == module.MAX_ATTEMPTS


def test_what_may_have_been_written_is_not_written_again(server: str, seen: Any) -> None:
    with pytest.raises(ApiError, match="503"):
        called(server).post("/doubt", {})
    assert len(seen) == 1


def test_nothing_is_tried_again_when_the_function_is_about_to_end(server: str, seen: Any) -> None:
    began = time.monotonic()
    with pytest.raises(ApiError, match="503: Busy"):
        called(server, seconds_left=1.0).get("/busy/503/9")
    assert len(seen) == 1
    assert time.monotonic() - began < 1


def test_a_refused_connection_is_tried_again_and_then_told() -> None:
    with pytest.raises(OSError, match="refused"):
        called(f"http://127.0.0.1:{free_port()}").post("/x", {})


def test_a_link_elsewhere_is_followed_without_the_token(server: str, seen: Any) -> None:
    there = server.replace("127.0.0.1", "localhost")
    assert called(server).get(f"/moved?to={there}/bytes") == b"\x00\x01"
    assert called(server).get("/moved?to=/bytes") == b"\x00\x01"
    tokens = [each[2].get("authorization") for each in seen]
    assert tokens == ["tkn", None, "tkn", "tkn"]


def test_outside_a_function_the_environment_says_where(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DORMOUSE_URL", raising=False)
    with pytest.raises(ValueError, match="DORMOUSE_URL"):
        api(Context(None))
    monkeypatch.setenv("DORMOUSE_URL", server)
    assert api().get("/x")["path"] == "/x"


NODE = """
import { ApiError, api } from "./dormouse/api.mjs";
const custom = { dormouse_url: process.argv[1] + "/", dormouse_token: "tkn" };
const pb = api({ clientContext: { custom }, getRemainingTimeInMillis: () => 30000 });
const refused = async (wake) => {
  try {
    await wake();
  } catch (error) {
    return [error instanceof ApiError, error.status ?? error.name, error.data ?? null];
  }
};
const late = api({ clientContext: { custom }, getRemainingTimeInMillis: () => 1000 });
console.log(JSON.stringify({
  got: (await pb.get("/api/x", { filter: "a = 'é'", page: 2 })).path,
  posted: (await pb.post("/x", { a: 1 })).body,
  bytes: [...new Uint8Array(await pb.get("/bytes"))],
  nothing: await pb.delete("/nothing"),
  busy: (await pb.post("/busy/429/2", {})).path,
  refused: await refused(() => pb.post("/refused", {})),
  doubt: await refused(() => pb.post("/doubt", {})),
  late: await refused(() => late.get("/busy/503/9")),
  gone: await refused(() => api(undefined, { url: "http://127.0.0.1:1" }).post("/x", {})),
  nowhere: await refused(async () => api({})),
}));
"""


def test_the_node_helper_does_the_same(server: str, seen: Any) -> None:
    command = ["node", "--input-type=module", "-e", NODE, server]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "got": "/api/x?filter=a+%3D+%27%C3%A9%27&page=2",
        "posted": '{"a":1}',
        "bytes": [0, 1],
        "nothing": None,
        "busy": "/busy/429/2",
        "refused": [True, 400, {"title": {"code": "x"}}],
        "doubt": [True, 503, {}],
        "late": [True, 503, {}],
        "gone": [False, "TypeError", None],
        "nowhere": [False, "Error", None],
    }
    assert [each[1] for each in seen].count("/doubt") == 1
    assert {each[2].get("authorization") for each in seen} == {"tkn"}
