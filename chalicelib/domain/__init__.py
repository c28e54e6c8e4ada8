"""The rules of the product: pure functions and small values, standard library only.

No clock, no random source, no environment and no I/O in here, except where a function says
so in its first line. On the record road a value is a NamedTuple or a class with `__slots__`:
importing `dataclasses` costs 9 ms of a cold start and each frozen dataclass 1.7 ms
(docs/adr/0001-no-dataclass-on-the-record-road.md).
"""
