/**
 * The service's own credential: its three kinds, and rotations, outages and mistakes during requests (KV-42, E-82). No
 * request fails in a correct rotation. A wrong one causes few reads of Key Vault.
 */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { selfSignedCertificate } from "../../local/tenant/keys/certificate.ts";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { applicationOnlySettings } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock } = useWorld();
afterEach(() => {
  // Restores one valid secret at Entra and in Key Vault, without older versions.
  world.tenant.state.deleteSecret({ name: "client-secret" });
  world.tenant.state.rotateSecret({ keepOld: false });
});

const serve = (settings: Record<string, string> = {}) => world.serve({ settings });
const exchange = (service: ServiceUnderTest) => service.call("/oauth2/token", { form: exchangeForm(userToken(world)) });

async function exchangeMany(service: ServiceUnderTest, count: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => exchange(service)));
  return [...new Set(answers.map(({ status }) => status))];
}

/** Reads of a secret's value that Key Vault answered. */
const vaultReads = (name = "client-secret") =>
  world.tenant.state
    .requests({ endpoint: "vault" })
    .filter(({ path, status }) => path.includes(`/${name}/`) && status !== 401);

const secretsSent = () =>
  world.tenant.state
    .requests({ endpoint: "token", client: CLIENT_IDS.service })
    .map(({ form }) => form?.["client_secret"]);

const withStatus = (answer: Answer) => ({ status: answer.status, ...answer.json() });

/** The names of the operator events about the credential. */
const events = (service: ServiceUnderTest) =>
  service.logs.filter((line) => line.includes('"event":"credential"')).map((line) => String(JSON.parse(line)["name"]));

describe("the managed identity as credential", () => {
  const settings = { CLIENT_CREDENTIAL: "managed-identity" };

  // This test must run first: the identity SDK caches a token for the whole process.
  test("the identity endpoint fails: 503, and 200 after it recovers", async () => {
    const service = serve(settings);
    world.tenant.state.order({ endpoint: "msi", status: 500, body: "", times: 0 });
    expect(withStatus(await exchange(service))).toMatchObject({
      status: 503,
      code: "managed_identity_unavailable",
      action: "retry",
    });
    world.tenant.state.clearOrders();
    clock.advance(5_000);
    expect((await exchange(service)).status).toBe(200);
  });

  test("its token is the client assertion, without a secret and without a call to Key Vault", async () => {
    const service = serve(settings);
    expect(await exchangeMany(service, 10)).toEqual([200]);
    const [sent] = world.tenant.state.requests({ endpoint: "token", client: CLIENT_IDS.service });
    expect(sent?.form).not.toHaveProperty("client_secret");
    expect(claimsOf(sent?.form?.["client_assertion"] ?? "")).toMatchObject({
      aud: CLIENT_IDS.tokenExchange,
      oid: "0b1ec700-0000-4000-8000-000000000009",
    });
    expect(vaultReads()).toEqual([]);
  });

  test("Entra does not trust the identity: 500 with action ask_admin", async () => {
    const { state } = world.tenant;
    const trusted = state.directory.registration("service")?.federatedCredentials ?? [];
    state.changeRegistration({ app: "service", federatedCredentials: [] });
    const service = serve(settings);
    expect(withStatus(await exchange(service))).toMatchObject({
      status: 500,
      error: "server_error",
      error_codes: [700211],
      action: "ask_admin",
    });
    state.changeRegistration({
      app: "service",
      federatedCredentials: trusted.map((one) => ({ ...one, subject: "another-identity" })),
    });
    expect(withStatus(await exchange(service))).toMatchObject({
      status: 500,
      code: "credential_refused",
      error_codes: [700213],
    });
    expect(events(service)).toContain("credential_refused");
    expect(service.logs.join("\n")).toMatch(
      /"aadsts":700213,"remedy":"Set the subject of the registration's federated/,
    );
    expect((await service.call("/ready")).status).toBe(503);
    state.changeRegistration({ app: "service", federatedCredentials: trusted });
    expect((await exchange(service)).status).toBe(200);
    expect(events(service)).toContain("credential_accepted");
    clock.advance(6_000);
    expect((await service.call("/ready")).status).toBe(200);
  });
});

describe("a certificate as credential", () => {
  const settings = { CLIENT_CREDENTIAL: "key-vault-certificate" };
  afterEach(() => world.tenant.state.removeCertificates({ app: "service" }));

  /** Stores a PEM certificate as Key Vault does, and registers it at Entra. */
  function putCertificate({ atEntra = true } = {}): void {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const der = selfSignedCertificate(privateKey, Date.now() - DAY, "graph-token-exchange");
    const certificate = `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const { state } = world.tenant;
    state.setSecret({
      name: "client-certificate",
      value: `${key}${certificate}`,
      contentType: "application/x-pem-file",
    });
    if (atEntra) {
      state.addCertificate({ app: "service", certificate });
    }
  }

  test("signs the client assertion, and the private key is never sent", async () => {
    putCertificate();
    const service = serve(settings);
    expect(await exchangeMany(service, 5)).toEqual([200]);
    const [sent] = world.tenant.state.requests({ endpoint: "token", client: CLIENT_IDS.service });
    expect(sent?.form).not.toHaveProperty("client_secret");
    expect(claimsOf(sent?.form?.["client_assertion"] ?? "")).toMatchObject({
      iss: CLIENT_IDS.service,
      sub: CLIENT_IDS.service,
    });
    expect(vaultReads("client-certificate")).toHaveLength(1);
    expect(JSON.stringify(world.tenant.state.requests())).not.toContain("PRIVATE KEY");
  });

  test("is rotated and the old one removed at Entra: no request fails", async () => {
    putCertificate();
    const service = serve(settings);
    expect((await exchange(service)).status).toBe(200);
    world.tenant.state.removeCertificates({ app: "service" });
    putCertificate();
    expect(await exchangeMany(service, 10)).toEqual([200]);
    expect(events(service)).toEqual(
      expect.arrayContaining(["credential_read", "credential_refused", "credential_changed"]),
    );
  });

  test("is not registered at Entra (700027): 500", async () => {
    putCertificate({ atEntra: false });
    expect(withStatus(await exchange(serve(settings)))).toMatchObject({
      status: 500,
      code: "credential_refused",
      error_codes: [700027],
    });
  });

  test("is not PEM in Key Vault: 500 with action ask_admin", async () => {
    world.tenant.state.setSecret({ name: "client-certificate", value: "no pem" });
    expect(withStatus(await exchange(serve(settings)))).toMatchObject({
      status: 500,
      error: "server_error",
      action: "ask_admin",
    });
  });
});

describe("a client secret that is rotated during requests (KV-42)", () => {
  test("no request fails while Entra accepts both secrets", async () => {
    const service = serve();
    expect(await exchangeMany(service, 10)).toEqual([200]);
    world.tenant.state.rotateSecret();
    const running = exchangeMany(service, 20);
    clock.advance(6 * MINUTE);
    expect(await running).toEqual([200]);
    expect(await exchangeMany(service, 20)).toEqual([200]);
    world.tenant.state.rotateSecret({ keepOld: false, inVault: false, atEntra: false });
  });

  test("thirty requests with the removed secret are all repeated with the new one", async () => {
    const { state } = world.tenant;
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    const order = state.order({ endpoint: "token", client: "service", hold: true, times: 30 });
    const running = exchangeMany(service, 30);
    await state.orders.hit(order, 30);
    const { value } = state.rotateSecret({ keepOld: false });
    state.clearLog();
    state.releaseOrder({ id: order });
    expect(await running).toEqual([200]);
    expect(secretsSent()).toEqual(Array.from({ length: 30 }, () => value));
    expect(vaultReads()).toHaveLength(1);
    expect(events(service)).toContain("credential_changed");
  });

  test("E-82: while Entra still refuses the new secret, the previous one serves", async () => {
    const { state } = world.tenant;
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    state.rotateSecret({ refusedUses: 3 });
    clock.advance(6 * MINUTE);
    for (let round = 0; round < 6; round++) {
      expect(await exchangeMany(service, 3)).toEqual([200]);
      clock.advance(20_000);
    }
    clock.advance(10 * MINUTE);
    expect(await exchangeMany(service, 3)).toEqual([200]);
    const newest = state.vault.latest("client-secret")?.value;
    expect(secretsSent().at(-1)).toBe(newest);
  });

  test("E-82: a new instance, which never read the old secret, serves too", async () => {
    clock.advance(MINUTE);
    world.tenant.state.rotateSecret({ refusedUses: 2 });
    expect(await exchangeMany(serve(), 5)).toEqual([200]);
  });

  test("the secret expired at Entra (7000222) and Key Vault has the next one: no request fails", async () => {
    const { state } = world.tenant;
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    state.expireSecrets({ app: "service" });
    state.rotateSecret();
    expect(await exchangeMany(service, 10)).toEqual([200]);
  });

  test("the secret is removed at Entra before the new one is in Key Vault: 503 with Retry-After, and 200 a second after it is there", async () => {
    const { state } = world.tenant;
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    const { value } = state.rotateSecret({ keepOld: false, inVault: false });
    for (let second = 0; second < 5; second++) {
      const answer = await exchange(service);
      expect(withStatus(answer)).toMatchObject({ status: 503, code: "credential_refused", action: "retry" });
      expect(answer.headers.get("retry-after")).toBe("1");
      expect((await exchange(service)).status).toBe(503);
      clock.advance(1_000);
    }
    // Each look reads the newest version and the list of versions.
    expect(vaultReads().length).toBeLessThanOrEqual(12);
    state.setSecret({ name: "client-secret", value });
    expect(await exchangeMany(service, 10)).toEqual([200]);
    expect(events(service)).toContain("credential_changed");
  });

  test("the secret is removed at Entra and none comes: 500 with ask_admin after a minute, and fewer reads of Key Vault", async () => {
    const { state } = world.tenant;
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    const { value } = state.rotateSecret({ keepOld: false, inVault: false });
    expect((await exchange(service)).status).toBe(503);
    clock.advance(MINUTE);
    const late = await exchange(service);
    expect(withStatus(late)).toMatchObject({ status: 500, code: "credential_refused", action: "ask_admin" });
    expect(late.headers.get("retry-after")).toBeNull();
    state.clearLog();
    for (let second = 0; second < 9; second++) {
      await exchange(service);
      clock.advance(1_000);
    }
    expect(vaultReads().length).toBeLessThanOrEqual(2);
    state.setSecret({ name: "client-secret", value });
    clock.advance(1_000);
    expect((await exchange(service)).status).toBe(200);
  });

  test("both secrets are refused: 503 for a minute and then 500, and few reads of Key Vault", async () => {
    const { state } = world.tenant;
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    state.rotateSecret({ keepOld: false, inVault: false });
    state.setSecret({ name: "client-secret", value: "wrong" });
    state.clearLog();
    for (let round = 0; round < 5; round++) {
      expect(await exchangeMany(service, 20)).toEqual([503]);
    }
    clock.advance(MINUTE);
    const answer = await exchange(service);
    expect(withStatus(answer)).toMatchObject({
      status: 500,
      error: "server_error",
      code: "credential_refused",
      error_codes: [7000215],
      action: "ask_admin",
    });
    expect(answer.text).not.toContain("wrong");
    // A look a second, of two reads, on a slow machine too.
    expect(vaultReads().length).toBeLessThanOrEqual(20);
    expect(secretsSent().length).toBeLessThanOrEqual(2 * 101);

    state.setSecret({
      name: "client-secret",
      value: state.directory.registration("service")?.secrets.at(-1)?.value ?? "",
    });
    clock.advance(20_000);
    expect(await exchangeMany(service, 10)).toEqual([200]);
  });

  test("a version that is not valid yet, has expired or is disabled is not used", async () => {
    const { state } = world.tenant;
    const good = state.vault.latest("client-secret")?.value ?? "";
    const now = Math.floor(Date.now() / 1_000);
    state.setSecret({ name: "client-secret", value: "future", notBefore: now + 3_600 });
    state.setSecret({ name: "client-secret", value: "past", expires: now - 3_600 });
    state.setSecret({ name: "client-secret", value: "disabled", enabled: false });
    expect(await exchangeMany(serve(), 5)).toEqual([200]);
    expect(new Set(secretsSent())).toEqual(new Set([good]));
  });

  test("the only version has expired: 500, and /ready answers 503", async () => {
    const { state } = world.tenant;
    state.deleteSecret({ name: "client-secret" });
    state.setSecret({ name: "client-secret", value: "past", expires: Math.floor(Date.now() / 1_000) - 90_000 });
    const service = serve();
    expect(withStatus(await exchange(service))).toMatchObject({
      status: 500,
      code: "credential_expired",
      action: "ask_admin",
    });
    expect(secretsSent()).toEqual([]);
    const ready = await service.call("/ready");
    expect([ready.status, ready.headers.get("retry-after")]).toEqual([503, "5"]);
  });
});

describe("a vault secret that cannot be a client secret", () => {
  test("with a line break at its end: 500, /ready answers 503, Entra is not called, and a new version repairs it", async () => {
    const { state } = world.tenant;
    const good = state.vault.latest("client-secret")?.value ?? "";
    state.deleteSecret({ name: "client-secret" });
    state.setSecret({ name: "client-secret", value: `${good}\n` });
    const service = serve();
    expect(withStatus(await exchange(service))).toMatchObject({
      status: 500,
      code: "client_secret_malformed",
      action: "ask_admin",
    });
    expect((await service.call("/ready")).status).toBe(503);
    expect(service.logs.join("\n")).toMatch(/"name":"credential_version_unusable".*"reason":"secret_has_white_space"/);
    expect(secretsSent()).toEqual([]);
    state.setSecret({ name: "client-secret", value: good });
    clock.advance(6_000);
    expect((await exchange(service)).status).toBe(200);
    expect((await service.call("/ready")).status).toBe(200);
  });

  test("the only secret is refused by Entra: /ready answers 503 until a new version is in the vault", async () => {
    const { state } = world.tenant;
    const good = state.vault.latest("client-secret")?.value ?? "";
    state.deleteSecret({ name: "client-secret" });
    state.setSecret({ name: "client-secret", value: "wrong" });
    const service = serve();
    expect((await service.call("/ready")).status).toBe(200);
    expect((await exchange(service)).status).toBe(500);
    clock.advance(6_000);
    expect((await service.call("/ready")).status).toBe(503);
    expect(service.logs.join("\n")).toContain('"aadsts":7000215,"remedy":"Store the value of a client secret');
    clock.advance(60_000);
    expect((await service.call("/ready")).status).toBe(503);
    state.setSecret({ name: "client-secret", value: good });
    clock.advance(6 * MINUTE);
    // The vault is read in the background, so the status changes at one of the next checks.
    await expect
      .poll(async () => {
        clock.advance(6_000);
        return (await service.call("/ready")).status;
      })
      .toBe(200);
  });
});

describe("Key Vault is unavailable", () => {
  const outages: [title: string, order: Record<string, unknown>][] = [
    ["503", { status: 503, body: "" }],
    ["429", { throttleSeconds: 30 }],
    ["broken connections", { drop: true }],
    [
      "403 without a role",
      { status: 403, body: { error: { code: "Forbidden", innererror: { code: "ForbiddenByRbac" } } } },
    ],
    ["200 with an unexpected body", { status: 200, body: { nothing: "here" } }],
  ];

  test.each(outages)("%s after the first read: no request fails for a day", async (_title, order) => {
    const service = serve();
    expect((await exchange(service)).status).toBe(200);
    world.tenant.state.order({ endpoint: "vault", times: 0, ...order });
    for (let hour = 0; hour < 24; hour += 6) {
      clock.advance(6 * 60 * MINUTE);
      expect(await exchangeMany(service, 3)).toEqual([200]);
    }
  });

  const unavailable = { status: 503, error: "temporarily_unavailable", code: "key_vault_unavailable" };
  const invalid = { status: 502, error: "server_error", code: "key_vault_answer_invalid" };
  test.each(outages)(
    "%s, at the first read: 5xx at once, few reads, and served when it is back",
    async (title, order) => {
      const service = serve();
      world.tenant.state.order({ endpoint: "vault", times: 0, ...order });
      const refused = withStatus(await exchange(service));
      expect(refused).toMatchObject({ ...(title.startsWith("200") ? invalid : unavailable), action: "retry" });
      await exchangeMany(service, 20);
      expect(vaultReads().length).toBeLessThanOrEqual(6);
      expect(secretsSent()).toEqual([]);
      world.tenant.state.clearOrders();
      clock.advance(31_000);
      expect(await exchangeMany(service, 5)).toEqual([200]);
    },
  );

  test("a slow first read: every waiting request is served from that one read", async () => {
    const { state } = world.tenant;
    const service = serve();
    const order = state.order({ endpoint: "vault", hold: true, times: 1 });
    const running = exchangeMany(service, 10);
    await state.orders.hit(order);
    state.releaseOrder({ id: order });
    expect(await running).toEqual([200]);
    expect(vaultReads()).toHaveLength(1);
  });
});

test("the app-only registration uses its own credential, and a rotation of it fails no request", async () => {
  const { state } = world.tenant;
  const service = serve(applicationOnlySettings());
  const form = { grant_type: "client_credentials", audience: "graph" };
  const request = () => service.call("/oauth2/token", { form, headers: bearer(appToken(world, { client: "daemon" })) });
  expect((await request()).status).toBe(200);
  const sent = state.requests({ endpoint: "token", client: CLIENT_IDS.appOnly });
  expect(sent.map(({ form: body }) => body?.["client_secret"])).toEqual([
    state.vault.latest("app-only-client-secret")?.value,
  ]);
  clock.advance(2 * 60 * MINUTE);
  state.rotateSecret({ app: "appOnly", keepOld: false });
  expect((await request()).status).toBe(200);
  expect((await exchange(service)).status).toBe(200);
});
