/** The Event Grid topic of the local tenant answers a publisher as Event Grid does. */
import { expect, test } from "vitest";
import { useTenant } from "../../support/use-tenant.ts";

const tenant = useTenant();

const BATCH = "application/cloudevents-batch+json; charset=utf-8";
const EVENT = { specversion: "1.0", id: "1", source: "https://gte.example", type: "t", subject: "s", data: {} };

/** The token of the service's identity. */
async function identityToken(resource = "https://eventgrid.azure.net"): Promise<string> {
  const { endpoint, header } = tenant.state.identity;
  const url = `${endpoint}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`;
  const answer = await fetch(url, { headers: { "x-identity-header": header } });
  return String(Object(await answer.json())["access_token"]);
}

interface Publication {
  readonly token?: string;
  readonly contentType?: string;
  readonly version?: string;
  readonly body?: unknown;
}

async function publish(publication: Publication = {}): Promise<number> {
  const { token = await identityToken(), contentType = BATCH, version = "2018-01-01", body = [EVENT] } = publication;
  const answer = await fetch(`${tenant.state.topicEvents().endpoint}?api-version=${version}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": contentType },
    body: JSON.stringify(body),
  });
  return answer.status;
}

test("accepts a batch of CloudEvents, and one CloudEvent, from an identity with the role", async () => {
  const before = tenant.state.topicEvents().events.length;
  expect(await publish()).toBe(200);
  expect(await publish({ contentType: "application/cloudevents+json", body: EVENT })).toBe(200);
  expect(tenant.state.topicEvents().events.slice(before)).toEqual([EVENT, EVENT]);
});

test.each<[string, number, () => Promise<Publication>]>([
  ["without a valid token", 401, async () => ({ token: "none" })],
  ["with a token for another resource", 401, async () => ({ token: await identityToken("https://vault.azure.net") })],
  ["of another version", 400, async () => ({ version: "2099-01-01" })],
  ["of another content type", 400, async () => ({ contentType: "application/json" })],
  ["of one event as a batch", 400, async () => ({ body: EVENT })],
  ["of an event without a subject", 400, async () => ({ body: [{ ...EVENT, subject: undefined }] })],
  [
    "of an event with an attribute that CloudEvents forbids",
    400,
    async () => ({ body: [{ ...EVENT, signIn_Url: "x" }] }),
  ],
  ["of more than 1 MB", 413, async () => ({ body: [{ ...EVENT, data: "x".repeat(1024 * 1024) }] })],
])("refuses a publication %s", async (_what, status, publication) => {
  const before = tenant.state.topicEvents().events.length;
  expect(await publish(await publication())).toBe(status);
  expect(tenant.state.topicEvents().events).toHaveLength(before);
});

test("refuses an identity without the role", async () => {
  tenant.state.setTopicSender({ sends: false });
  expect(await publish()).toBe(403);
  tenant.state.setTopicSender({ sends: true });
  expect(await publish()).toBe(200);
});
