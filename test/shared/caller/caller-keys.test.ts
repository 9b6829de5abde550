/** The tenant's keys together with those of the service's registration, over a fake network with two key sets. */
import { beforeEach, describe, expect, it } from "vitest";
import { type CallerKeysInput, createCallerKeys } from "../../../shared/caller/caller-keys.ts";
import { createIssuerKeys, type IssuerKeys, REFETCH_COOLDOWN_MS } from "../../../shared/caller/issuer-keys.ts";
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
const ownKey = createSigningKey();
const keySet = (...keys: unknown[]): Answer => succeed({ status: 200, headers: {}, body: JSON.stringify({ keys }) });

let nowMs: number;
let answers: Record<string, Answer>;
let requests: string[];
let sets: CallerKeysInput;
let keys: IssuerKeys;

beforeEach(() => {
  nowMs = 1_000_000;
  requests = [];
  answers = { [KEY_SET_URL]: keySet(publish(entraKey)), [OWN_URL]: keySet(publish(entraKey), publish(ownKey)) };
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
  sets = { tenant, registration: create(OWN_URL, tenant.has) };
  keys = createCallerKeys(sets);
});

describe("keys that sign callers' tokens", () => {
  it("a key of the tenant needs no request for the registration's key set", async () => {
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    expect(await keys.ready()).toBe(true);
    expect(requests).toEqual([KEY_SET_URL]);
  });

  it("TK-21 E-7 a key that Entra publishes only for the service's registration is found", async () => {
    expect((await keys.find(ownKey.keyId)).ok).toBe(true);
    expect(keys.has(ownKey.keyId)).toBe(true);
    expect(requests).toEqual([KEY_SET_URL, OWN_URL]);
    nowMs += REFETCH_COOLDOWN_MS;
    expect((await keys.find(ownKey.keyId)).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("SEC-19 1,000 invented ids cause one request for each key set and cooldown", async () => {
    await keys.find(entraKey.keyId);
    for (const cooldown of [1, 2]) {
      requests = [];
      for (let index = 0; index < 1_000; index += 1) {
        expect(await keys.find(`invented-${cooldown}-${index}`)).toEqual(fail("key_unknown"));
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
    expect(await keys.find(attackerKey.keyId)).toEqual(fail("key_unknown"));
    expect(keys.has(consumersKey.keyId)).toBe(false);
  });

  it("an unknown key counts as unavailable while one of the key sets cannot be read", async () => {
    answers[OWN_URL] = fail({ kind: "timeout" });
    expect(await keys.find(ownKey.keyId)).toEqual(fail("keys_unavailable"));
    answers[KEY_SET_URL] = fail({ kind: "timeout" });
    nowMs += REFETCH_COOLDOWN_MS;
    expect(await keys.find(ownKey.keyId)).toEqual(fail("keys_unavailable"));
  });

  it("a key of the tenant ends with the tenant's key set, even if the registration's key set lists it too", async () => {
    await keys.find(ownKey.keyId);
    answers[KEY_SET_URL] = keySet(publish(attackerKey));
    answers[OWN_URL] = keySet(publish(ownKey));
    nowMs += REFETCH_COOLDOWN_MS;
    expect((await keys.find(attackerKey.keyId)).ok).toBe(true);
    expect(await keys.find(entraKey.keyId)).toEqual(fail("key_unknown"));
    expect(keys.has(entraKey.keyId)).toBe(false);
  });

  it("the generation increases with each of the two key sets", async () => {
    await keys.find(entraKey.keyId);
    const tenantOnly = keys.generation;
    await keys.find(ownKey.keyId);
    expect(keys.generation).toBe(tenantOnly + 1);
  });
});
