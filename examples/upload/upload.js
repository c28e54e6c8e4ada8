// The page's behaviour: one upload at a time, its progress, and buttons that fit its state.

const CHUNK_BYTES = 4 * 1024 * 1024; // Lambda carries no more in one request
const RETRY_PAUSES_MS = [0, 500, 1000, 2000, 5000, 10000, 20000];

const part = Object.fromEntries(
  ["server", "token", "file", "start", "pause", "cancel", "bar", "said"].map((id) => [
    id,
    document.getElementById(id),
  ]),
);
let upload = null;

for (const name of ["server", "token"]) {
  part[name].value = sessionStorage.getItem(name) ?? part[name].value;
  part[name].addEventListener("change", () => sessionStorage.setItem(name, part[name].value));
}
part.file.addEventListener("change", greet);
part.start.addEventListener("click", start);
part.pause.addEventListener("click", pause);
part.cancel.addEventListener("click", cancel);

async function greet() {
  upload = null;
  const [earlier] = await prepared().findPreviousUploads();
  say(earlier ? "This file was begun earlier: it will go on where it was." : "Ready.");
}

async function start() {
  if (!part.file.files.length) return say("Choose a file first.");
  if (!upload) {
    upload = prepared();
    const [earlier] = await upload.findPreviousUploads();
    if (earlier) upload.resumeFromPreviousUpload(earlier);
  }
  upload.start();
  show({ running: true });
}

async function pause() {
  await upload.abort();
  show({ running: false });
  say("Paused. Start again, now or after a reload.");
}

async function cancel() {
  await upload.abort(true); // removes it on the server, too
  upload = null;
  part.bar.value = 0;
  show({ running: false });
  say("Removed.");
}

function prepared() {
  const file = part.file.files[0];
  return new tus.Upload(file, {
    endpoint: `${part.server.value.replace(/\/+$/, "")}/api/uploads`,
    headers: { Authorization: part.token.value },
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_PAUSES_MS,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type },
    onProgress: progress,
    onSuccess: finish,
    onError: fail,
  });
}

function progress(sent, total) {
  part.bar.value = total ? sent / total : 1;
  say(`${(sent / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`);
}

function finish() {
  const id = upload.url.split("/").pop();
  upload = null;
  part.bar.value = 1;
  show({ running: false });
  say(`Done. In a record: {"upload": "${id}"}`);
}

function fail(error) {
  show({ running: false });
  say(`Stopped: ${error.originalResponse?.getBody() || error.message}`);
}

function show({ running }) {
  part.start.disabled = running;
  part.pause.disabled = !running;
  part.cancel.disabled = !running && !upload;
}

function say(text) {
  part.said.textContent = text;
}
