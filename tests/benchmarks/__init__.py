"""What Dormouse costs, beside what it could cost at least. `make bench` measures.

Ratios of one run are what counts: a machine's speed drifts, and wall times are noisy, so the
columns are CPU time. `peers/` holds the yardsticks: the same three operations without a
framework, on the standard library (`bare_floor`) and on boto3 (`bare_boto3`).
"""
