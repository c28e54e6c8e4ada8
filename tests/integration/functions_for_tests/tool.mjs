/** A function for tests/integration/test_fn.py, in Node: writes a record back. */

import { ApiError, api } from "./api.mjs";

export async function handler(event, context) {
  const pb = api(context);
  try {
    const path = "/api/collections/notes/records";
    const files = { attachment: new File(["content"], "é.txt", { type: "text/plain" }) };
    const made = await pb.post(path, JSON.parse(event.body), files);
    const seen = await pb.get(path, { filter: `id = "${made.id}"` });
    const changed = await pb.patch(`${path}/${made.id}`, { title: `${seen.items[0].title}!` });
    const gone = await pb.delete(`${path}/${made.id}`);
    return { ...changed, gone };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { statusCode: error.status, body: JSON.stringify({ told: error.data }) };
  }
}
