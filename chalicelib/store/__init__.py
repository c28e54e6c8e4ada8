"""The table: one module per kind of item; `keys` has every key on one page."""

from chalicelib import lazy

__getattr__ = lazy.modules(__name__)
