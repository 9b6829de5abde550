/**
 * Attacks on clients that authenticate with their own Entra secret or assertion, and on those whose secret is ignored. The
 * local tenant counts what reaches Entra.
 */
import { afterEach, describe, expect, test } from "vitest";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  jwtBearerForm,
  userToken,
} from "../support/callers.ts";
import { createLeakSearch } from "../support/leak-search.ts";
import {
  basic,
  OWN_CREDENTIALS,
  ownAssertion,
  post,
  registerCertificate,
  secretOf,
} from "../support/own-credentials.ts";
import { policyWith } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, clock } = useWorld({ settings: OWN_CREDENTIALS, newServiceForEachTest: true });
afterEach(() => world.tenant.state.reset());

const HANDLE = `gte_${"A".repeat(43)}`;
const MINUTE = 60_000;
interface Sent {
  readonly headers?: Record<string, string>;
  readonly form?: Record<string, string>;
}
const token = (call: Sent) => service.call("/oauth2/token", call);
const withStatus = (answer: Answer) => ({ status: answer.status, ...answer.json() });
/** An authenticated request that needs no other call to Entra. */
const revoke = (call: Sent) => service.call("/oauth2/revoke", { ...call, form: { token: HANDLE, ...call.form } });
const entraCalls = () => world.tenant.state.requests({ endpoint: "token" }).length;
const guess = (index: number) => `wrong-secret-${index}-abcdefghij`;

describe("a stranger learns nothing", () => {
  const NOBODY = "00000000-1111-4222-8333-444444444444";

  test("about client ids that the policy does not list, existing or not: one answer, and Entra is not called", async () => {
    const attempts: [string, Sent][] = [
      ["a client id that does not exist", { form: { client_id: NOBODY, client_secret: "x".repeat(40) } }],
      [
        "an application without an entry, right secret",
        { headers: basic("stranger", secretOf(world, "stranger")), form: {} },
      ],
      [
        "an entry that lists no method, right secret",
        { headers: basic("daemon", secretOf(world, "daemon")), form: {} },
      ],
      ["an entry of kind user", { headers: basic("cli", "x".repeat(40)), form: {} }],
      [
        "the service's own registration, right secret",
        { headers: basic("service", secretOf(world, "service")), form: {} },
      ],
      ["text that is no client id", { form: { client_id: "' or 1=1", client_secret: "x" } }],
    ];
    const bodies = new Set<string>();
    for (const [title, { headers, form }] of attempts) {
      const call = { ...(headers === undefined ? {} : { headers }), form: exchangeForm(userToken(world), form) };
      const answer = await token(call);
      const { correlation_id: _, ...body } = answer.json();
      expect({ title, status: answer.status, code: body["code"] }).toMatchObject({
        status: 400,
        code: "client_secret_not_accepted",
      });
      bodies.add(JSON.stringify([body, answer.headers.get("www-authenticate")]));
    }
    expect(bodies.size).toBe(1);
    expect(entraCalls()).toBe(0);
  });

  test("from an assertion: without a listed method it is refused like any token that is not from Entra", async () => {
    const listed = ownAssertion(world, registerCertificate(world, "reports"));
    const answer = await token({ form: exchangeForm(userToken(world), listed) });
    expect(withStatus(answer)).toMatchObject({ status: 401, error: "invalid_client", code: "caller_refused" });
    expect(entraCalls()).toBe(0);
  });

  test("an entry with entra_secret accepts no assertion, and one with ignored_with_subject proves no secret", async () => {
    const headers = basic("public", "x".repeat(40));
    expect(withStatus(await revoke({ headers }))).toMatchObject({ code: "client_secret_not_accepted" });
    expect(entraCalls()).toBe(0);
  });
});

describe("guessing", () => {
  test("five wrong secrets a minute reach Entra, and then 429 answers without it", async () => {
    for (let index = 0; index < 5; index++) {
      const answer = await revoke({ headers: basic("web", guess(index)) });
      expect(withStatus(answer)).toMatchObject({ status: 401, code: "client_secret_refused" });
    }
    const answer = await revoke({ headers: basic("web", guess(6)) });
    expect(withStatus(answer)).toMatchObject({ status: 429, code: "client_budget_used_up", action: "retry" });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(entraCalls()).toBe(5);
    clock.advance(MINUTE);
    expect((await revoke({ headers: basic("web", guess(7)) })).status).toBe(401);
  });

  test("fifty guesses at once reach Entra five times", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => revoke({ headers: basic("web", guess(index)) })),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(45);
    expect(entraCalls()).toBe(5);
  });

  test("does not lock out a client whose secret is remembered, even after its token has expired", async () => {
    const own = () => revoke({ headers: basic("web", secretOf(world, "web")) });
    expect((await own()).status).toBe(200);
    for (let index = 0; index < 6; index++) await revoke({ headers: basic("web", guess(index)) });
    expect((await own()).status).toBe(200);
    clock.advance(120 * MINUTE);
    for (let index = 0; index < 6; index++) await revoke({ headers: basic("web", guess(index)) });
    expect((await revoke({ headers: basic("web", guess(9)) })).status).toBe(429);
    expect((await own()).status).toBe(200);
  });

  test("with one client's id does not slow another client", async () => {
    for (let index = 0; index < 6; index++) await revoke({ headers: basic("web", guess(index)) });
    const answer = await revoke({ headers: basic("reports", secretOf(world, "reports")) });
    expect(answer.status).toBe(200);
  });

  const order = (status: number, headers: Record<string, string> = {}) =>
    world.tenant.state.order({ endpoint: "token", client: "web", times: 0, status, headers, body: {} });
  const outcomes = () => service.events().map(({ outcome }) => outcome);

  test("counts while Entra throttles, and Entra is not asked again until the wait ends", async () => {
    order(429, { "retry-after": "600" });
    for (let index = 0; index < 40; index++) {
      const answer = await revoke({ headers: basic("web", guess(index)) });
      expect(withStatus(answer)).toMatchObject({ status: 429, code: "throttled" });
      // The clock of the service runs on.
      expect(Number(answer.headers.get("retry-after"))).toBeOneOf([598, 599, 600]);
    }
    expect(entraCalls()).toBe(1);
    expect(new Set(outcomes())).toEqual(new Set(["refused"]));
    clock.advance(10 * MINUTE);
    await revoke({ headers: basic("web", guess(41)) });
    expect(entraCalls()).toBe(2);
  });

  test("counts while Entra fails: five guesses a minute reach it, and none is a failed exchange", async () => {
    order(503);
    const codes: unknown[] = [];
    for (let index = 0; index < 20; index++) {
      codes.push((await revoke({ headers: basic("web", guess(index)) })).json()["code"]);
    }
    expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "entra_unavailable"));
    expect(new Set(codes.slice(5))).toEqual(new Set(["client_budget_used_up"]));
    // Each has a second attempt.
    expect(entraCalls()).toBe(10);
    expect(new Set(outcomes())).toEqual(new Set(["refused"]));
  });

  test("with a wait in Entra's 503, Entra is not asked again until it ends", async () => {
    order(503, { "retry-after": "300" });
    for (let index = 0; index < 6; index++) await revoke({ headers: basic("web", guess(index)) });
    expect(entraCalls()).toBe(1);
  });

  const moreId = (index: number) => `ca11e400-0000-4000-8000-0000000000f${index}`;

  test("with the ids of many clients stops no other client and not the other method", async () => {
    const at = world.serve({
      settings: {
        POLICY: policyWith(({ callers }) => {
          const template = callers.find(({ name }) => name === "web-backend");
          for (let index = 0; index < 6; index++) {
            const clientId = moreId(index);
            callers.push({ ...template, name: `more-${index}`, clientId, clientAuthentication: ["entra_assertion"] });
          }
          Object.assign(template ?? {}, { clientAuthentication: ["entra_secret", "entra_assertion"] });
        }),
      },
    });
    const { privateKey, thumbprint, ...web } = registerCertificate(world, "web");
    const ask = (form: Record<string, string>) => at.call("/oauth2/revoke", { form: { token: HANDLE, ...form } });
    for (let index = 0; index < 6; index++) {
      const id = moreId(index);
      const forged = () => ownAssertion(world, { client: "web", privateKey, thumbprint }, { iss: id, sub: id });
      const answers = await Promise.all(Array.from({ length: 60 }, () => ask(forged())));
      expect(new Set(answers.map(({ status }) => status))).not.toContain(200);
    }
    expect((await ask(ownAssertion(world, { privateKey, thumbprint, ...web }))).status).toBe(200);
    expect((await ask(post("web", secretOf(world, "web")))).status).toBe(200);
  });

  test("under throttling stops no client whose secret is known, and an outage of that client is a failed exchange", async () => {
    const own = () => revoke({ headers: basic("web", secretOf(world, "web")) });
    expect((await own()).status).toBe(200);
    clock.advance(120 * MINUTE);
    order(429, { "retry-after": "600" });
    await revoke({ headers: basic("web", guess(1)) });
    world.tenant.state.clearOrders();
    expect((await own()).status).toBe(200);
    clock.advance(120 * MINUTE);
    order(429, { "retry-after": "600" });
    const before = entraCalls();
    for (let round = 0; round < 3; round++) expect((await own()).status).toBe(429);
    expect(outcomes().at(-1)).toBe("failed");
    expect(entraCalls()).toBe(before + 1);
  });

  test("a client without the app role causes at most five calls to Entra a minute", async () => {
    const { roleAssignments, registration } = world.tenant.state.directory;
    const objectId = registration("web")?.objectId;
    const at = roleAssignments.findIndex(({ principalOid }) => principalOid === objectId);
    roleAssignments.splice(at, 1);
    const codes: unknown[] = [];
    for (let round = 0; round < 8; round++) {
      codes.push((await revoke({ headers: basic("web", secretOf(world, "web")) })).json()["code"]);
    }
    expect(codes[0]).toBe("token_role_missing");
    expect(codes.at(-1)).toBe("client_budget_used_up");
    expect(entraCalls()).toBeLessThanOrEqual(5);
  });

  test("a forged assertion costs at most sixty calls to Entra a minute", async () => {
    const { privateKey, thumbprint } = registerCertificate(world, "daemon");
    const forged = () => ownAssertion(world, { client: "web", privateKey, thumbprint });
    for (let index = 0; index < 60; index++) {
      expect(withStatus(await revoke({ form: forged() }))).toMatchObject({
        status: 401,
        code: "client_assertion_refused",
        error_codes: [700027],
      });
    }
    expect((await revoke({ form: forged() })).status).toBe(429);
    expect(entraCalls()).toBe(60);
    // The secret of the same client has its own budget.
    expect((await revoke({ headers: basic("web", secretOf(world, "web")) })).status).toBe(200);
  });
});

describe("a forged assertion that makes Entra answer as if the service were wrong", () => {
  test.each([
    ["AADSTS90014", { aadsts: 90014 }],
    ["AADSTS900144", { aadsts: 900144 }],
    ["a 400 that is no JSON", { status: 400, body: "bad request" }],
    ["a 403 that is no JSON", { status: 403, body: "<html>" }],
  ])("%s: 401, and it counts as a guess", async (_title, spec) => {
    world.tenant.state.order({ endpoint: "token", client: "web", times: 0, ...spec });
    const { privateKey, thumbprint } = registerCertificate(world, "daemon");
    const forged = () => ownAssertion(world, { client: "web", privateKey, thumbprint });
    for (let index = 0; index < 60; index++) {
      const answer = await revoke({ form: forged() });
      expect(withStatus(answer)).toMatchObject({ status: 401, code: "client_assertion_refused" });
    }
    expect(service.lastEvent()["outcome"]).toBe("refused");
    expect((await revoke({ form: forged() })).status).toBe(429);
    expect(entraCalls()).toBe(60);
  });
});

describe("a secret that was changed at Entra", () => {
  test("counts until the token that it gave expires, and no longer", async () => {
    const old = basic("web", secretOf(world, "web"));
    expect((await revoke({ headers: old })).status).toBe(200);
    const secrets = world.tenant.state.directory.registration("web")?.secrets ?? [];
    const [first] = secrets;
    if (first === undefined) throw new Error("no secret");
    secrets.splice(0, secrets.length, { ...first, value: `${first.value}-new` });
    expect((await revoke({ headers: old })).status).toBe(200);
    clock.advance(120 * MINUTE);
    expect(withStatus(await revoke({ headers: old }))).toMatchObject({ status: 401, error_codes: [7000215] });
    expect((await revoke({ headers: basic("web", `${first.value}-new`) })).status).toBe(200);
  });

  test("is not remembered by another instance", async () => {
    const headers = basic("web", secretOf(world, "web"));
    expect((await revoke({ headers })).status).toBe(200);
    world.tenant.state.expireSecrets({ app: "web" });
    const answer = await service.another().call("/oauth2/revoke", { headers, form: { token: HANDLE } });
    expect(answer.status).toBe(400);
    const listed = await world
      .serve({ settings: OWN_CREDENTIALS })
      .call("/oauth2/revoke", { headers, form: { token: HANDLE } });
    expect(withStatus(listed)).toMatchObject({ status: 401, error_codes: [7000222] });
  });
});

describe("two client authentications, or two client ids", () => {
  const secret = () => secretOf(world, "web");

  test.each<[string, () => Sent, string]>([
    ["Basic and client_secret", () => ({ headers: basic("web", secret()), form: post("web", secret()) }), "two"],
    [
      "Basic and client_assertion",
      () => ({ headers: basic("web", secret()), form: clientAssertion(appToken(world)) }),
      "two",
    ],
    ["Bearer and client_secret", () => ({ headers: bearer(appToken(world)), form: post("web", secret()) }), "two"],
    [
      "client_secret and client_assertion",
      () => ({ form: { ...post("web", secret()), ...clientAssertion(appToken(world)) } }),
      "two",
    ],
    [
      "Basic of one client, client_id of another",
      () => ({ headers: basic("web", secret()), form: { client_id: CLIENT_IDS.daemon } }),
      "mismatch",
    ],
    [
      "an assertion of one client, client_id of another",
      () => ({ form: { client_id: CLIENT_IDS.daemon, ...ownAssertion(world, registerCertificate(world, "web")) } }),
      "mismatch",
    ],
  ])("%s", async (_title, call, outcome) => {
    const { form, ...rest } = call();
    const answer = await token({ ...rest, form: exchangeForm(userToken(world), form) });
    const code = outcome === "two" ? "two_client_authentications" : "client_id_mismatch";
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "invalid_request", code });
    expect(answer.text).not.toContain("access_token");
  });
});

describe("an assertion", () => {
  test.each([
    ["for this service", () => ({ aud: "http://localhost:7071" })],
    ["for this service's token endpoint", () => ({ aud: "http://localhost:7071/oauth2/token" })],
    [
      "for Entra and another server",
      () => ({ aud: [`${world.tenant.url}/${world.tenant.state.tenantId}/v2.0`, "https://evil.example"] }),
    ],
    [
      "for another tenant",
      () => ({ aud: `${world.tenant.url}/ffffffff-0000-4000-8000-000000000000/oauth2/v2.0/token` }),
    ],
    ["for no one", () => ({ aud: [] })],
    ["without audience", () => ({ aud: undefined })],
    ["that has expired", () => ({ exp: Math.floor(Date.now() / 1_000) - 1 })],
    ["without expiry", () => ({ exp: undefined })],
    ["with text as expiry", () => ({ exp: "9999999999" })],
  ])("%s is refused without a call to Entra", async (_title, claims) => {
    const form = ownAssertion(world, registerCertificate(world, "web"), claims());
    expect(withStatus(await revoke({ form }))).toMatchObject({ status: 401, code: "client_assertion_refused" });
    expect(entraCalls()).toBe(0);
  });

  test("of one client is worthless to another: its claims name the client, and its signature covers them", async () => {
    const stolen = ownAssertion(world, registerCertificate(world, "web"));
    const asDaemon = await token({
      form: { grant_type: "refresh_token", refresh_token: HANDLE, client_id: CLIENT_IDS.daemon, ...stolen },
    });
    expect(withStatus(asDaemon)).toMatchObject({ status: 400, code: "client_id_mismatch" });
    const [header, , signature] = (stolen["client_assertion"] ?? "").split(".");
    const changed = Buffer.from(
      JSON.stringify({
        iss: CLIENT_IDS.web,
        sub: CLIENT_IDS.web,
        aud: `${world.tenant.url}/${world.tenant.state.tenantId}/v2.0`,
        exp: Math.floor(Date.now() / 1_000) + 3_000,
      }),
    ).toString("base64url");
    const altered = { ...stolen, client_assertion: `${header}.${changed}.${signature}` };
    expect(withStatus(await revoke({ form: altered }))).toMatchObject({ status: 401, error_codes: [700027] });
  });

  test("is neither a bearer token nor a subject", async () => {
    const own = ownAssertion(world, registerCertificate(world, "web"))["client_assertion"] ?? "";
    expect((await revoke({ headers: bearer(own) })).status).toBe(401);
    expect(withStatus(await token({ form: exchangeForm(own) }))).toMatchObject({
      status: 400,
      code: "subject_refused",
    });
    expect(withStatus(await token({ form: jwtBearerForm(own) }))).toMatchObject({
      status: 400,
      code: "subject_refused",
    });
    expect(entraCalls()).toBe(0);
  });

  test("with iss and sub of different clients is no client's", async () => {
    const form = ownAssertion(world, registerCertificate(world, "web"), { sub: CLIENT_IDS.daemon });
    expect(withStatus(await revoke({ form }))).toMatchObject({ status: 401, code: "caller_refused" });
    expect(entraCalls()).toBe(0);
  });
});

describe("a token that Entra returns for the credential is checked like any caller's token", () => {
  const answerWith = (access_token: string) =>
    world.tenant.state.order({
      endpoint: "token",
      client: "web",
      status: 200,
      body: { token_type: "Bearer", expires_in: 3600, access_token },
    });
  test.each([
    ["another client's", () => appToken(world, { client: "daemon" }), 502, "entra_answer_invalid"],
    ["a user's", () => userToken(world), 401, "caller_is_user"],
    ["for another API", () => appToken(world, { resource: "orders" }), 401, "token_for_other_api"],
    [
      "of another tenant",
      () => appToken(world, { claims: { tid: "ffffffff-0000-4000-8000-000000000000" } }),
      401,
      "token_wrong_tenant",
    ],
    ["without the app role", () => appToken(world, { claims: { roles: undefined } }), 400, "token_role_missing"],
  ])("%s", async (_title, mint, status, code) => {
    answerWith(mint());
    expect(withStatus(await revoke({ headers: basic("web", secretOf(world, "web")) }))).toMatchObject({ status, code });
  });
});

describe("ignored_with_subject", () => {
  test.each([
    ["another client's user", () => userToken(world, { client: "web" }), "client_id_mismatch"],
    ["an application", () => appToken(world), "subject_is_application"],
    ["a forged token", () => `${userToken(world, { client: "public" }).slice(0, -8)}AAAAAAAA`, "subject_refused"],
    [
      "a token for another API",
      () => userToken(world, { client: "public", resource: "orders" }),
      "token_for_other_api",
    ],
  ])("does not let a client exchange the token of %s", async (_title, subject, code) => {
    const answer = await token({ headers: basic("public", "any"), form: exchangeForm(subject()) });
    expect(withStatus(answer)).toMatchObject({ status: 400, code });
    expect(entraCalls()).toBe(0);
  });

  test("does not weaken a client whose secret is proved: its wrong secret is refused", async () => {
    const POLICY = OWN_CREDENTIALS.POLICY.replace(
      '"name":"web-users"',
      '"name":"web-users","clientAuthentication":["ignored_with_subject"]',
    );
    const at = world.serve({ settings: { POLICY } });
    const call = { headers: basic("web", "wrong".repeat(8)), form: exchangeForm(userToken(world)) };
    expect(withStatus(await at.call("/oauth2/token", call))).toMatchObject({
      status: 401,
      code: "client_secret_refused",
    });
  });
});

describe("no secret and no assertion is in a log, an answer or an operator event", () => {
  const SECRETS = [guess(1), "s3cret-".repeat(6)];
  const secrets = () => [secretOf(world, "web"), ...SECRETS];
  /** What the service wrote for each credential: answers without a token, and every log line. */
  async function textsOf(at: ServiceUnderTest, calls: readonly Sent[]): Promise<string[]> {
    const texts: string[] = [];
    for (const call of calls) {
      const answer = await at.call("/oauth2/token", { ...call, form: exchangeForm(userToken(world), call.form) });
      texts.push(answer.status === 200 ? "" : answer.text, JSON.stringify([...answer.headers]));
    }
    return [...texts, ...at.logs];
  }

  test.each([
    ["as it decides", undefined],
    [
      "401 that repeats the secret",
      {
        status: 401,
        body: {
          error: "invalid_client",
          error_description: SECRETS.join(" "),
          error_codes: [7000215],
          suberror: SECRETS[0],
        },
      },
    ],
    ["400 with the secret as text", { status: 400, body: SECRETS.join(" ") }],
    ["503 with the secret as text", { status: 503, body: SECRETS.join(" ") }],
    [
      "200 with the secret as token",
      { status: 200, body: { access_token: SECRETS[0], token_type: "Bearer", expires_in: 60 } },
    ],
    ["nothing", { drop: true }],
  ])("when Entra answers %s", async (_title, order) => {
    const own = ownAssertion(world, registerCertificate(world, "web"));
    const search = createLeakSearch("signatures");
    for (const secret of [...secrets(), own["client_assertion"]]) search.add("a credential", secret);
    if (order !== undefined) world.tenant.state.order({ endpoint: "token", client: "web", times: 0, ...order });
    const calls = secrets().flatMap((secret) => [
      { headers: basic("web", secret) },
      { form: post("web", secret) },
      { headers: basic("public", secret) },
    ]);
    const texts = await textsOf(service, [...calls, { form: own }]);
    expect(search.size).toBeGreaterThan(6);
    expect(texts.flatMap((text, index) => search.find(`text ${index}`, text))).toEqual([]);
  });
});
