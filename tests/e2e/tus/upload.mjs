// Uploads a file with the official tus client, going on after every failure.
// Usage: node upload.mjs ENDPOINT TOKEN FILE CHUNK_BYTES [PARALLEL]; prints the upload's URL.
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
  onSuccess: () => console.log(upload.url),
})
upload.start()
