/** `POST /DownstreamApi/{api}`: what the sidecar's clients send, and what the relay refuses of it. */
import { beforeEach, describe, expect, test } from "vitest";
import { appToken, bearer, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";
import { relaySettings } from "./support/relay-policy.ts";

const { world, service, restart } = useWorld();

beforeEach(() => restart({ settings: relaySettings(world.tenant.url) }));

function post(
  options: Record<string, string> | string,
  more: { body?: string; headers?: Record<string, string> } = {},
) {
  const { headers = bearer(userToken(world)), body } = more;
  const query = typeof options === "string" ? options : String(new URLSearchParams(options));
  return service.call(`/DownstreamApi/graph?${query}`, {
    method: "POST",
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

describe("accepted", () => {
  test.each([
    ["RelativePath, with GET as the default", "optionsOverride.RelativePath=/v1.0/me"],
    ["without a slash in front", "optionsOverride.RelativePath=v1.0/me"],
    ["names in any case", "OPTIONSOVERRIDE.relativepath=/v1.0/me&optionsoverride.HTTPMETHOD=Get"],
    ["scopes of the entry", "optionsOverride.RelativePath=/v1.0/me&optionsOverride.Scopes=User.Read"],
    ["what is unknown, as the sidecar", "optionsOverride.RelativePath=/v1.0/me&optionsOverride.Tenant=common&utm=x"],
    [
      "ContentType, which has no effect in the sidecar",
      "optionsOverride.RelativePath=/v1.0/me&optionsOverride.ContentType=a/b",
    ],
  ])("%s", async (_name, query) => {
    const answer = await post(query);
    expect([answer.status, answer.json()["displayName"]]).toEqual([200, "Alice Archer"]);
  });

  test("a query inside RelativePath, and AcceptHeader", async () => {
    world.tenant.state.order({ endpoint: "graph", status: 200, body: {} });
    await post({
      "optionsOverride.RelativePath": "/v1.0/me/messages?$filter=subject eq 'a&b'".replace("&", "%26"),
      "optionsOverride.AcceptHeader": "application/json;odata.metadata=none",
    });
    const [request] = world.tenant.state.log.entries({ endpoint: "graph" });
    expect(request?.query).toEqual({ $filter: "subject eq 'a&b'" });
    expect(request?.headers?.["accept"]).toBe("application/json;odata.metadata=none");
  });

  test("HttpMethod with the body of the request", async () => {
    world.tenant.state.order({ endpoint: "graph", status: 202, body: "" });
    const options = { "optionsOverride.RelativePath": "/v1.0/me/sendMail", "optionsOverride.HttpMethod": "POST" };
    const answer = await post(options, { body: "{}" });
    expect([answer.status, answer.text]).toEqual([202, ""]);
    expect(world.tenant.state.log.entries({ endpoint: "graph" })[0]?.method).toBe("POST");
  });

  test("an application's own token", async () => {
    const headers = bearer(appToken(world, { client: "reports" }));
    const query = "optionsOverride.RelativePath=/v1.0/users";
    const answers = [
      await post(`${query}&optionsOverride.RequestAppToken=true`, { headers }),
      await service.call(`/DownstreamApiUnauthenticated/graph?${query}`, { method: "POST", headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test("CorrelationId reaches the API", async () => {
    const id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    const query = `optionsOverride.RelativePath=/v1.0/me&optionsOverride.AcquireTokenOptions.CorrelationId=${id}`;
    expect((await post(query)).headers.get("client-request-id")).toBe(id);
    expect(world.tenant.state.log.entries({ endpoint: "graph" })[0]?.headers?.["client-request-id"]).toBe(id);
  });
});

describe("refused", () => {
  const me = "optionsOverride.RelativePath=/v1.0/me";
  test.each([
    ["no RelativePath", "optionsOverride.HttpMethod=GET", 400, "parameter_missing"],
    ["a method that is not forwarded", `${me}&optionsOverride.HttpMethod=TRACE`, 400, "parameter_invalid"],
    ["a method without a rule", `${me}&optionsOverride.HttpMethod=DELETE`, 403, "downstream_not_allowed"],
    ["another host", `${me}&optionsOverride.BaseUrl=https://evil.example`, 400, "parameter_not_supported"],
    ["more headers", `${me}&optionsOverride.ExtraHeaderParameters.X-A=1`, 400, "parameter_not_supported"],
    ["more query", `${me}&optionsOverride.ExtraQueryParameters.a=1`, 400, "parameter_not_supported"],
    ["an agent", `${me}&AgentIdentity=x`, 400, "parameter_not_supported"],
    ["another tenant", `${me}&optionsOverride.AcquireTokenOptions.Tenant=common`, 400, "parameter_not_supported"],
    ["a grant", `${me}&optionsOverride.Scopes=offline_access`, 400, "parameter_not_supported"],
    ["a scope outside the entry", `${me}&optionsOverride.Scopes=Files.Read`, 403, "scope_not_allowed"],
    ["a repeated path", `${me}&optionsOverride.RelativePath=/v1.0/users`, 400, "parameter_repeated"],
    ["an absolute URL", "optionsOverride.RelativePath=https://evil.example/v1.0/me", 400, "path_invalid"],
    ["a dot segment", "optionsOverride.RelativePath=/v1.0/me/../users", 400, "path_invalid"],
    ["a line break in AcceptHeader", `${me}&optionsOverride.AcceptHeader=a%0d%0aHost:x`, 400, "parameter_invalid"],
  ])("%s", async (_name, query, status, code) => {
    const answer = await post(query);
    expect([answer.status, answer.json()["code"]]).toEqual([status, code]);
    expect(world.tenant.state.log.entries({ endpoint: "graph" })).toEqual([]);
  });

  test.each(["GET", "HEAD"])("a body with HttpMethod %s", async (method) => {
    const answer = await post(`${me}&optionsOverride.HttpMethod=${method}`, { body: "{}" });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "parameter_not_supported"]);
    expect(world.tenant.state.log.entries({ endpoint: "graph" })).toEqual([]);
  });

  test.each(["optionsOverride.Scopes=Mail.Read", "AgentIdentity=x"])("%s on the form with a path", async (query) => {
    const headers = bearer(userToken(world));
    const answer = await service.call(`/DownstreamApi/graph/v1.0/me?${query}`, { headers });
    expect(answer.json()).toMatchObject({ status: 400, code: "parameter_not_supported" });
  });

  test("another method than POST on this form", async () => {
    const headers = bearer(userToken(world));
    const answer = await service.call(`/DownstreamApi/graph?${me}`, { headers });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });
});
