"""Uploads a file with tuspy, going on after every failure; prints the upload's URL.

python upload.py ENDPOINT TOKEN FILE CHUNK_BYTES
"""

import sys
import time

from tusclient import client
from tusclient.exceptions import TusCommunicationError


def main() -> None:
    endpoint, token, path, chunk_bytes = sys.argv[1:5]
    uploader = client.TusClient(endpoint, headers={"Authorization": token}).uploader(
        path,
        chunk_size=int(chunk_bytes),
        metadata={"filename": "big file.bin"},
        retries=200,
        retry_delay=1,
    )
    for _ in range(200):
        try:
            uploader.upload()
        except TusCommunicationError:  # it does not repeat a creation itself
            time.sleep(0.5)
        else:
            print(uploader.url)  # noqa: T201 - its caller reads it
            return


if __name__ == "__main__":
    main()
