"""Price sheets: one module per provider and region, with a dated sheet for each change.

    prices.sheet("us-east-1", date(2026, 11, 23)).gb_second_x86

To add a region, add a module like `aws_us_east_1` and name it in `_REGIONS`. A sheet is never
changed when prices are: a later one joins it, so that an old call keeps its price.
"""

from datetime import date

from chalicelib.domain.prices import aws_us_east_1
from chalicelib.domain.prices.sheet import Sheet

DEFAULT_REGION = "us-east-1"

_REGIONS = {DEFAULT_REGION: aws_us_east_1.SHEETS}


def sheet(region: str, on: date) -> Sheet:
    """Return the prices that held in a region on a day.

    Without a sheet for the region or the day the nearest one is returned: the default region's,
    the oldest. Its `note` says so.
    """
    sheets = _REGIONS.get(region) or _REGIONS[DEFAULT_REGION]
    known = [each for each in sheets if each.date <= on]
    found = known[-1] if known else sheets[0]
    notes = []
    if found.region != region:
        notes.append(f"No sheet for {region}: these are the prices of {found.region}.")
    if not known:
        notes.append(f"No sheet for {on.isoformat()}: this is the oldest there is.")
    return found._replace(note=" ".join(notes))
