// Uploads a file with the official tus client, going on after every failure.
// Usage: node upload.mjs ENDPOINT TOKEN FILE CHUNK_BYTES [PARALLEL]; prints the upload's URL as
// soon as there is one, and exits with 0 when the file is there.
import fs from 'node:fs'
import * as tus from 'tus-js-client'

const [endpoint, token, path, chunkBytes, parallel] = process.argv.slice(2)

const upload = new tus.Upload(fs.createReadStream(path), {
  endpoint,
  chunkSize: Number(chunkBytes),
  parallelUploads: Number(parallel ?? 1),
  headers: { Authorization: token },
  metadata: { filename: 'big file.bin', filetype: 'application/octet-stream' },
  retryDelays: Array(60).fill(500),
  onError: (error) => {
    console.error(String(error))
    process.exit(1)
  },
  onUploadUrlAvailable: () => console.log(upload.url),
  onSuccess: () => parallel && console.log(upload.url),
})
upload.start()
