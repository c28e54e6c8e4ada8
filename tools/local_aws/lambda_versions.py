"""What the local AWS must know of a function's version to run it, read from ministack's records."""

import base64
import hashlib
from typing import Any, NamedTuple

from ministack.services import lambda_svc

_Document = dict[str, Any]

MIB = 1024 * 1024


class Key(NamedTuple):
    """Which version of which function: its workers serve no other."""

    account: str
    region: str
    name: str
    version: str


class Version(NamedTuple):
    """A function's version: code and configuration."""

    key: Key
    fingerprint: tuple[str, str]
    """Changes with code and configuration."""
    code: bytes
    config: _Document

    @property
    def is_node(self) -> bool:
        return str(self.config["Runtime"]).startswith("nodejs")

    @property
    def memory_mb(self) -> int:
        return int(self.config.get("MemorySize") or 128)

    @property
    def timeout_seconds(self) -> int:
        return int(self.config.get("Timeout") or 3)

    @property
    def storage_bytes(self) -> int:
        return int((self.config.get("EphemeralStorage") or {}).get("Size") or 512) * MIB

    @property
    def is_snap_start(self) -> bool:
        is_on = (self.config.get("SnapStart") or {}).get("OptimizationStatus") == "On"
        return is_on and self.key.version != "$LATEST"

    @property
    def log_group(self) -> str:
        given = (self.config.get("LoggingConfig") or {}).get("LogGroup")
        return given or f"/aws/lambda/{self.key.name}"

    @property
    def variables(self) -> dict[str, str]:
        given = (self.config.get("Environment") or {}).get("Variables") or {}
        return {name: str(value) for name, value in given.items()}

    def code_sha256(self) -> str:
        given = base64.b64decode(self.fingerprint[0])
        return given.hex() if given else hashlib.sha256(self.code).hexdigest()

    def layers(self) -> list[bytes]:
        """Return the zips of its layers, the lowest first."""
        found = [lambda_svc._resolve_layer_zip(each) for each in self.config.get("Layers") or ()]
        return [each for each in found if each]


def of(function: _Document, config: _Document) -> Version:
    """Return what a record of ministack describes; `config` may name the alias that was called."""
    account, region = lambda_svc._account_region_from_function_config(config)
    key = Key(account, region, config["FunctionName"], config.get("Version") or "$LATEST")
    fingerprint = (config.get("CodeSha256") or "", config.get("RevisionId") or "")
    return Version(key, fingerprint, function.get("code_zip") or b"", config)
