/** The trace of a caller's request is sent to Entra with the calls that the request causes. */
import { beforeAll, beforeEach, expect, test } from "vitest";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import type { Outbound, OutboundRequest } from "../../shared/outbound/outbound.ts";
import { useWorld } from "../support/use-world.ts";
import { tracedCaller } from "./support/traced-call.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

const { world } = useWorld();
let sent: OutboundRequest[];
let token: string;
const real = createHttpsOutbound();
const outbound: Outbound = {
  send(request) {
    sent.push(request);
    return real.send(request);
  },
};
beforeAll(() => {
  token = world.tenant.state.mintUserToken({ user: "alice", client: "web" });
});
beforeEach(() => {
  sent = [];
});

const toEntra = (path: string) =>
  sent.filter(({ url }) => new URL(url).pathname.endsWith(path)).map(({ headers }) => headers ?? {});

test.each(["01", "00"])(
  "the token request and the key request to Entra have the trace of the caller and the service's own span, sampled flag %s",
  async (flags) => {
    const lines: string[] = [];
    const call = tracedCaller(world.serve({ surroundings: { outbound } }).service, (line) => lines.push(line));

    expect(await call(token, { traceParent: `00-${TRACE}-${SPAN}-${flags}` })).toBe(200);

    const [keys, ...moreKeys] = toEntra("/discovery/v2.0/keys");
    const [posted, ...morePosted] = toEntra("/oauth2/v2.0/token");
    expect([...moreKeys, ...morePosted]).toEqual([]);
    const traceparent = new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-${flags}$`);
    expect(posted?.["traceparent"]).toMatch(traceparent);
    expect(keys?.["traceparent"]).toBe(posted?.["traceparent"]);
    const [url = ""] = sent.map((request) => request.url).filter((each) => each.includes("/token"));
    const event = lines.map((line) => JSON.parse(line)).find((line) => line.event === "exchange");
    expect(event).toMatchObject({ traceId: TRACE, correlationId: new URL(url).searchParams.get("client-request-id") });
    expect(posted).not.toHaveProperty("tracestate");
  },
);

test("each call to Entra has another span, and a cache hit makes no call", async () => {
  const call = tracedCaller(world.serve({ surroundings: { outbound } }).service);
  const traceParent = `00-${TRACE}-${SPAN}-01`;
  const tokens = ["alice", "bob"].map((user) => world.tenant.state.mintUserToken({ user, client: "web" }));
  for (const each of [...tokens, ...tokens]) {
    expect(await call(each, { traceParent })).toBe(200);
  }
  const spans = toEntra("/oauth2/v2.0/token").map((headers) => headers["traceparent"]);
  expect(spans).toHaveLength(2);
  expect(new Set(spans).size).toBe(2);
});

test.each([undefined, "", "nonsense", `00-${"0".repeat(32)}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01\r\nx: y`])(
  "no trace is sent to Entra for the invalid traceparent %j",
  async (traceParent) => {
    const lines: string[] = [];
    const call = tracedCaller(world.serve({ surroundings: { outbound } }).service, (line) => lines.push(line));
    expect(await call(token, traceParent === undefined ? {} : { traceParent })).toBe(200);
    for (const headers of [...toEntra("/oauth2/v2.0/token"), ...toEntra("/discovery/v2.0/keys")]) {
      expect(headers).not.toHaveProperty("traceparent");
    }
    expect(lines.join()).not.toContain("traceId");
  },
);

test("the key request of any route has the trace of the caller, except that of the readiness check", async () => {
  const call = tracedCaller(world.serve({ surroundings: { outbound } }).service);
  expect(await call(token, { route: "validate", params: {}, traceParent: `00-${TRACE}-${SPAN}-01` })).toBe(200);
  expect(toEntra("/discovery/v2.0/keys")).toEqual([
    expect.objectContaining({ traceparent: expect.stringContaining(TRACE) }),
  ]);

  sent = [];
  const probe = tracedCaller(world.serve({ surroundings: { outbound } }).service);
  expect(await probe(token, { route: "ready", params: {}, traceParent: `00-${TRACE}-${SPAN}-01` })).toBe(200);
  expect(toEntra("/discovery/v2.0/keys")).toEqual([{ accept: "application/json" }]);
});
