"""Uploads a file with tuspy, going on after every failure; prints the upload's URL at once.

python upload.py ENDPOINT TOKEN FILE CHUNK_BYTES
"""

import sys

from tusclient import client


def main() -> None:
    endpoint, token, path, chunk_bytes = sys.argv[1:5]
    uploader = client.TusClient(endpoint, headers={"Authorization": token}).uploader(
        path,
        chunk_size=int(chunk_bytes),
        metadata={"filename": "big file.bin"},
        retries=200,
        retry_delay=1,
    )
    uploader.set_url(uploader.create_url())
    print(uploader.url, flush=True)  # noqa: T201 - its caller reads it
    uploader.upload()


if __name__ == "__main__":
    main()
