import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createAzureIdentity } from "../../../shared/credential/azure-identity.ts";
import type { CredentialEvent } from "../../../shared/credential/credential-event.ts";
import { type AssertionIdentity, createFederatedCredential } from "../../../shared/credential/federated-credential.ts";
import { useTenant } from "../../support/use-tenant.ts";

/** Entra's number for the refused credential. */
const REFUSED = [700213];

const EPOCH_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const AUDIENCE = "api://AzureADTokenExchange";
const unavailable = (reason: string) => ({ ok: false, failure: { kind: "credential_unavailable", reason } });
const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = { ms: EPOCH_MS };
  const events: CredentialEvent[] = [];
  const requests: string[] = [];
  const paused: number[] = [];
  let tokens = 0;
  const identity = {
    /** What the identity does next; by default it returns a new token of one hour. */
    answer: (): ReturnType<AssertionIdentity["getToken"]> => {
      tokens += 1;
      return Promise.resolve({ token: `S3cr3t-assertion-${tokens}`, expiresOnTimestamp: clock.ms + HOUR_MS });
    },
    getToken(scope: string) {
      requests.push(scope);
      return identity.answer();
    },
  };
  const source = createFederatedCredential({
    identity,
    federationAudience: AUDIENCE,
    now: () => clock.ms,
    onEvent: (event) => events.push(event),
    deadlineMs: 100,
    pause: (milliseconds) => {
      paused.push(milliseconds);
      return Promise.resolve();
    },
  });
  const assertion = async () => {
    const result = await source.current();
    return result.ok && result.value.kind === "federated" ? result.value.assertion.reveal() : result;
  };
  const broken = () => Promise.reject(new Error("prose with https://internal and S3cr3t"));
  return {
    paused,
    clock,
    events,
    requests,
    identity,
    source,
    assertion,
    broken,
  };
}

describe("a federated credential without a token", () => {
  it.each<[string, () => ReturnType<AssertionIdentity["getToken"]>, string]>([
    ["the endpoint fails", () => Promise.reject(new Error("prose")), "identity_unavailable"],
    [
      "the SDK throws synchronously",
      () => {
        throw new Error("prose");
      },
      "identity_unavailable",
    ],
    ["the SDK returns null", () => Promise.resolve(null), "assertion_missing"],
    [
      "the token is empty",
      () => Promise.resolve({ token: "", expiresOnTimestamp: EPOCH_MS + HOUR_MS }),
      "assertion_missing",
    ],
    ["the token has expired", () => Promise.resolve({ token: "x", expiresOnTimestamp: EPOCH_MS }), "assertion_expired"],
    ["the endpoint never answers", () => new Promise(() => undefined), "identity_timeout"],
  ])("is unavailable: %s", async (_name, answer, reason) => {
    const { identity, source } = setUp();
    identity.answer = answer;
    expect(await source.current()).toEqual(unavailable(reason));
    expect(source.describe()).toEqual({ state: "unavailable", version: undefined, expiresAtSeconds: undefined });
  });

  it("is requested again after two seconds", async () => {
    const { identity, requests, assertion, clock, broken } = setUp();
    const { answer } = identity;
    identity.answer = broken;
    for (let call = 0; call < 20; call += 1) expect(await assertion()).toEqual(unavailable("identity_unavailable"));
    expect(requests).toHaveLength(1);
    identity.answer = answer;
    clock.ms += 2_000;
    expect(await assertion()).toBe("S3cr3t-assertion-1");
  });
});

describe("a federated credential with a token", () => {
  it("is requested once for fifty callers, for the federation audience", async () => {
    const { requests, assertion, source, events } = setUp();
    expect(source.describe().state).toBe("unread");
    expect(new Set(await Promise.all(Array.from({ length: 50 }, assertion)))).toEqual(new Set(["S3cr3t-assertion-1"]));
    expect(requests).toEqual(["api://AzureADTokenExchange/.default"]);
    expect(events).toEqual([{ name: "credential_read", credential: "managed-identity", version: "managed-identity" }]);
    expect(source.describe()).toEqual({
      state: "ready",
      version: "managed-identity",
      expiresAtSeconds: undefined,
    });
  });

  it("is requested again in the background after a minute", async () => {
    const { requests, assertion, clock } = setUp();
    await assertion();
    clock.ms += 60_000;
    expect(await assertion()).toBe("S3cr3t-assertion-1");
    await settled();
    expect(requests).toHaveLength(2);
    expect(await assertion()).toBe("S3cr3t-assertion-2");
  });

  it("stays in use until the last minute of the token if the renewal fails", async () => {
    const { identity, assertion, clock, source, events, broken } = setUp();
    await assertion();
    identity.answer = broken;
    clock.ms += HOUR_MS - 60_001;
    expect(await assertion()).toBe("S3cr3t-assertion-1");
    await settled();
    expect(source.describe().state).toBe("stale");
    expect(events.at(-1)).toMatchObject({ name: "credential_stale", reason: "identity_unavailable" });
    clock.ms += 60_000;
    expect(await assertion()).toEqual(unavailable("identity_unavailable"));
    expect(source.describe().state).toBe("unavailable");
  });

  it("allows one more try in a new instance, because Entra's replicas may not know the credential yet (700213)", async () => {
    const { source, paused } = setUp();
    await source.current();
    expect(await source.refused("managed-identity", REFUSED)).toBe(true);
    expect(paused).toEqual([750]);
  });

  it("allows no other try if Entra refuses it later", async () => {
    const { source, events, clock } = setUp();
    await source.current();
    clock.ms += 15 * 60_000;
    expect(await source.refused("managed-identity", REFUSED)).toBe(false);
    expect(events.at(-1)).toMatchObject({ name: "credential_refused", next: undefined });
  });

  it("prints neither the assertion nor the text of an SDK error", async () => {
    const { source, events, identity, clock, broken } = setUp();
    const credential = await source.current();
    identity.answer = broken;
    clock.ms += 2 * HOUR_MS;
    const everything = [credential, await source.current(), source, source.describe(), events];
    expect(inspect(everything, { depth: 12, showHidden: true }) + JSON.stringify(everything)).not.toMatch(
      /S3cr3t|prose|https/,
    );
  });
});

describe("a federated credential from the real SDK", () => {
  const tenant = useTenant();

  it("is the managed identity's token for the exchange audience", async () => {
    const source = createFederatedCredential({
      identity: createAzureIdentity({}),
      federationAudience: AUDIENCE,
      now: Date.now,
      onEvent: () => undefined,
    });
    const result = await source.current();
    if (!result.ok || result.value.kind !== "federated") throw new Error("no assertion");
    const payload: unknown = JSON.parse(
      Buffer.from(result.value.assertion.reveal().split(".")[1] ?? "", "base64url").toString(),
    );
    const { systemIdentity } = (await import("../../../local/tenant/directory/seed-ids.ts")).OBJECT_IDS;
    expect(payload).toMatchObject({ sub: systemIdentity, iss: `${tenant.url}/${tenant.state.tenantId}/v2.0` });
    expect(tenant.state.requests({ endpoint: "msi" }).map((request) => request.query["resource"])).toEqual([AUDIENCE]);
  });
});
