/**
 * The description of the API and the service agree: each example of docs/openapi.json is sent to the service, and the
 * answer has a documented status, media type and body. Objects of the description count as closed here, so that an
 * undocumented member fails.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { EXAMPLE } from "../../docs/reference/openapi/example-values.ts";
import type { Part } from "../../docs/reference/openapi/schema.ts";
import {
  apiDescription,
  type Described,
  type Operation,
  operationsOf,
  resolved,
} from "../docs/support/api-description.ts";
import { appToken, bearer, userToken } from "../support/callers.ts";
import type { Answer, Call } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();
const description = apiDescription();
const operations = operationsOf(description);
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "description", ...closed(description) });

interface Sent extends Described {
  /** Of the request body; empty: there is none. */
  readonly example: string;
  readonly mediaType: string;
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

const sent: Sent[] = operations.flatMap((described) => examplesOf(described));

/** Who sends an operation. Default: Alice. */
const CALLERS: Readonly<Record<string, () => Record<string, string>>> = {
  getApplicationHeader: () => application("reports"),
  createApplicationHeader: () => application("reports"),
  "requestToken tokenExchange": () => application("web"),
  "requestToken application": () => application("reports"),
  "requestToken onBehalfOf": () => ({}),
  createLink: () => application("daemon"),
  pushAuthorizationRequest: () => application("web"),
  explainPolicy: () => person("erin"),
  getReadiness: () => person("erin"),
  listManagedGrants: () => person("erin"),
  listRevocations: () => person("erin"),
  revokeAccess: () => person("erin"),
};

/** Requests whose documented answer is a refusal: they need a browser's session, or a rule that the policy has not. */
const REFUSED: Readonly<Record<string, number>> = {
  finishSignIn: 400,
  showConfirmation: 400,
  confirmGrant: 403,
  endMyAccess: 403,
};

/** Real values of this world for the placeholders of the examples. */
const values = new Map<string, string>();

beforeAll(async () => {
  const made = await service.call("/AuthorizationHeader/graph", {
    headers: person("alice"),
    json: { scopes: ["offline_access"] },
  });
  const linked = await service.call("/signin/links", {
    headers: application("daemon"),
    json: { api: "graph", expectedUser: "a11ce000-0000-4000-8000-000000000001" },
  });
  const pushed = await send(find("pushAuthorizationRequest"));
  values.set(EXAMPLE.userToken, userToken(world));
  values.set(EXAMPLE.handle, String(made.json()["grant"]));
  values.set(EXAMPLE.link, String(linked.json()["url"]).split("/signin/")[1] ?? "");
  values.set(EXAMPLE.requestUri, String(pushed.json()["request_uri"]));
});

describe("GET /openapi.json", () => {
  test("has the paths and schemas of docs/openapi.json", async () => {
    const served = (await service.call("/openapi.json")).json();
    expect(served["paths"]).toEqual(description["paths"]);
    expect(served["components"]).toMatchObject({ schemas: description.components["schemas"] });
  });

  test("has the addresses of this deployment, and none of the example's", async () => {
    const answer = await service.call("/openapi.json");
    const { config } = service.service;
    expect(answer.json()["servers"]).toEqual([{ url: config.serviceUrl }]);
    expect(answer.text).not.toContain("contoso.onmicrosoft.com");
    for (const { appIdUri } of config.registrations) {
      expect(answer.text).toContain(`"${appIdUri}/access_as_user"`);
      expect(answer.text).toContain(`"${appIdUri}/.default"`);
    }
    const authority = `${config.cloud.authorityHost}/${config.tenantId}/oauth2/v2.0`;
    expect(answer.text).toContain(`"${authority}/authorize"`);
    expect(answer.text).toContain(`"${authority}/token"`);
  });

  test("is public and may be cached, like the metadata", async () => {
    const before = service.events().length;
    const { headers, status } = await service.call("/openapi.json");
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("public, max-age=3600");
    expect(service.events()).toHaveLength(before);
  });
});

describe("each example gets a documented answer", () => {
  test("there is an example for every operation", () => {
    expect(new Set(sent.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });

  test.each(sent.map((one) => [nameOf(one), one] as const))("%s", async (_name, one) => {
    const answer = await send(one);
    const { operationId } = one.operation;
    const expected = REFUSED[operationId] ?? (isRelay(operationId) ? answer.status : undefined);
    if (expected === undefined) expect(`${answer.status} ${answer.text.slice(0, 300)}`).toMatch(/^(200|201|303) /);
    else expect(answer.status).toBe(expected);
    expectDocumented(one.operation, answer);
  });

  test("the relay passes on the API's answer", async () => {
    const answer = await send(find("relayGet"), bearer(userToken(world, { client: "assistant" })));
    expect(answer.status).toBe(200);
    expectDocumented(find("relayGet").operation, answer);
  });

  test("callApi passes on the API's answer", async () => {
    const answer = await send(find("callApi"), bearer(userToken(world, { client: "assistant" })));
    expect(answer.status).toBe(200);
    expectDocumented(find("callApi").operation, answer);
  });
});

describe("each operation refuses as documented", () => {
  const secured = sent.filter(({ operation }) => !isPublic(operation));

  test.each(secured.map((one) => [nameOf(one), one] as const))("%s with a token that is none", async (_name, one) => {
    const answer = await send(one, { authorization: "Bearer eyJ.not.a-token" });
    expect(answer.status).toBe(401);
    expectDocumented(one.operation, answer);
  });

  test.each(["createHeader", "requestToken", "createLink", "revokeGrant", "explainPolicy"])(
    "%s with a body that is none",
    async (id) => {
      const { path, operation } = find(id);
      const answer = await service.call(fill(path, operation), { ...callerOf(find(id)), method: "POST", body: "x" });
      expect(answer.status).toBe(415);
      expectDocumented(operation, answer);
    },
  );
});

describe("the examples of answers", () => {
  const withExamples = Object.entries(description.components["schemas"] ?? {}).filter(([, { examples }]) => examples);

  test.each(withExamples)("%s", (name, { examples }) => {
    for (const example of examples as unknown[])
      expectValid({ $ref: `description#/components/schemas/${name}` }, example);
  });
});

// ---------------------------------------------------------------------------------------------------------------

function isPage({ responses }: Operation): boolean {
  return JSON.stringify(responses).includes("ErrorPage");
}

function isPublic({ security }: Operation): boolean {
  return JSON.stringify(security) === "[{}]";
}

function isRelay(operationId: string): boolean {
  return /^(relay|callApi)/.test(operationId);
}

function person(user: string): Record<string, string> {
  const roles = user === "erin" ? { roles: ["Policy.Explain", "Grant.Admin"] } : {};
  return bearer(userToken(world, { user, ...roles } as Parameters<typeof userToken>[1]));
}

function application(client: string): Record<string, string> {
  return bearer(appToken(world, { client } as Parameters<typeof appToken>[1]));
}

function examplesOf(described: Described): Sent[] {
  const [[mediaType, media] = ["", {}]] = Object.entries(described.operation.requestBody?.content ?? {});
  const examples = Object.entries(media.examples ?? {});
  return examples.length === 0
    ? [{ ...described, example: "", mediaType, value: undefined }]
    : examples.map(([example, { value }]) => ({ ...described, example, mediaType, value }));
}

function nameOf({ operation, example }: Sent): string {
  return `${operation.operationId} ${example}`.trim();
}

function find(operationId: string): Sent {
  const found = sent.find(({ operation }) => operation.operationId === operationId);
  if (found === undefined) throw new Error(`There is no operation ${operationId}.`);
  return found;
}

function callerOf(one: Sent): Pick<Call, "headers"> {
  const headers = (CALLERS[nameOf(one)] ?? CALLERS[one.operation.operationId] ?? (() => person("alice")))();
  return { headers };
}

function send(one: Sent, headers = callerOf(one).headers): Promise<Answer> {
  const { path, method, operation, mediaType, value } = one;
  const call: Call = {
    method,
    ...(headers === undefined ? {} : { headers: isPage(operation) ? formHeaders() : headers }),
  };
  const filled = value === undefined ? undefined : (JSON.parse(real(JSON.stringify(value))) as Record<string, string>);
  const body = mediaType === "application/json" ? { json: filled } : { form: filled ?? {} };
  return service.call(fill(path, operation), filled === undefined ? call : { ...call, ...body });
}

/** As a browser sends the form of a page of another site. */
function formHeaders(): Record<string, string> {
  return { "sec-fetch-site": "cross-site" };
}

/** The path with the examples of its parameters, and the query with those of the required ones. */
function fill(path: string, { parameters = [] }: Operation): string {
  const all = parameters.map((parameter) => resolved(description, parameter));
  const named = all.filter((parameter) => parameter["example"] !== undefined);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    real(String(named.find((one) => one["name"] === name)?.["example"])),
  );
  const query = named
    .filter((one) => one["in"] === "query")
    .map((one): [string, string] => [String(one["name"]), real(String(one["example"]))]);
  return query.length === 0 ? filled : `${filled}?${new URLSearchParams(query)}`;
}

function real(text: string): string {
  return [...values].reduce((result, [placeholder, value]) => result.replaceAll(placeholder, value), text);
}

function expectDocumented({ responses }: Operation, { status, headers, text }: Answer): void {
  const documented = responses[String(status)] ?? responses[`${Math.floor(status / 100)}XX`];
  expect({ status, documented: documented !== undefined }).toEqual({ status, documented: true });
  const response = resolved(description, documented ?? {});
  for (const name of Object.keys((response["headers"] as object | undefined) ?? {})) {
    if (name !== "Retry-After") expect([name, headers.get(name)]).toEqual([name, expect.stringMatching(/./)]);
  }
  const content = response["content"] as Readonly<Record<string, { readonly schema?: Part }>> | undefined;
  if (content === undefined) return;
  const [mediaType = ""] = (headers.get("content-type") ?? "").split(";");
  const media = content[mediaType] ?? content["*/*"];
  expect({ mediaType, documented: media !== undefined }).toEqual({ mediaType, documented: true });
  if (media?.schema !== undefined) {
    const isJson = mediaType.endsWith("json");
    expectValid(absolute(media.schema), isJson ? JSON.parse(text) : text);
  }
}

function expectValid(schema: Part, value: unknown): void {
  const validate = ajv.compile(closed(schema));
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

/** With `$ref`s that work outside of the description. */
function absolute(schema: Part): Part {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"description#/components/')) as Part;
}

/** Every object with `properties` without further members, unless the description says that it may have some. */
function closed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(closed) as T;
  if (typeof value !== "object" || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]));
  const closes = inner["type"] === "object" && "properties" in inner && !("additionalProperties" in inner);
  return (closes ? { ...inner, additionalProperties: false } : inner) as T;
}
