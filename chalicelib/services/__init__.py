"""The use cases: one module per noun, one function per verb; read, decide, write."""

from chalicelib import lazy

__getattr__ = lazy.modules(__name__)
