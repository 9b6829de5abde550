/** The versions of a policy in a blob: when they are read, what takes effect, and what stays in use. Frozen clocks. */
import { describe, expect, test } from "vitest";
import { createPolicyVersions } from "../../functions/composition/policy-versions.ts";
import { createOperatorLog } from "../../shared/audit/operator-log.ts";
import type { Config } from "../../shared/config/config.ts";
import { fail, succeed } from "../../shared/core/result.ts";
import type { PolicyDocument, PolicyReadFailure } from "../../shared/policy-source/policy-source.ts";

type Read = PolicyDocument | "unchanged" | PolicyReadFailure;

const document = (text: string): PolicyDocument => ({ text, etag: `"${text}"` });

/** The text of a policy is its hash. A text that begins with "bad" is invalid. */
function begin(first: Read) {
  let nowMs = 1_000_000;
  let answer = first;
  let held: Promise<void> | undefined;
  const etags: (string | undefined)[] = [];
  const operatorLog = createOperatorLog(() => nowMs);
  const versions = createPolicyVersions<string | undefined>({
    source: {
      async read(etag) {
        etags.push(etag);
        const read = answer;
        await held;
        return typeof read === "string" && read !== "unchanged" ? fail(read) : succeed(read);
      },
    },
    configFor: (text) => {
      if (text === "bug") throw new TypeError("a bug");
      return text.startsWith("bad") ? fail([`POLICY ${text}`]) : succeed({ policyHash: text } as unknown as Config);
    },
    create: (config, state) => {
      stateOf = state;
      return config?.policyHash;
    },
    nowMs: () => nowMs,
    operatorLog,
  });
  return {
    versions,
    etags,
    state: () => stateOf(),
    events: () => operatorLog.drain().map(({ event: _, time: __, ...event }) => event),
    async request(next: Read, afterMs: number) {
      answer = next;
      nowMs += afterMs;
      const used = await versions.forRequest();
      // A read in the background ends before the next request.
      await Promise.resolve().then(() => new Promise(setImmediate));
      return used;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
  };
}
let stateOf: () => unknown = () => undefined;

describe("the first read", () => {
  test("begins at once, and a request waits for it", async () => {
    const at = begin(document("one"));
    expect(at.etags).toEqual([undefined]);
    expect(await at.request(document("one"), 0)).toBe("one");
    expect(at.events()).toEqual([{ name: "loaded", policy: "one" }]);
    expect(at.state()).toEqual({ state: "ok", hash: "one" });
  });

  test("that fails leaves no version, and is repeated after five seconds", async () => {
    const at = begin("not_found");
    expect(await at.request("not_found", 0)).toBeUndefined();
    expect(await at.request(document("one"), 4_999)).toBeUndefined();
    expect(at.etags).toHaveLength(1);
    expect(at.state()).toEqual({ state: "unavailable", hash: undefined, reason: "not_found" });
    expect(await at.request(document("one"), 1)).toBe("one");
    expect(at.events()).toEqual([
      { name: "unavailable", reason: "not_found" },
      { name: "loaded", policy: "one" },
    ]);
  });

  test("of an invalid policy leaves no version", async () => {
    const at = begin(document("bad"));
    expect(await at.request("unchanged", 0)).toBeUndefined();
    expect(at.events()).toEqual([{ name: "refused", problems: "POLICY bad" }]);
    expect(at.state()).toEqual({ state: "refused", hash: undefined, problems: ["POLICY bad"] });
    expect(await at.request("unchanged", 5_000)).toBeUndefined();
    expect(await at.request(document("one"), 5_000)).toBe("one");
  });
});

describe("a newer version", () => {
  const started = async () => {
    const at = begin(document("one"));
    await at.request(document("one"), 0);
    at.events();
    return at;
  };

  test("is read after 30 seconds, in the background, with the ETag of the known one", async () => {
    const at = await started();
    expect(await at.request(document("two"), 29_999)).toBe("one");
    expect(at.etags).toHaveLength(1);
    expect(await at.request(document("two"), 1)).toBe("one");
    expect(at.etags).toEqual([undefined, '"one"']);
    expect(await at.request("unchanged", 0)).toBe("two");
    expect(at.events()).toEqual([{ name: "loaded", policy: "two", previous: "one" }]);
  });

  test("is in use after a minute even if no request came in the meantime: the first one waits", async () => {
    const at = await started();
    expect(await at.request(document("two"), 60_001)).toBe("two");
  });

  test("is read once for all requests that come at the same time", async () => {
    const at = await started();
    const release = at.hold();
    const requests = [1, 2, 3].map(() => at.request(document("two"), 40_000));
    release();
    expect(await Promise.all(requests)).toEqual(["one", "two", "two"]);
    expect(at.etags).toHaveLength(2);
  });

  test("with the same content is the same version", async () => {
    const at = await started();
    expect(await at.request({ text: "one", etag: '"other"' }, 61_000)).toBe("one");
    expect(at.events()).toEqual([]);
    await at.request("unchanged", 61_000);
    expect(at.etags.at(-1)).toBe('"other"');
  });

  test("that is invalid is refused as a whole, reported once, and replaced by the next valid one", async () => {
    const at = await started();
    expect(await at.request(document("bad"), 61_000)).toBe("one");
    expect(await at.request("unchanged", 61_000)).toBe("one");
    expect(at.events()).toEqual([{ name: "refused", policy: "one", problems: "POLICY bad" }]);
    expect(at.state()).toEqual({ state: "refused", hash: "one", problems: ["POLICY bad"] });
    expect(await at.request(document("three"), 61_000)).toBe("three");
    expect(at.state()).toEqual({ state: "ok", hash: "three" });
  });

  test("that meets a bug of the service does not take the last good one away", async () => {
    const at = await started();
    for (let minute = 0; minute < 3; minute++) expect(await at.request(document("bug"), 61_000)).toBe("one");
    expect(at.events()).toEqual([{ name: "unavailable", policy: "one", reason: "unexpected" }]);
    expect(await at.request(document("two"), 61_000)).toBe("two");
  });

  test("that returns to the version in use ends the refusal", async () => {
    const at = await started();
    await at.request(document("bad"), 61_000);
    expect(await at.request(document("one"), 61_000)).toBe("one");
    expect(at.state()).toEqual({ state: "ok", hash: "one" });
  });
});

describe("a blob that cannot be read", () => {
  test.each(["not_found", "forbidden", "timeout", "network", "too_large", "throttled"] as const)(
    "%s: the last good version stays in use, and the event comes once",
    async (reason) => {
      const at = begin(document("one"));
      await at.request(document("one"), 0);
      at.events();
      for (let minute = 0; minute < 5; minute++) expect(await at.request(reason, 61_000)).toBe("one");
      expect(at.events()).toEqual([{ name: "unavailable", policy: "one", reason }]);
      expect(at.state()).toEqual({ state: "unavailable", hash: "one", reason });
      expect(await at.request("unchanged", 61_000)).toBe("one");
      expect(at.events()).toEqual([{ name: "available", policy: "one" }]);
      expect(at.state()).toEqual({ state: "ok", hash: "one" });
    },
  );

  test("makes no busy instance wait: after a failed read, requests wait again only after a minute", async () => {
    const at = begin(document("one"));
    await at.request(document("one"), 0);
    await at.request("timeout", 30_000);
    const release = at.hold();
    // The read is due and does not end, and the request has its answer nevertheless.
    expect(await at.request("timeout", 30_000)).toBe("one");
    release();
  });

  test("an instance whose clock is set back reads again", async () => {
    const at = begin(document("one"));
    await at.request(document("one"), 0);
    expect(await at.request(document("two"), -3_600_000)).toBe("one");
    expect(await at.request("unchanged", 0)).toBe("two");
  });
});
