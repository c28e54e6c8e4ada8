"""The local AWS: ministack, pinned, bound to 127.0.0.1, with the cures that Dormouse needs.

ministack forgets everything at a kill, reads O(partition) for a query, reports constant read
capacity and rounds arithmetic to 28 digits. Each module here cures one of these by replacing
private names of ministack, so `emulator` refuses any version but the one they were written for.

    python -m tools.local_aws --port 4566 --state-dir .local/aws
"""
