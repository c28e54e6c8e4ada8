"""How much memory a worker and the processes it started hold, from /proc; 0 where there is none.

Resident memory, because Node reserves gigabytes that it never touches. It counts pages of shared
libraries too, which Lambda's figure does not; Python begins at some 20 MB, Node at some 45.
"""

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def tree_bytes(pid: int) -> int:
    """Return what the process and its descendants hold now."""
    return sum(map(_resident_bytes, tree(pid)))


def tree(pid: int) -> list[int]:
    """Return the process and its descendants."""
    found = [pid]
    for each in found:  # which grows meanwhile
        found += _children(each)
    return found


def peak_bytes(pid: int) -> int:
    """Return the most that the process alone ever held."""
    try:
        status = _PROC.joinpath(str(pid), "status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "")
    return int(line.split()[1]) * 1024 if line else 0


def machine_bytes() -> int:
    """Return the memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES


def _resident_bytes(pid: int) -> int:
    try:
        return int(_PROC.joinpath(str(pid), "statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found
