"""The table: one module per kind of item; `keys` has every key on one page."""

from typing import TYPE_CHECKING

from chalicelib import lazy

if TYPE_CHECKING:
    from chalicelib.store import caps as caps
    from chalicelib.store import changes as changes
    from chalicelib.store import collections as collections
    from chalicelib.store import dead_letters as dead_letters
    from chalicelib.store import dropped as dropped
    from chalicelib.store import files as files
    from chalicelib.store import function_code as function_code
    from chalicelib.store import functions as functions
    from chalicelib.store import guards as guards
    from chalicelib.store import index_filling as index_filling
    from chalicelib.store import invocations as invocations
    from chalicelib.store import keys as keys
    from chalicelib.store import leaving as leaving
    from chalicelib.store import queues as queues
    from chalicelib.store import records as records
    from chalicelib.store import related as related
    from chalicelib.store import schema as schema
    from chalicelib.store import settings as settings
    from chalicelib.store import sweeps as sweeps
    from chalicelib.store import table as table
    from chalicelib.store import uniques as uniques
    from chalicelib.store import uploads as uploads
    from chalicelib.store import usage as usage

__getattr__ = lazy.modules(__name__)
