/** `$batch` through the relay: each inner request is decided like a request of its own, and written again. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { bearer, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";
import { relaySettings } from "./support/relay-policy.ts";

const { world, service, restart } = useWorld();

beforeEach(() => restart({ settings: relaySettings(world.tenant.url) }));

const PATH = "/DownstreamApi/graph/v1.0/$batch";
const inner = (more: Record<string, unknown> = {}) => ({ id: "1", method: "GET", url: "/me", ...more });

function send(body: unknown, path = PATH, contentType = "application/json") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { ...bearer(userToken(world)), "content-type": contentType };
  return service.call(path, { method: "POST", headers, body: text });
}

/** The bodies that reached Graph. A scripted answer keeps the batch from running. */
async function sentFor(body: unknown): Promise<unknown> {
  world.tenant.state.order({ endpoint: "graph", status: 200, body: { responses: [] } });
  const answer = await send(body);
  expect(answer.text).toBe('{"responses":[]}');
  return world.tenant.state.log.entries({ endpoint: "graph" }).at(-1)?.body;
}

test("every inner request is answered", async () => {
  const answer = await send({ requests: [inner(), inner({ id: "2", url: "me/messages?$top=1" })] });
  const responses = answer.json()["responses"] as { status: number; body: Record<string, unknown> }[];
  expect(responses.map(({ status }) => status)).toEqual([200, 200]);
  expect(responses[1]?.body["@odata.nextLink"]).toMatch(
    /^http:\/\/localhost:7071\/DownstreamApi\/graph\/v1\.0\/me\/messages\?/,
  );
  expect(service.lastEvent()).toMatchObject({ relayRule: "/v1.0/$batch", relayBatch: 2, relayMethod: "POST" });
});

test("the batch is written again: rule's spelling, allowed headers, exact numbers", async () => {
  const text =
    '{"requests":[{"id":"1","method":"PATCH","url":"/ME/Messages/A%41","headers":{"Authorization":"Bearer x","Content-Type":"application/json","IF-Match":"*","X-HTTP-Method":"DELETE"},"body":{"n":12345678901234567890.10,"__proto__":1},"dependsOn":["0"]}]}';
  expect(await sentFor(text)).toBe(
    '{"requests":[{"id":"1","method":"PATCH","url":"/me/messages/AA","headers":{"content-type":"application/json","if-match":"*"},"body":{"n":12345678901234567890.10,"__proto__":1},"dependsOn":["0"]}]}',
  );
});

test.each(["application/json; charset=UTF-8", 'application/json; charset="utf-8"', "text/plain"])(
  "sent as %s it reaches the API as JSON",
  async (contentType) => {
    world.tenant.state.order({ endpoint: "graph", status: 200, body: { responses: [] } });
    await send({ requests: [inner()] }, PATH, contentType);
    const headers = world.tenant.state.log.entries({ endpoint: "graph" }).at(-1)?.headers;
    expect(headers?.["content-type"]).toBe("application/json");
  },
);

test.each(["application/json; charset=utf-7", "application/json;charset=utf-16", "text/plain; charset = utf-80"])(
  "sent as %s it is refused",
  async (contentType) => {
    const answer = await send({ requests: [inner()] }, PATH, contentType);
    expect(answer.json()).toMatchObject({ status: 400, code: "batch_invalid" });
    expect(world.tenant.state.log.entries({ endpoint: "graph" })).toEqual([]);
  },
);

describe("a batch is refused", () => {
  const many = Array.from({ length: 21 }, (_, index) => inner({ id: String(index) }));
  test.each<[string, unknown, number, string]>([
    ["that is not JSON", "{", 400, "batch_invalid"],
    ["without requests", { requests: [] }, 400, "batch_invalid"],
    ["with 21 requests", { requests: many }, 400, "batch_invalid"],
    ["with a further member", { requests: [inner()], Requests: [] }, 400, "batch_invalid"],
    [
      "with an inner path without a rule",
      { requests: [inner(), inner({ id: "2", url: "/users" })] },
      403,
      "downstream_not_allowed",
    ],
    ["with an inner method without a rule", { requests: [inner({ method: "DELETE" })] }, 403, "downstream_not_allowed"],
    ["with an absolute inner URL", { requests: [inner({ url: "https://evil.example/me" })] }, 400, "batch_invalid"],
    [
      "with the URL of the API itself",
      { requests: [inner({ url: "https://graph.microsoft.com/v1.0/me" })] },
      400,
      "batch_invalid",
    ],
    ["with a URL without scheme", { requests: [inner({ url: "//evil.example/me" })] }, 400, "batch_invalid"],
    ["with a dot segment", { requests: [inner({ url: "/me/../users" })] }, 400, "batch_invalid"],
    ["with an encoded dot segment", { requests: [inner({ url: "/me/%2e%2e/users" })] }, 400, "batch_invalid"],
    ["with the version in front", { requests: [inner({ url: "/v1.0/me" })] }, 403, "downstream_not_allowed"],
    ["with another version", { requests: [inner({ url: "/../beta/me" })] }, 400, "batch_invalid"],
    ["inside a batch", { requests: [inner({ method: "POST", url: "/$batch" })] }, 400, "batch_invalid"],
    [
      "inside a batch, in another case",
      { requests: [inner({ method: "POST", url: "/%24BATCH" })] },
      400,
      "batch_invalid",
    ],
    ["with a method in lower case", { requests: [inner({ method: "get" })] }, 400, "batch_invalid"],
    ["with a second url in another case", { requests: [inner({ URL: "/users" })] }, 400, "batch_invalid"],
    ["with a repeated id", { requests: [inner(), inner()] }, 400, "batch_invalid"],
    ["with an id that is a number", { requests: [inner({ id: 1 })] }, 400, "batch_invalid"],
    [
      "with a control character in a header",
      { requests: [inner({ headers: { Prefer: "a\u0001b" } })] },
      400,
      "batch_invalid",
    ],
    ["with a list as url", { requests: [inner({ url: ["/me"] })] }, 400, "batch_invalid"],
    [
      "nested too deeply",
      `{"requests":[{"id":"1","method":"GET","url":"/me","body":${"[".repeat(200_000)}${"]".repeat(200_000)}}]}`,
      400,
      "batch_invalid",
    ],
    [
      "with millions of values in a body",
      `{"requests":[{"id":"1","method":"GET","url":"/me","body":[${"0,".repeat(2_600_000)}0]}]}`,
      400,
      "batch_invalid",
    ],
  ])("%s", async (_name, body, status, code) => {
    const answer = await send(body);
    expect([answer.status, answer.json()["code"]]).toEqual([status, code]);
    expect(world.tenant.state.log.entries({ endpoint: "graph" })).toEqual([]);
  });

  test("with a repeated member: the last one is decided and sent", async () => {
    const text = '{"requests":[{"id":"1","method":"GET","url":"/users","url":"/me"}]}';
    expect(await sentFor(text)).toBe('{"requests":[{"id":"1","method":"GET","url":"/me"}]}');
  });

  test("where no rule writes it, even below a wildcard", async () => {
    restart({ settings: relaySettings(world.tenant.url, [{ methods: ["GET", "POST"], path: "/v1.0/**" }]) });
    for (const path of [PATH, "/DownstreamApi/graph/v1.0/%24BATCH", "/DownstreamApi/graph/v1.0/me/$batch"]) {
      expect((await send({ requests: [inner()] }, path)).json()).toMatchObject({ code: "downstream_not_allowed" });
    }
  });
});

test("a redirect inside a batch is not passed on", async () => {
  world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
  const answer = await send({ requests: [inner({ url: "/me/drive/items/1/content" }), inner({ id: "2" })] });
  expect(answer.text).not.toContain("tempauth");
  const responses = answer.json()["responses"] as { status: number; body: { error?: { code: string } } }[];
  expect(responses.map(({ status }) => status)).toEqual([502, 200]);
  expect(responses[0]?.body.error?.code).toBe("downstream_redirect");
});

describe("a response is scanned, not parsed", () => {
  async function answerOf(text: string) {
    const headers = { "Content-Type": "application/json" };
    world.tenant.state.order({ endpoint: "graph", status: 200, headers, body: text });
    return send({ requests: [inner()] });
  }

  test("the values of an inner body are no values of the service", async () => {
    const redirect = '{"id":"2","status":302,"headers":{"Location":"https://evil.example"}}';
    const values = `[${"0,".repeat(400_000)}12345678901234567890]`;
    const parse = vi.spyOn(JSON, "parse");
    const answer = await answerOf(`{"responses":[{"id":"1","status":200,"body":${values}},${redirect}]}`);
    const longest = Math.max(...parse.mock.calls.map(([text]) => String(text).length));
    parse.mockRestore();
    expect(answer.text).toContain("12345678901234567890");
    expect(answer.text).toContain('{"id":"2","status":502,');
    expect(longest).toBeLessThan(100_000);
  });

  test("inner headers are those of a response of its own: no Location of another host, no cookie", async () => {
    const headers = (location: string) => ({ "Content-Type": "a/b", LOCATION: location, "Set-Cookie": "a=b" });
    const responses = ["https://evil.example/x", `${world.tenant.url}/v1.0/me`].map((location, index) => ({
      id: String(index),
      status: 201,
      headers: headers(location),
    }));
    expect((await answerOf(JSON.stringify({ responses }))).json()["responses"]).toEqual([
      { id: "0", status: 201, headers: { "Content-Type": "a/b" } },
      {
        id: "1",
        status: 201,
        headers: { "Content-Type": "a/b", Location: "http://localhost:7071/DownstreamApi/graph/v1.0/me" },
      },
    ]);
  });

  test.each([
    ["more responses than a batch can have", `{"responses":[${"{},".repeat(21)}{}]}`],
    ["no JSON", '{"responses":[{"status":302'],
  ])("%s", async (_name, text) => {
    expect((await answerOf(text)).json()).toMatchObject({ status: 502, code: "downstream_redirect" });
  });
});
