/**
 * Entra's signing keys over a fake network: the test gives the answers one by one and moves the clock.
 */
import { beforeEach, describe, expect, it } from "vitest";
import {
  createIssuerKeys,
  FAILURE_COOLDOWN_MS,
  type IssuerKeys,
  KEY_SET_MAX_AGE_MS,
  type KeySetProblem,
  REFETCH_COOLDOWN_MS,
} from "../../../shared/caller/issuer-keys.ts";
import { KEY_SET_DEADLINE_MS, KEY_SET_MAX_BYTES } from "../../../shared/core/limits.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import type { OutboundFailure, OutboundRequest, OutboundResponse } from "../../../shared/outbound/outbound.ts";
import { KEY_SET_URL } from "../../forged-tokens/support/service.ts";
import {
  attackerKey,
  consumersIssuer,
  consumersKey,
  entraKey,
  publish,
  TENANT_ID,
  V2_ISSUER,
} from "../../forged-tokens/support/tenant.ts";

type Answer = Result<OutboundResponse, OutboundFailure>;

const answer = (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  succeed({ status, headers, body });
const keySet = (...keys: unknown[]) => answer(200, JSON.stringify({ keys }));
const oldSet = keySet(publish(entraKey));
/** After a rotation: the key that other tests use as the attacker's is published. */
const newSet = keySet(publish(entraKey), publish(attackerKey));

let nowMs: number;
let requests: OutboundRequest[];
let waiting: ((answer: Answer | Promise<Answer>) => void)[];
let problems: KeySetProblem[];
let keys: IssuerKeys;

beforeEach(() => {
  nowMs = 1_000_000;
  requests = [];
  waiting = [];
  problems = [];
  keys = createIssuerKeys({
    keySetUrl: KEY_SET_URL,
    tenantId: TENANT_ID,
    tenantIssuer: V2_ISSUER,
    outbound: {
      send(request) {
        requests.push(request);
        return new Promise((resolve) => waiting.push(resolve));
      },
    },
    now: () => nowMs,
    onProblem: (problem) => problems.push(problem),
  });
});

/** Answers the oldest open request and runs everything that waits for it. */
async function respond(given: Answer | Promise<Answer>): Promise<void> {
  const resolve = waiting.shift();
  if (resolve === undefined) throw new Error("no request is open");
  resolve(given);
  // Importing a key takes several turns of the event loop, not a fixed number of microtasks.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
}

async function findAndRespond(keyId: string, given: Answer) {
  const found = keys.find(keyId);
  await respond(given);
  return found;
}

describe("the first load of the signing keys", () => {
  it("is one request to the configured URL, with a deadline and a size limit", async () => {
    expect(keys.has(entraKey.keyId)).toBe(false);
    expect((await findAndRespond(entraKey.keyId, oldSet)).ok).toBe(true);
    expect(requests).toEqual([
      {
        method: "GET",
        url: KEY_SET_URL,
        headers: { accept: "application/json" },
        deadlineMs: KEY_SET_DEADLINE_MS,
        maxBytes: KEY_SET_MAX_BYTES,
      },
    ]);
    expect(keys.has(entraKey.keyId)).toBe(true);
    expect(problems).toEqual([]);
  });

  it("E-25 is one request for 50 concurrent look-ups", async () => {
    const found = Array.from({ length: 50 }, () => keys.find(entraKey.keyId));
    await respond(oldSet);
    expect((await Promise.all(found)).every((result) => result.ok)).toBe(true);
    expect(requests).toHaveLength(1);
  });

  it("is one request for 50 concurrent look-ups of invented ids", async () => {
    const found = Array.from({ length: 50 }, (_, index) => keys.find(`invented-${index}`));
    await respond(oldSet);
    expect(await Promise.all(found)).toEqual(Array(50).fill(fail("key_unknown")));
    expect(requests).toHaveLength(1);
  });

  it("is not repeated: later look-ups return the same imported key", async () => {
    const first = await findAndRespond(entraKey.keyId, oldSet);
    nowMs += KEY_SET_MAX_AGE_MS;
    expect(await keys.find(entraKey.keyId)).toEqual(first);
    expect(requests).toHaveLength(1);
  });

  it.each<[string, Answer, KeySetProblem["reason"]]>([
    ["a timeout", fail({ kind: "timeout" }), "timeout"],
    ["no connection", fail({ kind: "network", code: "ECONNREFUSED" }), "network"],
    ["200,000 keys", fail({ kind: "answer_too_large" }), "answer_too_large"],
    ["redirect", answer(302, "", { location: "https://attacker.example/keys" }), "status"],
    ["server error", answer(500, '{"keys":[]}'), "status"],
    ["empty 204", answer(204, ""), "status"],
    ["HTML", answer(200, "<!doctype html><title>Sign in</title>", { "content-type": "text/html" }), "not_a_key_set"],
    ["empty body", answer(200, ""), "not_a_key_set"],
    ["{}", answer(200, "{}"), "not_a_key_set"],
    ["null", answer(200, "null"), "not_a_key_set"],
    ["a list", answer(200, "[]"), "not_a_key_set"],
    ["keys that is not a list", answer(200, '{"keys":{}}'), "not_a_key_set"],
    ["no keys", answer(200, '{"keys":[]}'), "no_usable_key"],
    ["keys that are not JSON objects", answer(200, '{"keys":[null,1,"x",[],{}]}'), "no_usable_key"],
    ["only keys of other issuers", keySet(publish(consumersKey, { issuer: consumersIssuer })), "no_usable_key"],
  ])("fails with a reason: %j", async (_what, given, reason) => {
    expect(await findAndRespond(entraKey.keyId, given)).toEqual(fail("keys_unavailable"));
    expect(problems).toEqual([{ reason, servingAgeMs: undefined }]);
    expect(keys.generation).toBe(0);
  });

  it("fails if the outbound client throws, without an exception", async () => {
    expect(await findAndRespond(entraKey.keyId, Promise.reject(new Error("bug")) as unknown as Answer)).toEqual(
      fail("keys_unavailable"),
    );
    expect(problems).toEqual([{ reason: "unexpected", servingAgeMs: undefined }]);
  });

  it("is repeated after the cooldown if it failed", async () => {
    await findAndRespond(entraKey.keyId, fail({ kind: "timeout" }));
    nowMs += FAILURE_COOLDOWN_MS - 1;
    expect(await keys.find(entraKey.keyId)).toEqual(fail("keys_unavailable"));
    expect(await keys.ready()).toBe(false);
    expect(requests).toHaveLength(1);
    nowMs += 1;
    expect((await findAndRespond(entraKey.keyId, oldSet)).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });
});

describe("an unknown key id", () => {
  beforeEach(async () => {
    await findAndRespond(entraKey.keyId, oldSet);
  });

  it("right after the first load causes a request at once (E-25: jose would refuse it for 30 s)", async () => {
    nowMs += 1;
    expect((await findAndRespond(attackerKey.keyId, newSet)).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("SEC-19 1,000 invented ids cause one request per cooldown", async () => {
    expect(await findAndRespond("invented", oldSet)).toEqual(fail("key_unknown"));
    for (let index = 0; index < 1_000; index += 1) {
      expect(await keys.find(`invented-${index}`)).toEqual(fail("key_unknown"));
    }
    nowMs += REFETCH_COOLDOWN_MS - 1;
    expect(await keys.find("invented")).toEqual(fail("key_unknown"));
    expect(requests).toHaveLength(2);
    nowMs += 1;
    const both = [keys.find("invented"), keys.find("invented-too")];
    await respond(oldSet);
    expect(await Promise.all(both)).toEqual([fail("key_unknown"), fail("key_unknown")]);
    expect(requests).toHaveLength(3);
    expect(problems).toEqual([]);
  });

  it("does not delay look-ups of known ids", async () => {
    const unknown = keys.find("invented");
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    await respond(oldSet);
    expect(await unknown).toEqual(fail("key_unknown"));
  });

  it("joins a running request and uses its answer", async () => {
    const first = keys.find(attackerKey.keyId);
    const second = keys.find(attackerKey.keyId);
    await respond(newSet);
    expect((await first).ok && (await second).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("while Entra is down counts as unavailable, not as unknown, with one request per cooldown", async () => {
    expect(await findAndRespond(attackerKey.keyId, fail({ kind: "timeout" }))).toEqual(fail("keys_unavailable"));
    expect(await keys.find(attackerKey.keyId)).toEqual(fail("keys_unavailable"));
    expect(requests).toHaveLength(2);
    expect(problems).toEqual([{ reason: "timeout", servingAgeMs: 0 }]);
    nowMs += FAILURE_COOLDOWN_MS;
    expect((await findAndRespond(attackerKey.keyId, newSet)).ok).toBe(true);
  });

  it("causes a request although the clock was set back", async () => {
    await findAndRespond("invented", oldSet);
    nowMs -= 3_600_000;
    expect((await findAndRespond(attackerKey.keyId, newSet)).ok).toBe(true);
  });
});

describe("signing keys older than a day", () => {
  beforeEach(async () => {
    await findAndRespond(entraKey.keyId, oldSet);
    nowMs += KEY_SET_MAX_AGE_MS + 1;
  });

  it("stay in use and are read again in the background", async () => {
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    expect(requests).toHaveLength(2);
    await respond(newSet);
    expect(keys.has(attackerKey.keyId)).toBe(true);
  });

  it("stay in use at any age while Entra is down, with one attempt and one warning per cooldown", async () => {
    for (const down of [fail({ kind: "timeout" } as const), answer(503, ""), answer(200, "<html>"), keySet()]) {
      expect((await keys.find(entraKey.keyId)).ok).toBe(true);
      await respond(down);
      expect((await keys.find(entraKey.keyId)).ok).toBe(true);
      nowMs += KEY_SET_MAX_AGE_MS;
    }
    expect(requests).toHaveLength(5);
    expect(problems.map((problem) => problem.reason)).toEqual(["timeout", "status", "not_a_key_set", "no_usable_key"]);
    expect(problems.map((problem) => problem.servingAgeMs)).toEqual(
      [0, 1, 2, 3].map((days) => (days + 1) * KEY_SET_MAX_AGE_MS + 1),
    );
    expect(await keys.ready()).toBe(true);
  });

  it("are removed by the next read if Entra no longer publishes them", async () => {
    await keys.find(entraKey.keyId);
    await respond(keySet(publish(attackerKey)));
    expect(keys.has(entraKey.keyId)).toBe(false);
    expect(keys.has(attackerKey.keyId)).toBe(true);
    expect(await findAndRespond(entraKey.keyId, keySet(publish(attackerKey)))).toEqual(fail("key_unknown"));
    expect(await keys.find(entraKey.keyId)).toEqual(fail("key_unknown"));
    expect(requests).toHaveLength(3);
  });
});

describe("the generation of the key set", () => {
  it("increases when a key is added, removed or changed under its id, and only then", async () => {
    const seen: number[] = [];
    const changed = publish(attackerKey, { kid: entraKey.keyId });
    for (const given of [oldSet, oldSet, newSet, oldSet, keySet(changed), keySet(changed)]) {
      nowMs += REFETCH_COOLDOWN_MS;
      await findAndRespond("invented", given);
      seen.push(keys.generation);
    }
    expect(seen).toEqual([1, 1, 2, 3, 4, 4]);
  });

  it("increases if one key replaces another and the rest stay, so that tokens of the key that left are refused", async () => {
    await findAndRespond(entraKey.keyId, newSet);
    nowMs += REFETCH_COOLDOWN_MS;
    await findAndRespond("invented", keySet(publish(entraKey), publish(consumersKey)));
    expect(keys.has(attackerKey.keyId)).toBe(false);
    expect(keys.generation).toBe(2);
  });

  it("does not depend on a new import: an unchanged key stays the same key object", async () => {
    const before = await findAndRespond(entraKey.keyId, oldSet);
    await findAndRespond(attackerKey.keyId, newSet);
    const after = await keys.find(entraKey.keyId);
    expect(before.ok && after.ok && before.value === after.value).toBe(true);
  });
});

describe("readiness of the signing keys", () => {
  it("loads the keys once", async () => {
    const first = keys.ready();
    const second = keys.ready();
    await respond(oldSet);
    expect(await Promise.all([first, second, keys.ready()])).toEqual([true, true, true]);
    expect(requests).toHaveLength(1);
  });

  it("is false without keys", async () => {
    const ready = keys.ready();
    await respond(answer(500, ""));
    expect(await ready).toBe(false);
  });
});
