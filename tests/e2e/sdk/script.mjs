// The unchanged official SDK against a server: what a front-end developer does.
//
//     node script.mjs http://127.0.0.1:8000 EMAIL PASSWORD
//
// Runs on PocketBase and on Dormouse alike; the first failure ends it with its step's name.

import assert from "node:assert/strict";
import PocketBase, { ClientResponseError } from "pocketbase";

const [url, email, password] = process.argv.slice(2);
const MANY = 2500;
const PER_BATCH = 100;
const admin = new PocketBase(url);
admin.autoCancellation(false);

const steps = [];
const step = (name, run) => steps.push([name, run]);

async function refused(promise, status) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ClientResponseError, String(error));
    assert.equal(error.status, status, JSON.stringify(error.response));
    return error;
  }
  throw new assert.AssertionError({ message: `not refused with ${status}` });
}

step("health", async () => {
  const health = await admin.health.check();
  assert.equal(health.code, 200);
});

step("a superuser signs in", async () => {
  const auth = await admin.collection("_superusers").authWithPassword(email, password);
  assert.equal(auth.record.email, email);
  assert.ok(admin.authStore.isValid);
  assert.ok(admin.authStore.isSuperuser);
});

step("a wrong password is refused", async () => {
  const client = new PocketBase(url);
  const error = await refused(client.collection("_superusers").authWithPassword(email, "wrong-one"), 400);
  assert.equal(error.response.message, "Failed to authenticate.");
  assert.deepEqual(error.response.data, {});
});

step("settings allow batches", async () => {
  const settings = await admin.settings.update({ batch: { enabled: true, maxRequests: PER_BATCH, timeout: 30 } });
  assert.equal(settings.batch.enabled, true);
  assert.equal((await admin.settings.getAll()).batch.maxRequests, PER_BATCH);
});

step("collections are created", async () => {
  const members = await admin.collections.create({
    name: "members", type: "auth", listRule: "", viewRule: "", createRule: "",
    updateRule: "id = @request.auth.id", deleteRule: "id = @request.auth.id",
    fields: [{ name: "name", type: "text" }],
  });
  assert.ok(members.id.startsWith("pbc_"));
  const own = "@request.auth.id != '' && owner = @request.auth.id";
  await admin.collections.create({
    name: "posts", type: "base", listRule: "public = true || owner = @request.auth.id",
    viewRule: "public = true || owner = @request.auth.id", createRule: own, updateRule: own, deleteRule: own,
    fields: [
      { name: "title", type: "text", required: true, max: 100 },
      { name: "body", type: "editor" },
      { name: "views", type: "number" },
      { name: "public", type: "bool" },
      { name: "tags", type: "select", values: ["a", "b", "c"], maxSelect: 3 },
      { name: "meta", type: "json" },
      { name: "at", type: "date" },
      { name: "place", type: "geoPoint" },
      { name: "owner", type: "relation", collectionId: members.id, cascadeDelete: true },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
    indexes: ["CREATE INDEX idx_posts_views ON posts (views)"],
  });
  const posts = await admin.collections.getOne("posts");
  await admin.collections.create({
    name: "comments", type: "base", listRule: "", viewRule: "", createRule: "@request.auth.id != ''",
    fields: [
      { name: "text", type: "text" },
      { name: "post", type: "relation", collectionId: posts.id, cascadeDelete: true },
      { name: "authors", type: "relation", collectionId: members.id, maxSelect: 5 },
    ],
  });
  await admin.collections.create({ name: "many", type: "base", listRule: "", fields: [{ name: "n", type: "number" }] });
});

step("collections are listed, changed and imported", async () => {
  const all = await admin.collections.getFullList({ filter: 'name = "posts" || name = "comments"', sort: "name" });
  assert.deepEqual(all.map((one) => one.name), ["comments", "posts"]);
  const changed = await admin.collections.update("comments", { deleteRule: "" });
  assert.equal(changed.deleteRule, "");
  await admin.collections.import([{ name: "imported", type: "base", fields: [{ name: "x", type: "text" }] }]);
  const imported = await admin.collections.getOne("imported");
  assert.ok(imported.fields.some((field) => field.name === "x"));
  await admin.collections.delete("imported");
  await refused(admin.collections.getOne("imported"), 404);
  const scaffolds = await admin.collections.getScaffolds();
  assert.ok(scaffolds.base && scaffolds.auth);
});

const ann = new PocketBase(url);
const bob = new PocketBase(url);
const guest = new PocketBase(url);
for (const client of [ann, bob, guest]) client.autoCancellation(false);
const secret = { password: "12345678", passwordConfirm: "12345678" };

step("people sign up and sign in", async () => {
  await ann.collection("members").create({ email: "ann@example.com", name: "Ann", ...secret });
  await bob.collection("members").create({ email: "bob@example.com", name: "Bob", emailVisibility: true, ...secret });
  const auth = await ann.collection("members").authWithPassword("ann@example.com", "12345678");
  assert.equal(auth.record.email, "ann@example.com");
  await bob.collection("members").authWithPassword("bob@example.com", "12345678");
  assert.equal(bob.authStore.record.name, "Bob");
  assert.equal(bob.authStore.isSuperuser, false);
});

step("auth methods", async () => {
  const methods = await guest.collection("members").listAuthMethods();
  assert.deepEqual(methods.password, { enabled: true, identityFields: ["email"] });
  assert.equal(methods.mfa.enabled, false);
});

step("e-mails are shown to those who may see them", async () => {
  const annId = ann.authStore.record.id;
  assert.equal((await guest.collection("members").getOne(annId)).email, undefined);
  assert.equal((await ann.collection("members").getOne(annId)).email, "ann@example.com");
  assert.equal((await guest.collection("members").getOne(bob.authStore.record.id)).email, "bob@example.com");
});

let post;
step("a record is created, viewed, changed", async () => {
  post = await ann.collection("posts").create({
    title: "Hello", body: "<p>Hi</p>", views: 1, public: true, tags: ["a", "b"], meta: { deep: [1, null, "x"] },
    at: new Date("2024-01-02T03:04:05.678Z"), place: { lon: 10, lat: 50 }, owner: ann.authStore.record.id,
  });
  assert.equal(post.collectionName, "posts");
  assert.deepEqual(post.tags, ["a", "b"]);
  assert.deepEqual(post.meta, { deep: [1, null, "x"] });
  assert.equal(post.at, "2024-01-02 03:04:05.678Z");
  assert.match(post.created, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/);
  const changed = await ann.collection("posts").update(post.id, { "views+": 5, "tags+": "c", "tags-": "a" });
  assert.equal(changed.views, 6);
  assert.deepEqual(changed.tags, ["b", "c"]);
  assert.ok(changed.updated >= post.updated);
  const seen = await guest.collection("posts").getOne(post.id);
  assert.equal(seen.title, "Hello");
});

step("rules keep others out", async () => {
  await refused(bob.collection("posts").update(post.id, { title: "Mine" }), 404);
  await refused(guest.collection("posts").delete(post.id), 404);
  await refused(guest.collection("posts").create({ title: "x" }), 400);
  const hidden = await ann.collection("posts").create({ title: "Secret", owner: ann.authStore.record.id });
  await refused(bob.collection("posts").getOne(hidden.id), 404);
  assert.equal((await bob.collection("posts").getList()).totalItems, 1);
  assert.equal((await ann.collection("posts").getList()).totalItems, 2);
  await refused(guest.collection("nope").getList(), 404);
  await refused(guest.collection("_superusers").getList(), 403);
});

step("a bad record says what is wrong", async () => {
  const error = await refused(ann.collection("posts").create({ owner: ann.authStore.record.id, tags: ["z"] }), 400);
  assert.equal(error.response.data.title.code, "validation_required");
  assert.equal(error.response.data.tags.code, "validation_invalid_value");
  assert.equal(error.response.status, 400);
  assert.ok(error.url.includes("/api/collections/posts/records"));
  assert.equal(error.isAbort, false);
});

step("the filter helper quotes", async () => {
  const title = "it's \"quoted\" \\ back && x = 1";
  const made = await ann.collection("posts").create({ title, public: true, views: 7, owner: ann.authStore.record.id, at: "2024-06-01" });
  const filter = guest.filter("title = {:title} && views > {:views} && at >= {:at} && public = {:yes}", {
    title, views: 6.5, at: new Date("2024-05-31T00:00:00Z"), yes: true,
  });
  assert.equal((await guest.collection("posts").getFirstListItem(filter)).id, made.id);
  const error = await refused(guest.collection("posts").getFirstListItem('title = "nobody"'), 404);
  assert.equal(error.response.message, "The requested resource wasn't found.");
  await refused(guest.collection("posts").getList(1, 10, { filter: "title =" }), 400);
});

step("lists sort, page and pick fields", async () => {
  const page = await ann.collection("posts").getList(1, 2, { sort: "-views,title", fields: "title,views" });
  assert.deepEqual(page.items.map((one) => one.views), [7, 6]);
  assert.deepEqual(Object.keys(page.items[0]).sort(), ["title", "views"]);
  assert.equal(page.totalItems, 3);
  assert.equal(page.totalPages, 2);
  const skipped = await ann.collection("posts").getList(1, 2, { skipTotal: true });
  assert.equal(skipped.totalItems, -1);
});

step("relations expand, both ways", async () => {
  const authors = [bob.authStore.record.id, ann.authStore.record.id];
  const comment = await bob.collection("comments").create({ text: "First!", post: post.id, authors }, { expand: "post.owner,authors" });
  assert.equal(comment.expand.post.expand.owner.name, "Ann");
  assert.deepEqual(comment.expand.authors.map((one) => one.name), ["Bob", "Ann"]);
  const seen = await guest.collection("posts").getOne(post.id, { expand: "comments_via_post,owner" });
  assert.equal(seen.expand.comments_via_post[0].text, "First!");
  assert.equal(seen.expand.owner.email, undefined);
  const found = await guest.collection("posts").getList(1, 5, { filter: 'comments_via_post.authors.name ?= "Bob"' });
  assert.deepEqual(found.items.map((one) => one.id), [post.id]);
});

step("multipart without files", async () => {
  const body = new FormData();
  body.append("title", "Form");
  body.append("public", "true");
  body.append("views", "12.5");
  body.append("tags", "a");
  body.append("tags", "c");
  body.append("@jsonPayload", JSON.stringify({ meta: { from: "form" }, owner: ann.authStore.record.id }));
  const made = await ann.collection("posts").create(body);
  assert.deepEqual([made.title, made.public, made.views, made.tags, made.meta], ["Form", true, 12.5, ["a", "c"], { from: "form" }]);
  await ann.collection("posts").delete(made.id);
});

step("files are uploaded, served, kept, removed", async () => {
  await admin.collections.create({
    name: "albums", type: "base", listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "",
    fields: [
      { name: "title", type: "text" },
      { name: "cover", type: "file", maxSelect: 1, thumbs: ["4x0"] },
      { name: "pages", type: "file", maxSelect: 5 },
      { name: "diary", type: "file", maxSelect: 1, protected: true },
    ],
  });
  const albums = guest.collection("albums");
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const cover = new File([Buffer.from(pixel, "base64")], "My Cover.png", { type: "image/png" });
  const page = (text) => new File([text], `page ${text}.txt`, { type: "text/plain" });
  const made = await albums.create({ title: "Summer", cover, pages: [page("one"), page("two")] });
  assert.match(made.cover, /^my_cover_[a-z0-9]{10}\.png$/);
  assert.equal(made.pages.length, 2);
  const text = async (record, name, query) => {
    const answer = await fetch(guest.files.getURL(record, name, query));
    return [answer.status, answer.status === 200 ? await answer.text() : "", answer.headers];
  };
  assert.deepEqual((await text(made, made.pages[1])).slice(0, 2), [200, "two"]);
  const thumb = (await text(made, made.cover, { thumb: "4x0" }))[2];
  assert.equal(thumb.get("content-type"), "image/png");
  assert.match((await text(made, made.cover, { download: true }))[2].get("content-disposition"), /^attachment/);

  const longer = await albums.update(made.id, { "pages+": [page("three")], "pages-": [made.pages[0]] });
  assert.deepEqual(longer.pages.slice(0, 1), [made.pages[1]]);
  assert.equal((await text(longer, made.pages[0]))[0], 404);
  assert.equal((await text(longer, longer.pages[1]))[1], "three");

  const batch = guest.createBatch();
  batch.collection("albums").update(made.id, { pages: [longer.pages[0], page("four")], cover: null });
  batch.collection("albums").create({ title: "Winter", pages: [page("five")] });
  const results = await batch.send();
  assert.equal(results[0].body.pages.length, 2);
  assert.equal(results[0].body.cover, "");
  assert.equal((await text(results[0].body, results[0].body.pages[1]))[1], "four");
  assert.equal((await text(results[1].body, results[1].body.pages[0]))[1], "five");

  const secret = await albums.update(made.id, { diary: page("secret") });
  await admin.collections.update("albums", { viewRule: "@request.auth.id != ''" });
  assert.equal((await text(secret, secret.diary))[0], 404);
  const token = await ann.files.getToken();
  assert.equal((await text(secret, secret.diary, { token }))[1], "secret");
  await admin.collections.delete("albums");
  assert.equal((await text(secret, secret.pages[0]))[0], 404);
});

step("a batch is done as one", async () => {
  const batch = ann.createBatch();
  const owner = ann.authStore.record.id;
  batch.collection("posts").create({ id: "batchedpost0001", title: "One", owner }, { expand: "owner" });
  batch.collection("posts").update("batchedpost0001", { "views+": 3 });
  batch.collection("posts").upsert({ id: "batchedpost0002", title: "Two", owner });
  batch.collection("posts").delete("batchedpost0002");
  const results = await batch.send();
  assert.deepEqual(results.map((one) => one.status), [200, 200, 200, 204]);
  assert.equal(results[0].body.expand.owner.name, "Ann");
  assert.equal(results[1].body.views, 3);
  assert.equal((await ann.collection("posts").getOne("batchedpost0001")).views, 3);
  await refused(ann.collection("posts").getOne("batchedpost0002"), 404);
});

step("a batch that fails leaves nothing", async () => {
  const batch = ann.createBatch();
  const owner = ann.authStore.record.id;
  batch.collection("posts").create({ id: "batchedpost0003", title: "Three", owner });
  batch.collection("posts").create({ owner });
  const error = await refused(batch.send(), 400);
  assert.equal(error.response.data.requests["1"].response.data.title.code, "validation_required");
  await refused(ann.collection("posts").getOne("batchedpost0003"), 404);
});

step(`getFullList over ${MANY} records`, async () => {
  for (let from = 0; from < MANY; from += PER_BATCH) {
    const batch = admin.createBatch();
    for (let n = from; n < from + PER_BATCH; n++) batch.collection("many").create({ n });
    await batch.send();
  }
  const all = await guest.collection("many").getFullList({ sort: "n" });
  assert.equal(all.length, MANY);
  assert.ok(all.every((one, index) => one.n === index));
  const small = await guest.collection("many").getFullList({ batch: 900, fields: "n" });
  assert.equal(new Set(small.map((one) => one.n)).size, MANY);
  const last = await guest.collection("many").getList(25, 100, { sort: "n" });
  assert.equal(last.totalItems, MANY);
  assert.equal(last.items[99].n, MANY - 1);
});

step("auth is refreshed", async () => {
  const auth = await ann.collection("members").authRefresh();
  assert.equal(auth.record.id, ann.authStore.record.id);
  assert.ok(ann.authStore.isValid);
  await refused(guest.collection("members").authRefresh(), 401);
});

step("a superuser impersonates", async () => {
  const client = await admin.collection("members").impersonate(bob.authStore.record.id, 600);
  assert.equal(client.authStore.record.name, "Bob");
  const made = await client.collection("comments").create({ text: "as Bob" });
  assert.equal(made.text, "as Bob");
  await refused(bob.collection("members").impersonate(ann.authStore.record.id, 600), 403);
});

step("a changed password ends old tokens", async () => {
  const id = bob.authStore.record.id;
  await bob.collection("members").update(id, { oldPassword: "12345678", password: "87654321", passwordConfirm: "87654321" });
  await refused(bob.collection("members").authRefresh(), 401);
  await bob.collection("members").authWithPassword("bob@example.com", "87654321");
  await bob.collection("members").authRefresh();
});

step("a repeated request cancels the first", async () => {
  const client = new PocketBase(url);
  const first = client.collection("many").getList(1, 500).then(
    () => "answered",
    (error) => (error.isAbort ? "cancelled" : String(error)),
  );
  const second = await client.collection("many").getList(1, 1);
  assert.equal(await first, "cancelled");
  assert.equal(second.items.length, 1);
});

step("a custom header and a query reach the server", async () => {
  const seen = await admin.send("/api/collections/many/records", {
    method: "GET", query: { perPage: 1, filter: "@request.headers.x_test = 'yes' && @request.query.mine = '1'", mine: 1 },
    headers: { "X-Test": "yes" },
  });
  assert.equal(seen.items.length, 1);
});

step("deleting cascades", async () => {
  const comments = await admin.collection("comments").getFullList({ filter: `post = "${post.id}"` });
  assert.equal(comments.length, 1);
  await ann.collection("members").delete(ann.authStore.record.id);
  await refused(admin.collection("posts").getOne(post.id), 404);
  await refused(admin.collection("comments").getOne(comments[0].id), 404);
  assert.equal((await admin.collection("posts").getFullList()).length, 0);
  await refused(ann.collection("members").authRefresh(), 401);
});

step("a collection is truncated and deleted", async () => {
  await admin.collections.truncate("many");
  assert.equal((await guest.collection("many").getList()).totalItems, 0);
  for (const name of ["comments", "posts", "many", "members"]) await admin.collections.delete(name);
});

for (const [name, run] of steps) {
  const from = performance.now();
  try {
    await run();
  } catch (error) {
    const details = error instanceof ClientResponseError ? JSON.stringify(error.response) : "";
    console.error(`FAILED ${name}: ${error.stack ?? error} ${details}`);
    process.exit(1);
  }
  console.log(`ok ${name} (${Math.round(performance.now() - from)} ms)`);
}
