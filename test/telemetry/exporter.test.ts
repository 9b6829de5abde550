/** The service with telemetry on and an OTLP endpoint on loopback. */
import { once } from "node:events";
import { createServer } from "node:net";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLoopbackOutbound } from "../../shared/outbound/loopback-outbound.ts";
import { CODES } from "../../shared/telemetry/codes.ts";
import { createOpenTelemetry } from "../../shared/telemetry/open-telemetry.ts";
import { createOtlpSender } from "../../shared/telemetry/otlp-sender.ts";
import type { Observation } from "../../shared/telemetry/telemetry.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { labels, type OtlpReceiver, points, startOtlpReceiver } from "./support/otlp-receiver.ts";
import { tracedCaller } from "./support/traced-call.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const SAMPLED = { traceParent: `00-${TRACE}-${SPAN}-01` };
const NOT_SAMPLED = { traceParent: `00-${TRACE}-${SPAN}-00` };

const { world } = useWorld();
let receiver: OtlpReceiver;
let token: string;
let running: ServiceUnderTest[];
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  token = world.tenant.state.mintUserToken({ user: "alice", client: "web" });
});
beforeEach(() => {
  running = [];
  receiver.clear();
  receiver.status = 200;
  receiver.silent = false;
});
afterEach(async () => void (await Promise.all(running.map(stop))));
afterAll(() => receiver.close());

function serve(settings: Record<string, string> = {}): ServiceUnderTest {
  const served = world.serve({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...settings } });
  running.push(served);
  return served;
}

function stop(served: ServiceUnderTest): Promise<void> | undefined {
  running = running.filter((other) => other !== served);
  return served.service.telemetry?.stop();
}

describe("a failing OTLP endpoint does not affect requests", () => {
  test("if it refuses connections", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    const served = serve({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    const call = tracedCaller(served.service);
    for (let index = 0; index < 20; index++) {
      expect(await call(token, SAMPLED)).toBe(200);
    }
    await stop(served);
    expect(served.service.operatorLog.drain()).toContainEqual(
      expect.objectContaining({ event: "telemetry", name: "export_failed", reason: "network" }),
    );
    expect(await call(token, SAMPLED)).toBe(200);
  });

  test.each([401, 429, 500])("if it answers %d, which is logged once", async (status) => {
    receiver.status = status;
    const served = serve();
    expect(await tracedCaller(served.service)(token, SAMPLED)).toBe(200);
    await stop(served);
    expect(receiver.exports.length).toBeGreaterThan(0);
    const logged = served.service.operatorLog.drain().filter(({ event }) => event === "telemetry");
    expect(logged).toEqual([expect.objectContaining({ name: "export_failed", reason: `status_${status}` })]);
  });

  test("if it never answers, and the service stops within the deadline", async () => {
    receiver.silent = true;
    const served = serve();
    expect(await tracedCaller(served.service)(token, SAMPLED)).toBe(200);
    const begun = performance.now();
    await stop(served);
    expect(performance.now() - begun).toBeLessThan(4_000);
    receiver.silent = false;
  });
});

test("metrics have the documented names and units, and count each audit event once", async () => {
  const expires = Math.floor(Date.now() / 1_000) + 30 * 86_400;
  const { value } = world.tenant.state.rotateSecret({ inVault: false });
  world.tenant.state.setSecret({ name: "ending-secret", value, expires });
  const served = serve({ CLIENT_SECRET_NAME: "ending-secret" });
  const call = tracedCaller(served.service);
  expect(await call(token, SAMPLED)).toBe(200);
  expect(await call(token, NOT_SAMPLED)).toBe(200);
  expect(await call("nonsense", {})).toBe(401);
  await stop(served);

  const metrics = receiver.metrics();
  expect(metrics.map(({ name, unit }) => `${name} ${unit}`).sort()).toEqual([
    "gte.credential.days_to_expiry d",
    "gte.exchange.duration s",
    "gte.exchanges {exchange}",
    "gte.token_cache.entries {token}",
    "gte.token_cache.size By",
  ]);
  const exchanges = points(metrics, "gte.exchanges").map(({ attributes, asInt, asDouble }) => ({
    ...labels(attributes),
    count: Number(asInt ?? asDouble),
  }));
  const route = { "gte.route": "authorization-header" };
  const known = { ...route, "gte.flow": "on-behalf-of", "gte.api": "graph", "gte.registration": "default" };
  const issued = { ...known, "gte.outcome": "issued", "gte.code": "ok", count: 1 };
  expect(exchanges).toHaveLength(3);
  expect(exchanges).toContainEqual({ ...issued, "gte.cache": "miss" });
  expect(exchanges).toContainEqual({ ...issued, "gte.cache": "hit" });
  expect(exchanges).toContainEqual({
    ...route,
    "gte.flow": "on-behalf-of",
    "gte.api": "none",
    "gte.registration": "none",
    "gte.outcome": "refused",
    "gte.code": "caller_refused",
    "gte.cache": "none",
    count: 1,
  });
  const durations = points(metrics, "gte.exchange.duration");
  expect(durations.map(({ count }) => Number(count))).toEqual([1, 1, 1]);
  expect(durations[0]?.explicitBounds).toContain(0.25);
  expect(points(metrics, "gte.token_cache.entries")).toMatchObject([{ asInt: 1 }]);
  expect(Number(points(metrics, "gte.token_cache.size")[0]?.asInt)).toBeGreaterThan(1_000);
  const [credential, ...others] = points(metrics, "gte.credential.days_to_expiry");
  expect(others).toEqual([]);
  expect(labels(credential?.attributes ?? [])).toEqual({ "gte.registration": "default" });
  expect(credential?.asDouble).toBeCloseTo(30, 1);
  // 2: cumulative, so that the next export replaces a lost one.
  expect(metrics.find(({ name }) => name === "gte.exchanges")?.sum?.aggregationTemporality).toBe(2);
  expect(receiver.resources()[0]).toEqual({
    "service.name": "graph-token-exchange",
    "service.instance.id": expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

describe("spans", () => {
  test("are written once for each exchange, as children of the caller's span", async () => {
    const served = serve({ OTEL_SERVICE_NAME: "tokens-contoso" });
    await tracedCaller(served.service)(token, SAMPLED);
    await stop(served);

    const [span, ...more] = receiver.spans();
    expect(more).toEqual([]);
    expect(span).toMatchObject({
      name: "exchange authorization-header",
      traceId: TRACE,
      parentSpanId: SPAN,
      kind: 1,
      status: { code: 0 },
    });
    expect(labels(span?.attributes ?? [])).toEqual({
      "gte.route": "authorization-header",
      "gte.flow": "on-behalf-of",
      "gte.api": "graph",
      "gte.registration": "default",
      "gte.outcome": "issued",
      "gte.code": "ok",
      "gte.cache": "miss",
    });
    expect(BigInt(span?.endTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(BigInt(span?.startTimeUnixNano ?? 1));
    expect(receiver.resources().at(-1)).toMatchObject({ "service.name": "tokens-contoso" });
  });

  test.each([
    ["parentbased_always_on", "1", { unsampled: 0, root: 1 }],
    ["parentbased_always_off", "1", { unsampled: 0, root: 0 }],
    ["parentbased_traceidratio", "0", { unsampled: 0, root: 0 }],
    ["traceidratio", "1", { unsampled: 1, root: 1 }],
    ["traceidratio", "0", { unsampled: 0, root: 0 }],
    ["always_on", "1", { unsampled: 1, root: 1 }],
    ["always_off", "1", { unsampled: 0, root: 0 }],
  ])("follow the sampler %s with ratio %s: %j", async (sampler, ratio, { unsampled, root }) => {
    const served = serve({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio });
    const call = tracedCaller(served.service);
    await call(token, NOT_SAMPLED);
    await call(token, {});
    await stop(served);
    const spans = receiver.spans();
    expect(spans.filter(({ traceId }) => traceId === TRACE)).toHaveLength(unsampled);
    expect(spans.filter(({ traceId }) => traceId !== TRACE)).toHaveLength(root);
    // Metrics count both requests, sampled or not.
    const counts = points(receiver.metrics(), "gte.exchanges").map(({ asInt, asDouble }) => Number(asInt ?? asDouble));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  });
});

test("gauges are exported without any request", async () => {
  const served = serve();
  served.service.telemetry?.start();
  await stop(served);
  expect(receiver.metrics().map(({ name }) => name)).toContain("gte.token_cache.entries");
});

test("exports have the headers from the vault, which are not logged", async () => {
  world.tenant.state.setSecret({ name: "otlp-headers", value: "x-api-key=k%3D1" });
  const served = serve({ OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: "otlp-headers" });
  await tracedCaller(served.service)(token, SAMPLED);
  await stop(served);
  expect(receiver.exports.length).toBe(2);
  for (const { headers } of receiver.exports) {
    expect(headers).toMatchObject({ "x-api-key": "k=1", "content-type": "application/json" });
  }
  expect(world.logs.join("\n")).not.toContain("k=1");
});

test("property: exports contain no label outside its closed set and no identifier", async () => {
  const recorder = createOpenTelemetry({
    config: {
      endpoint: receiver.url,
      serviceName: "s",
      headersSecretName: undefined,
      sampler: "always_on",
      samplerRatio: 1,
    },
    instanceId: "i",
    names: () => ({ apis: ["graph"], registrations: ["default"] }),
    sender: createOtlpSender({
      endpoint: receiver.url,
      headers: undefined,
      outbound: createLoopbackOutbound(),
      onChange: () => undefined,
    }),
    gauges: { credentials: async () => [], tokenCache: () => ({ entries: 0, bytes: 0 }) },
  });
  const text = fc.oneof(fc.string(), fc.uuid(), fc.constantFrom(...CODES, "graph", "hit", "issued", "__proto__"));
  const facts = fc.record({
    outcome: text,
    code: text,
    flow: text,
    api: text,
    registration: text,
    cache: text,
    callerObjectId: fc.constant("secret-oid"),
    callerClientId: fc.constant("secret-azp"),
    correlationId: fc.constant("secret-correlation"),
  });
  const random = fc.sample(facts, 500);
  for (const fact of random) {
    recorder.record("token", { ...fact, startedMs: 1_000, endedMs: 1_001, trace: undefined } as unknown as Observation);
  }
  await recorder.stop();

  const closed = new Set<unknown>([
    ...CODES,
    ...["token", "graph", "default", "none", "other"],
    ...["issued", "answered", "refused", "failed"],
    ...["hit", "joined", "miss", "bypass", "shared"],
    ...["on-behalf-of", "refresh-token", "authorization-code", "client-credentials"],
  ]);
  const spans = receiver.spans();
  expect(spans).toHaveLength(random.length);
  const attributes = [...spans, ...points(receiver.metrics(), "gte.exchanges")].flatMap((each) => each.attributes);
  expect(attributes.length).toBeGreaterThan(random.length);
  const outside = attributes.filter(({ value }) => !closed.has(value.stringValue));
  expect(outside).toEqual([]);
  expect(receiver.exports.map(({ body }) => body).join()).not.toContain("secret-");
});

test("the outbound client without TLS refuses another host than this machine", () => {
  const request = { method: "GET", deadlineMs: 1, maxBytes: 1 } as const;
  expect(() => createLoopbackOutbound().send({ ...request, url: "http://example.com/" })).toThrow(TypeError);
});
