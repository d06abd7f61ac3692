// Bodies that come drop by drop, of whatever kind: 408 after a minute, which a clock of the test's own makes pass.
import { afterAll, afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Elysia, t } from "elysia";
import { posted } from "../modules/admin/form.ts";
import { sendHalf } from "../testing/slow-clients.ts";
import { formBody } from "./bodies.ts";
import { errors } from "./errors.ts";
import { exactly, jsonBodies } from "./validation.ts";

let reading = 0;
/** What is asked for has come as far as its body. */
const arrives = () => {
  reading += 1;
};
const app = new Elysia()
  .use(errors(() => {}))
  .use(jsonBodies)
  .onRequest(arrives)
  .post("/json", ({ body }) => body, exactly(t.Object({ name: t.String() })))
  .post("/sign-in", ({ body }) => body, { parse: formBody, body: t.Object({ name: t.String() }) })
  .post("/form", async ({ request }) => (await posted(request)).fields, { parse: "none" })
  .listen({ port: 0, hostname: "127.0.0.1" });
beforeEach(() => {
  reading = 0;
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());
afterAll(() => app.stop(true));

/** Waits for what happens on sockets, which no clock of ours moves. */
async function happens(seen: () => boolean): Promise<void> {
  while (!seen()) await new Promise<void>((resolve) => setImmediate(resolve));
}

test.each([
  ["/json", "application/json", '{"name":"A"}'],
  ["/sign-in", "application/x-www-form-urlencoded", "name=A"],
  ["/form", "application/x-www-form-urlencoded", "%2Fname=A"],
])(
  "invariant 7: a body of %s that does not come is 408 after 60 s, and one that comes is taken",
  async (path, type, body) => {
    const socket = sendHalf(app.server?.port ?? 0, path, { type, body });
    await happens(() => reading === 1 && jest.getTimerCount() > 0);
    jest.advanceTimersByTime(59_000);
    expect(socket.heard).toBe("");
    jest.advanceTimersByTime(1_000);
    await happens(() => socket.heard.includes("\r\n\r\n"));
    expect(socket.heard).toStartWith("HTTP/1.1 408");
    expect(socket.heard).toContain("application/problem+json");
    socket.destroy();
    const init = { method: "POST", body, headers: { "content-type": type } };
    const taken = await fetch(`http://127.0.0.1:${app.server?.port}${path}`, init);
    expect([taken.status, await taken.text()]).toEqual([200, expect.stringContaining("A")]);
  },
);
