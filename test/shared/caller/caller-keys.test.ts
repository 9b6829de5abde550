/** The tenant's keys together with those of the service's registration, over a fake network with two key sets. */
import { beforeEach, describe, expect, it } from "vitest";
import { type CallerKeys, type CallerKeysInput, createCallerKeys } from "../../../shared/caller/caller-keys.ts";
import { createIssuerKeys, REFETCH_COOLDOWN_MS } from "../../../shared/caller/issuer-keys.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import type { OutboundFailure, OutboundResponse } from "../../../shared/outbound/outbound.ts";
import { KEY_SET_URL } from "../../forged-tokens/support/service.ts";
import {
  attackerKey,
  consumersIssuer,
  consumersKey,
  createSigningKey,
  entraKey,
  publish,
  SERVICE_ID,
  TENANT_ID,
  V2_ISSUER,
} from "../../forged-tokens/support/tenant.ts";

type Answer = Result<OutboundResponse, OutboundFailure>;

const OWN_URL = `${KEY_SET_URL}?appid=${SERVICE_ID}`;
const NARROW_ID = "22222222-2222-4333-8444-555555555555";
const NARROW_URL = `${KEY_SET_URL}?appid=${NARROW_ID}`;
const ownKey = createSigningKey();
const narrowKey = createSigningKey();
const keySet = (...keys: unknown[]): Answer => succeed({ status: 200, headers: {}, body: JSON.stringify({ keys }) });

let nowMs: number;
let answers: Record<string, Answer>;
let requests: string[];
/** As for a token whose audience is the service's registration. */
const find = (keyId: string, registration: string | undefined = SERVICE_ID) => keys.find(keyId, () => registration);

let sets: CallerKeysInput;
let keys: CallerKeys;

beforeEach(() => {
  nowMs = 1_000_000;
  requests = [];
  answers = {
    [KEY_SET_URL]: keySet(publish(entraKey)),
    [OWN_URL]: keySet(publish(entraKey), publish(ownKey)),
    [NARROW_URL]: keySet(publish(entraKey), publish(narrowKey)),
  };
  const create = (keySetUrl: string, isElsewhere?: (keyId: string) => boolean) =>
    createIssuerKeys({
      keySetUrl,
      tenantId: TENANT_ID,
      tenantIssuer: V2_ISSUER,
      outbound: {
        async send({ url }) {
          requests.push(url);
          return answers[url] ?? fail({ kind: "timeout" });
        },
      },
      now: () => nowMs,
      onProblem: () => undefined,
      ...(isElsewhere === undefined ? {} : { isElsewhere }),
    });
  const tenant = create(KEY_SET_URL);
  sets = {
    tenant,
    registrations: new Map([
      [SERVICE_ID, create(OWN_URL, tenant.has)],
      [NARROW_ID, create(NARROW_URL, tenant.has)],
    ]),
  };
  keys = createCallerKeys(sets);
});

describe("keys that sign callers' tokens", () => {
  it("a key of the tenant needs no request for the registration's key set", async () => {
    expect((await find(entraKey.keyId)).ok).toBe(true);
    expect(await keys.ready()).toBe(true);
    expect(requests).toEqual([KEY_SET_URL]);
  });

  it("TK-21 E-7 a key that Entra publishes only for the service's registration is found", async () => {
    expect((await find(ownKey.keyId)).ok).toBe(true);
    expect(sets.registrations.get(SERVICE_ID)?.has(ownKey.keyId)).toBe(true);
    expect(requests).toEqual([KEY_SET_URL, OWN_URL]);
    nowMs += REFETCH_COOLDOWN_MS;
    expect((await find(ownKey.keyId)).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("SEC-19 1,000 invented ids cause one request for each key set and cooldown", async () => {
    await find(entraKey.keyId);
    for (const cooldown of [1, 2]) {
      requests = [];
      for (let index = 0; index < 1_000; index += 1) {
        expect(await find(`invented-${cooldown}-${index}`)).toEqual(fail("key_unknown"));
      }
      expect(requests.filter((url) => url === KEY_SET_URL)).toHaveLength(1);
      // The first read of a set starts no cooldown.
      expect(requests.filter((url) => url === OWN_URL).length).toBeLessThanOrEqual(cooldown === 1 ? 2 : 1);
      nowMs += REFETCH_COOLDOWN_MS;
    }
  });

  it.each([
    ["without a key of its own", keySet(publish(entraKey))],
    ["that is empty", keySet()],
    ["with keys of another issuer", keySet(publish(consumersKey, { issuer: consumersIssuer }))],
  ])("a key set of the registration %s makes an unknown key no outage", async (_what, own) => {
    answers[OWN_URL] = own;
    expect(await find(attackerKey.keyId)).toEqual(fail("key_unknown"));
    expect(await find(consumersKey.keyId)).toEqual(fail("key_unknown"));
  });

  it("an unknown key counts as unavailable while one of the key sets cannot be read", async () => {
    answers[OWN_URL] = fail({ kind: "timeout" });
    expect(await find(ownKey.keyId)).toEqual(fail("keys_unavailable"));
    answers[KEY_SET_URL] = fail({ kind: "timeout" });
    nowMs += REFETCH_COOLDOWN_MS;
    expect(await find(ownKey.keyId)).toEqual(fail("keys_unavailable"));
  });

  it("a key of the tenant ends with the tenant's key set, even if the registration's key set lists it too", async () => {
    await find(ownKey.keyId);
    answers[KEY_SET_URL] = keySet(publish(attackerKey));
    answers[OWN_URL] = keySet(publish(ownKey));
    nowMs += REFETCH_COOLDOWN_MS;
    expect((await find(attackerKey.keyId)).ok).toBe(true);
    expect(await find(entraKey.keyId)).toEqual(fail("key_unknown"));
  });

  it("the keys of one registration verify no token of another registration, and none of no registration", async () => {
    expect((await find(narrowKey.keyId, NARROW_ID)).ok).toBe(true);
    expect(await find(narrowKey.keyId, SERVICE_ID)).toEqual(fail("key_unknown"));
    expect(await find(ownKey.keyId, NARROW_ID)).toEqual(fail("key_unknown"));
    nowMs += REFETCH_COOLDOWN_MS;
    expect(await find(narrowKey.keyId, "33333333-2222-4333-8444-555555555555")).toEqual(fail("key_unknown"));
    const noRegistration = await keys.find(narrowKey.keyId, () => undefined);
    expect(noRegistration).toEqual(fail("key_unknown"));
  });

  it("an unknown key causes a request for the key set of the named registration only", async () => {
    await find(entraKey.keyId);
    requests = [];
    expect(await find(attackerKey.keyId, NARROW_ID)).toEqual(fail("key_unknown"));
    expect(requests).toEqual([KEY_SET_URL, NARROW_URL]);
  });

  it("a known key of the tenant never asks which registration the token names", async () => {
    await find(entraKey.keyId);
    const named = () => {
      throw new Error("the audience was read");
    };
    expect((await keys.find(entraKey.keyId, named)).ok).toBe(true);
  });

  it("the generation increases with each of the two key sets", async () => {
    await find(entraKey.keyId);
    const tenantOnly = keys.generation;
    await find(ownKey.keyId);
    expect(keys.generation).toBe(tenantOnly + 1);
  });
});
