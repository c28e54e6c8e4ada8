"""Lazy packages: a floor's modules are words at the call site, imported when first used.

`services/__init__.py` says `__getattr__ = lazy.modules(__name__)`; then
`from chalicelib import services` costs nothing and `services.records` imports that module
alone (PEP 562). That is what keeps a cold start short.
"""

import importlib
from collections.abc import Callable
from types import ModuleType


def modules(package: str) -> Callable[[str], ModuleType]:
    """Return a package's `__getattr__`, which imports its submodules on first use."""

    def getattr_(name: str) -> ModuleType:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return importlib.import_module(f"{package}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.{name}":
                raise
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None

    return getattr_
