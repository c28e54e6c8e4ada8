"""The world outside: one module per AWS service, each naming its IAM actions."""

from chalicelib import lazy

__getattr__ = lazy.modules(__name__)
