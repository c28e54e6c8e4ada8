/**
 * Call Dormouse's API from a function of yours, under the rules that its rights open.
 *
 * One file to copy into a function's package: no dependencies, Node 20 or later.
 *
 *     import { api } from "./api.mjs";
 *
 *     export async function handler(event, context) {
 *       const pb = api(context);
 *       const page = await pb.get("/api/collections/posts/records", { filter: "slug = ''" });
 *       for (const post of page.items) {
 *         await pb.patch(`/api/collections/posts/records/${post.id}`, { slug: "..." });
 *       }
 *       await pb.post("/api/collections/reports/records", { title: "Nightly" },
 *         { pdf: new File([bytes], "nightly.pdf", { type: "application/pdf" }) });
 *     }
 *
 * Each call of a function brings the API's URL and a short-lived token of the function's own
 * account (collection `_functions`). An answer over 399 throws an `ApiError` with `status`, `body`
 * and `data`. Busy answers (429, 503) are tried again a few times while the function has time left,
 * not if the answer says that a write may have been made already; a broken connection is tried again for GET
 * alone. Outside a function set DORMOUSE_URL and DORMOUSE_TOKEN.
 */

const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
const TIMEOUT_MS = 60000;
const RESERVE_MS = 1000;
const MAY_HAVE_WRITTEN = "check before trying again";

export class ApiError extends Error {
  constructor(status, body) {
    super(`${status}: ${body?.message || "the API refused"}`);
    this.name = "ApiError";
    this.status = status;
    this.body = body;
    this.data = body?.data ?? {};
  }
}

/** The API as the function that got this `context` may use it. */
export function api(context = undefined, { url = "", token = "" } = {}) {
  const custom = context?.clientContext?.custom ?? context?.clientContext?.Custom ?? {};
  const base = (url || custom.dormouse_url || process.env.DORMOUSE_URL || "").replace(/\/+$/, "");
  const secret = token || custom.dormouse_token || process.env.DORMOUSE_TOKEN || "";
  if (!base) throw new Error("where is the API? Neither the context nor DORMOUSE_URL says it");
  const leftMs = context?.getRemainingTimeInMillis?.() ?? Infinity;
  const until = performance.now() + leftMs - RESERVE_MS;
  const request = (method, path, body, files, query) =>
    requested({ base, secret, until }, method, path, body, files, query);
  return {
    url: base,
    token: secret,
    request,
    get: (path, query) => request("GET", path, undefined, undefined, query),
    post: (path, body, files) => request("POST", path, body, files),
    patch: (path, body, files) => request("PATCH", path, body, files),
    put: (path, body, files) => request("PUT", path, body, files),
    delete: (path) => request("DELETE", path),
  };
}

async function requested(to, method, path, body, files, query) {
  const target = to.base + path + (query ? `?${new URLSearchParams(query)}` : "");
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempt = 1; ; attempt += 1) {
    const { value, refusal, afterMs } = await attempted(to, method, target, body, files);
    if (!refusal) return value;
    const waitMs = Math.max(pauseMs * (0.5 + Math.random() / 2), afterMs ?? -1);
    const isLast = afterMs === undefined || attempt === MAX_ATTEMPTS;
    if (isLast || waitMs >= to.until - performance.now()) throw refusal;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    pauseMs = Math.min(pauseMs * 3, MAX_PAUSE_MS);
  }
}

/** The answer, or why there is none; `afterMs` only if it is worth another attempt. */
async function attempted(to, method, target, body, files) {
  const timeoutMs = Math.min(Math.max(to.until - performance.now(), 100), TIMEOUT_MS);
  let response;
  try {
    response = await fetch(target, {
      method,
      ...contentOf(to.secret, body, files),
      signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
    });
  } catch (error) {
    const isUnsent = error.cause?.code === "ECONNREFUSED" || method === "GET";
    return { refusal: error, afterMs: isUnsent ? 0 : undefined };
  }
  const value = await parsed(response);
  if (response.ok) return { value };
  const refusal = new ApiError(response.status, value);
  const isBusy = [429, 503].includes(response.status) && !refusal.message.includes(MAY_HAVE_WRITTEN);
  const afterMs = 1000 * (Number.parseInt(response.headers.get("retry-after"), 10) || 0);
  return { refusal, afterMs: isBusy ? afterMs : undefined };
}

function contentOf(secret, body, files) {
  const headers = secret ? { Authorization: secret } : {};
  if (files) {
    const form = new FormData();
    if (body !== undefined) form.append("@jsonPayload", JSON.stringify(body));
    for (const [field, given] of Object.entries(files)) {
      for (const file of [given].flat()) form.append(field, file);
    }
    return { headers, body: form };
  }
  if (body === undefined) return { headers };
  return { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** JSON as its value, nothing as null, anything else (a file) as an ArrayBuffer. */
async function parsed(response) {
  const content = await response.arrayBuffer();
  if (content.byteLength === 0) return null;
  if (!response.headers.get("content-type")?.startsWith("application/json")) return content;
  return JSON.parse(new TextDecoder().decode(content));
}
