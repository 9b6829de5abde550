import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResponseScript } from "../../../local/tenant/control/scripted-responses.ts";
import { CLIENT_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { createAzureIdentity } from "../../../shared/credential/azure-identity.ts";
import { createClientSecret } from "../../../shared/credential/client-secret.ts";
import { createKeyVault } from "../../../shared/credential/key-vault.ts";
import type { Vault } from "../../../shared/credential/vault.ts";
import { useTenant } from "../../support/use-tenant.ts";

/** Entra's number for the refused credential. */
const REFUSED = [7000215];

const tenant = useTenant();
let names = 0;
/** A separate secret for each test. */
let name = "";

beforeEach(() => {
  names += 1;
  name = `secret-${names}`;
});
afterEach(() => {
  tenant.state.clearOrders();
  tenant.state.clearLog();
  tenant.state.setVaultRole({ role: "user" });
});

/** Busy machines are slow: only the tests of the deadline use a short one. */
function open(deadlineMs = 20_000, managedIdentityClientId?: string): Vault {
  const identity = createAzureIdentity(managedIdentityClientId === undefined ? {} : { managedIdentityClientId });
  return createKeyVault({ vaultUrl: tenant.url, cloudName: "local", identity, deadlineMs });
}

const vaultRequests = () => tenant.state.requests({ endpoint: "vault" }).length;
const order = (spec: Omit<ResponseScript, "endpoint">) =>
  tenant.state.order({ endpoint: "vault", path: name, ...spec });
const failure = (kind: string, fields: object = {}) => ({ ok: false, failure: { kind, ...fields } });

describe("Key Vault refuses", () => {
  it("a secret that does not exist", async () => {
    expect(await open().readSecret(name)).toEqual(failure("secret_missing"));
    expect(await open().listVersions(name)).toEqual(failure("secret_missing"));
  });

  it("a version that does not exist", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    expect(await open().readSecret(name, "0".repeat(32))).toEqual(failure("secret_missing"));
  });

  it("a deleted secret", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    tenant.state.deleteSecret({ name });
    expect(await open().readSecret(name)).toEqual(failure("secret_missing"));
  });

  it("KV-21: a disabled secret", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t", enabled: false });
    expect(await open().readSecret(name)).toEqual(failure("secret_disabled"));
  });

  it.each(["ForbiddenByRbac", "ForbiddenByPolicy", "ForbiddenByFirewall", "AccessDenied"] as const)(
    "KV-23: an identity without permission: %s",
    async (code) => {
      tenant.state.setSecret({ name, value: "S3cr3t" });
      tenant.state.setVaultRole({ role: code });
      expect(await open().readSecret(name)).toEqual(failure("vault_refused", { code }));
    },
  );

  it("a second 401 after the challenge was answered", async () => {
    const challenge = `Bearer authorization="${tenant.url}/x", resource="https://vault.azure.net"`;
    order({
      status: 401,
      times: 0,
      headers: { "WWW-Authenticate": challenge },
      body: { error: { code: "Unauthorized" } },
    });
    expect(await open().readSecret(name)).toEqual(failure("vault_refused", { code: "Unauthorized" }));
  });
});

describe("Key Vault fails", () => {
  it.each<[string, Omit<ResponseScript, "endpoint">, object, number]>([
    ["KV-30: throttled", { throttleSeconds: 5 }, { kind: "vault_throttled" }, 1],
    [
      "throttled without Retry-After",
      { status: 429, body: { error: { code: "Throttled", message: "prose" } } },
      { kind: "vault_throttled" },
      1,
    ],
    [
      "503 with Retry-After",
      { status: 503, headers: { "Retry-After": "30" }, body: { error: { code: "ServiceUnavailable" } } },
      { kind: "vault_unreachable", code: "ServiceUnavailable" },
      1,
    ],
    [
      "503",
      { status: 503, body: { error: { code: "ServiceUnavailable" } } },
      { kind: "vault_unreachable", code: "ServiceUnavailable" },
      2,
    ],
    ["500 in HTML", { status: 500, body: "<html>https://internal.example</html>" }, { kind: "vault_unreachable" }, 2],
    [
      "400",
      { status: 400, body: { error: { code: "BadParameter", message: "prose" } } },
      { kind: "vault_answer_invalid" },
      1,
    ],
    ["a dropped connection", { drop: true }, { kind: "vault_unreachable", code: "ECONNRESET" }, 2],
  ])("%s: the read fails after at most one retry", async (_name, spec, expected, requests) => {
    const vault = open();
    tenant.state.setSecret({ name, value: "S3cr3t" });
    await vault.readSecret(name);
    tenant.state.clearLog();
    order({ ...spec, times: 0 });
    const result = await vault.readSecret(name);
    expect(result).toMatchObject({ ok: false, failure: expected });
    expect(JSON.stringify(result)).not.toMatch(/prose|http|localhost/);
    expect(vaultRequests()).toBe(requests);
  });

  it.each<[string, Omit<ResponseScript, "endpoint">]>([
    ["503", { status: 503, body: { error: { code: "ServiceUnavailable" } } }],
    ["a dropped connection", { drop: true }],
  ])("%s once: the retry succeeds", async (_name, spec) => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    order(spec);
    expect((await open().readSecret(name)).ok).toBe(true);
  });

  it("without an answer: the read fails at the deadline", async () => {
    order({ hang: true, times: 0 });
    expect(await open(150).readSecret(name)).toEqual(failure("vault_timeout"));
    expect(await open(150).listVersions(name)).toEqual(failure("vault_timeout"));
  });

  it.each<[string, unknown]>([
    ["an empty object", {}],
    ["an empty value", { value: "", id: "https://localhost/secrets/x/1" }],
    ["a number for a value", { value: 7, id: "https://localhost/secrets/x/1" }],
    ["no version", { value: "S3cr3t", id: "https://localhost/secrets/x" }],
    ["no id", { value: "S3cr3t" }],
    ["a list", []],
    ["a text", "S3cr3t"],
  ])("KV-41: 200 with %s: the answer is invalid", async (_name, body) => {
    order({ status: 200, body });
    expect(await open().readSecret(name)).toEqual(failure("vault_answer_invalid"));
  });

  it("200 with a disabled secret: the secret counts as disabled", async () => {
    order({
      status: 200,
      body: { value: "S3cr3t", id: "https://localhost/secrets/x/1", attributes: { enabled: false } },
    });
    expect(await open().readSecret(name)).toEqual(failure("secret_disabled"));
  });

  it("without a server: the vault is unreachable", async () => {
    const gone = createKeyVault({
      vaultUrl: "https://localhost:1",
      cloudName: "local",
      identity: createAzureIdentity({}),
      deadlineMs: 20_000,
    });
    expect(await gone.readSecret(name)).toEqual(failure("vault_unreachable", { code: "ECONNREFUSED" }));
  });
});

describe("the managed identity", () => {
  it("that returns no token causes a separate failure, without the endpoint's text", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    tenant.state.order({
      endpoint: "msi",
      times: 0,
      status: 400,
      body: { statusCode: 400, message: "prose https://internal" },
    });
    const unknown = open(20_000, "1de70000-0000-4000-8000-00000000dead");
    expect(await unknown.readSecret(name)).toEqual(failure("identity_unavailable"));
  });

  it("that never answers fails the read at the vault's deadline, although the SDK cannot be aborted", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    tenant.state.order({ endpoint: "msi", times: 0, hang: true });
    expect(await open(150, "1de70000-0000-4000-8000-00000000beef").readSecret(name)).toEqual(failure("vault_timeout"));
  });

  it("that did not answer once does not block later reads", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    tenant.state.order({ endpoint: "msi", times: 1, hang: true });
    // This identity was not used before in this process, so the SDK has no cached token.
    const managedIdentityClientId = CLIENT_IDS.userIdentity;
    const identity = createAzureIdentity({ managedIdentityClientId, deadlineMs: 150 });
    const vault = createKeyVault({ vaultUrl: tenant.url, cloudName: "local", identity, deadlineMs: 20_000 });
    expect(await vault.readSecret(name)).toEqual(failure("identity_unavailable"));
    const patient = createAzureIdentity({ managedIdentityClientId });
    identity.getToken = patient.getToken;
    expect((await vault.readSecret(name)).ok).toBe(true);
  });

  it("can be user-assigned", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    tenant.state.setVaultRole({ role: "ForbiddenByRbac" });
    expect((await open(20_000, CLIENT_IDS.userIdentity).readSecret(name)).ok).toBe(true);
  });
});

describe("outside the local cloud", () => {
  it("KV-6: the vault's host must be below the audience that it names, so that no other host gets the vault token", async () => {
    const vault = createKeyVault({
      vaultUrl: tenant.url,
      cloudName: "public",
      identity: createAzureIdentity({}),
      deadlineMs: 20_000,
    });
    tenant.state.setSecret({ name, value: "S3cr3t" });
    expect(await vault.readSecret(name)).toEqual(failure("vault_answer_invalid"));
    expect(tenant.state.requests({ endpoint: "vault" })).toHaveLength(1);
  });
});

describe("Key Vault", () => {
  it("returns value, version, dates and content type, of the newest or the given version", async () => {
    const first = tenant.state.setSecret({
      name,
      value: "S3cr3t-1",
      notBefore: 1_700_000_000,
      expires: 1_700_000_001,
      contentType: "text/plain",
    });
    const second = tenant.state.setSecret({ name, value: "S3cr3t-2" });
    const vault = open();
    expect(await vault.readSecret(name)).toEqual({
      ok: true,
      value: { value: new SecretValue("S3cr3t-2"), version: second.version },
    });
    const named = await vault.readSecret(name, first.version);
    // KV-20: the vault returns a secret that expired long ago.
    expect(named).toMatchObject({
      ok: true,
      value: {
        version: first.version,
        notBeforeSeconds: 1_700_000_000,
        expiresAtSeconds: 1_700_000_001,
        contentType: "text/plain",
      },
    });
    expect(named.ok && named.value.value.reveal()).toBe("S3cr3t-1");
    expect(inspect(named, { depth: 9, showHidden: true })).not.toContain("S3cr3t");
  });

  it("KV-5: is called once without a token, and its challenge is remembered", async () => {
    tenant.state.setSecret({ name, value: "S3cr3t" });
    const vault = open();
    await vault.readSecret(name);
    expect(vaultRequests()).toBe(2);
    await vault.readSecret(name);
    expect(vaultRequests()).toBe(3);
  });

  it("lists one page of versions, newest first, with their state and without values", async () => {
    const clock = { offsetMs: 0 };
    const made: string[] = [];
    for (let version = 0; version < 30; version += 1) {
      tenant.state.setClockOffset(clock);
      const { version: id } = tenant.state.setSecret({
        name,
        value: `S3cr3t-${version}`,
        enabled: version % 2 === 0,
        expires: 2_000_000_000,
      });
      made.push(id);
      clock.offsetMs += 1_000;
    }
    tenant.state.setClockOffset({ offsetMs: 0 });
    const listed = await open().listVersions(name);
    if (!listed.ok) throw new Error(listed.failure.kind);
    expect(listed.value).toHaveLength(25);
    expect(listed.value[0]).toMatchObject({ expiresAtSeconds: 2_000_000_000 });
    const times = listed.value.map((entry) => entry.createdAtSeconds);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(listed.value.map((entry) => entry.enabled)).toContain(false);
    expect(JSON.stringify(listed)).not.toContain("S3cr3t");
  });

  it("may list entries without a version, which are skipped, or an empty list", async () => {
    order({
      status: 200,
      body: { value: [{ id: `https://localhost/secrets/${name}` }, { id: `https://localhost/secrets/${name}/v` }] },
    });
    expect(await open().listVersions(name)).toEqual({
      ok: true,
      value: [{ version: "v", enabled: false, createdAtSeconds: 0 }],
    });
    order({ status: 200, body: { value: [] } });
    expect(await open().listVersions(name)).toEqual({ ok: true, value: [] });
  });
});

describe("a client secret from the real SDK", () => {
  it("E-82: a new instance uses the previous version if Entra does not know the newest one", async () => {
    const first = tenant.state.setSecret({ name, value: "S3cr3t-1" });
    const second = tenant.state.setSecret({ name, value: "S3cr3t-2" });
    const source = createClientSecret({ vault: open(), name, now: Date.now, onEvent: () => undefined });
    expect(await source.current()).toMatchObject({ value: { version: second.version } });
    expect(await source.refused(second.version, REFUSED)).toBe(true);
    expect(await source.current()).toMatchObject({ value: { version: first.version } });
  });
});
