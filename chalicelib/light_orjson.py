"""orjson without the modules it drags in: `from chalicelib.light_orjson import orjson`.

When imported, orjson looks up `dataclasses` and `uuid`, to know their instances again. Those
bring inspect, ast and tokenize: 20 ms of an 80 ms cold start, for types that no document of
ours holds. So empty modules stand in for the two while orjson is imported, and are gone
afterwards. orjson is one module wherever it is imported, so this has to be its first import
in the process. The one difference: `orjson.dumps` refuses a UUID (a TypeError).

tests/integration/test_light_orjson.py holds orjson to this; the version is pinned.
"""

import sys
from types import ModuleType

_LOOKED_UP = {"dataclasses": "_FIELD", "uuid": "UUID"}


def _stand_in(name: str, attribute: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, attribute, type(attribute, (), {}))
    return module


_stand_ins = {
    name: _stand_in(name, attribute)
    for name, attribute in _LOOKED_UP.items()
    if name not in sys.modules
}
sys.modules.update(_stand_ins)
try:
    import orjson as orjson
finally:
    for _name in _stand_ins:
        del sys.modules[_name]
