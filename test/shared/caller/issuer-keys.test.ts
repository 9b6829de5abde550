/**
 * Entra's signing keys over a faked network: answers are handed out one by one, time stands still unless moved.
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
/** After a rotation: the key that other tests call the attacker's has been published. */
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

/** Answers the oldest open request and lets everything that waits for it run. */
async function respond(given: Answer | Promise<Answer>): Promise<void> {
  const resolve = waiting.shift();
  if (resolve === undefined) throw new Error("no request is open");
  resolve(given);
  // Importing a key takes turns of the event loop, not a fixed number of microtasks.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
}

async function findAndRespond(keyId: string, given: Answer) {
  const found = keys.find(keyId);
  await respond(given);
  return found;
}

describe("the first load", () => {
  it("asks the configured address once, within limits", async () => {
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

  it("E-25 50 concurrent cold look-ups make 1 request", async () => {
    const found = Array.from({ length: 50 }, () => keys.find(entraKey.keyId));
    await respond(oldSet);
    expect((await Promise.all(found)).every((result) => result.ok)).toBe(true);
    expect(requests).toHaveLength(1);
  });

  it("50 concurrent cold look-ups of 50 invented ids make 1 request: the set is as fresh as can be", async () => {
    const found = Array.from({ length: 50 }, (_, index) => keys.find(`invented-${index}`));
    await respond(oldSet);
    expect(await Promise.all(found)).toEqual(Array(50).fill(fail("key_unknown")));
    expect(requests).toHaveLength(1);
  });

  it("gives the same imported key every time, without asking again", async () => {
    const first = await findAndRespond(entraKey.keyId, oldSet);
    nowMs += KEY_SET_MAX_AGE_MS;
    expect(await keys.find(entraKey.keyId)).toEqual(first);
    expect(requests).toHaveLength(1);
  });

  it.each<[string, Answer, KeySetProblem["reason"]]>([
    ["no answer in time", fail({ kind: "timeout" }), "timeout"],
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
    ["keys no list", answer(200, '{"keys":{}}'), "not_a_key_set"],
    ["no keys", answer(200, '{"keys":[]}'), "no_usable_key"],
    ["keys that are no keys", answer(200, '{"keys":[null,1,"x",[],{}]}'), "no_usable_key"],
    ["only keys of others", keySet(publish(consumersKey, { issuer: consumersIssuer })), "no_usable_key"],
  ])("fails for %j and says why", async (_what, given, reason) => {
    expect(await findAndRespond(entraKey.keyId, given)).toEqual(fail("keys_unavailable"));
    expect(problems).toEqual([{ reason, servingAgeMs: undefined }]);
    expect(keys.generation).toBe(0);
  });

  it("takes an outbound that throws for a failure, not for a crash", async () => {
    expect(await findAndRespond(entraKey.keyId, Promise.reject(new Error("bug")) as unknown as Answer)).toEqual(
      fail("keys_unavailable"),
    );
    expect(problems).toEqual([{ reason: "unexpected", servingAgeMs: undefined }]);
  });

  it("that failed is not repeated until the cooldown is over, and then succeeds", async () => {
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

  it("right after the first load is looked for at once (E-25: jose would refuse it for 30 s)", async () => {
    nowMs += 1;
    expect((await findAndRespond(attackerKey.keyId, newSet)).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("SEC-19 1,000 invented ids make one request per cooldown", async () => {
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

  it("does not keep known ids waiting", async () => {
    const unknown = keys.find("invented");
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    await respond(oldSet);
    expect(await unknown).toEqual(fail("key_unknown"));
  });

  it("that joins a request under way gets its answer", async () => {
    const first = keys.find(attackerKey.keyId);
    const second = keys.find(attackerKey.keyId);
    await respond(newSet);
    expect((await first).ok && (await second).ok).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it("while Entra is down is not called unknown, and Entra is asked once per cooldown", async () => {
    expect(await findAndRespond(attackerKey.keyId, fail({ kind: "timeout" }))).toEqual(fail("keys_unavailable"));
    expect(await keys.find(attackerKey.keyId)).toEqual(fail("keys_unavailable"));
    expect(requests).toHaveLength(2);
    expect(problems).toEqual([{ reason: "timeout", servingAgeMs: 0 }]);
    nowMs += FAILURE_COOLDOWN_MS;
    expect((await findAndRespond(attackerKey.keyId, newSet)).ok).toBe(true);
  });

  it("is looked for although the clock was set back", async () => {
    await findAndRespond("invented", oldSet);
    nowMs -= 3_600_000;
    expect((await findAndRespond(attackerKey.keyId, newSet)).ok).toBe(true);
  });
});

describe("keys that grow old", () => {
  beforeEach(async () => {
    await findAndRespond(entraKey.keyId, oldSet);
    nowMs += KEY_SET_MAX_AGE_MS + 1;
  });

  it("serve at once and are read again behind the request", async () => {
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    expect((await keys.find(entraKey.keyId)).ok).toBe(true);
    expect(requests).toHaveLength(2);
    await respond(newSet);
    expect(keys.has(attackerKey.keyId)).toBe(true);
  });

  it("serve however old while Entra is down, with a warning per attempt and one attempt per cooldown", async () => {
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

  it("that Entra has withdrawn are gone after the next reading", async () => {
    await keys.find(entraKey.keyId);
    await respond(keySet(publish(attackerKey)));
    expect(keys.has(entraKey.keyId)).toBe(false);
    expect(keys.has(attackerKey.keyId)).toBe(true);
    expect(await findAndRespond(entraKey.keyId, keySet(publish(attackerKey)))).toEqual(fail("key_unknown"));
    expect(await keys.find(entraKey.keyId)).toEqual(fail("key_unknown"));
    expect(requests).toHaveLength(3);
  });
});

describe("generation", () => {
  it("grows when keys come, go or change under their id, and only then", async () => {
    const seen: number[] = [];
    const changed = publish(attackerKey, { kid: entraKey.keyId });
    for (const given of [oldSet, oldSet, newSet, oldSet, keySet(changed), keySet(changed)]) {
      nowMs += REFETCH_COOLDOWN_MS;
      await findAndRespond("invented", given);
      seen.push(keys.generation);
    }
    expect(seen).toEqual([1, 1, 2, 3, 4, 4]);
  });

  it("RSA keys are imported once: the same key object survives a reading", async () => {
    const before = await findAndRespond(entraKey.keyId, oldSet);
    await findAndRespond(attackerKey.keyId, newSet);
    const after = await keys.find(entraKey.keyId);
    expect(before.ok && after.ok && before.value === after.value).toBe(true);
  });
});

describe("ready", () => {
  it("loads the keys, once", async () => {
    const first = keys.ready();
    const second = keys.ready();
    await respond(oldSet);
    expect(await Promise.all([first, second, keys.ready()])).toEqual([true, true, true]);
    expect(requests).toHaveLength(1);
  });

  it("is false while there are none", async () => {
    const ready = keys.ready();
    await respond(answer(500, ""));
    expect(await ready).toBe(false);
  });
});
