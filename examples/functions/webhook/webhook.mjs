// Takes a webhook whose sender signs the body with a shared secret, as GitHub does: the header
// X-Hub-Signature-256 is "sha256=" and the HMAC of the body in hexadecimal.

import { createHmac, timingSafeEqual } from "node:crypto";

export const handler = async (event) => {
  // The signature is of the bytes as they were sent: check it before anything reads them.
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!isSigned(body, header(event, "x-hub-signature-256"))) {
    console.log("refused: the signature does not fit");
    return answer(401, { error: "The signature does not fit." });
  }
  const message = parsed(body);
  if (message === undefined) return answer(400, { error: "The body is no JSON." });
  console.log(`accepted ${body.length} bytes`);
  return answer(200, { received: Object.keys(message ?? {}) });
};

const isSigned = (body, given) => {
  const wanted = "sha256=" + createHmac("sha256", secret()).update(body).digest("hex");
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  // A comparison that stops at the first difference would tell how much of a guess is right.
  return a.length === b.length && timingSafeEqual(a, b);
};

const secret = () => {
  const value = process.env.WEBHOOK_SECRET;
  // An empty key would make a signature that anybody can compute.
  if (!value) throw new Error("The secret WEBHOOK_SECRET is not set.");
  return value;
};

const header = (event, name) => {
  const found = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found ? String(found[1]) : "";
};

const parsed = (body) => {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
};

const answer = (statusCode, value) => ({
  statusCode,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(value),
});
