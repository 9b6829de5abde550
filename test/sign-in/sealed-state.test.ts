/** Properties of sealed state and its cookies: only unchanged, unexpired state of the same purpose can be unsealed. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import {
  clearCookies,
  cookiesFor,
  evictOldest,
  isTransactionId,
  newTransactionId,
  readCookie,
} from "../../shared/sealed-state/cookies.ts";
import { challengeOf, isChallenge, isVerifier, newSecret, sameText } from "../../shared/sealed-state/pkce.ts";
import { createSealedState, type SealedState } from "../../shared/sealed-state/sealed-state.ts";
import { createSealer } from "../../shared/sealing/sealer.ts";
import { createSealingKeys } from "../../shared/sealing/sealing-keys.ts";

let now = 1_900_000_000;

function newSealedState(): SealedState {
  const secret = { version: "v1", value: new SecretValue(randomBytes(32).toString("base64")) };
  const keys = createSealingKeys({
    source: { read: async () => succeed(secret) },
    now: () => now * 1_000,
    onStale: () => undefined,
  });
  return createSealedState({ sealerFor: (purpose) => createSealer({ purpose, keys }), nowSeconds: () => now });
}

const sealedState = newSealedState();
const NAMES = ["pushedRequests", "links", "transactions", "codes", "confirmations"] as const;
/** Content of any form: the seal does not depend on it. */
const anything = fc.object({ maxDepth: 2 }) as fc.Arbitrary<never>;

describe("sealed state", () => {
  test("can be unsealed for its own purpose only", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES), anything, async (one, other, content) => {
        const sealed = await sealedState[one].seal(content);
        const unsealed = await sealedState[other].unseal(sealed.ok ? sealed.value : "");
        if (one === other) {
          expect(unsealed).toEqual({ ok: true, value: JSON.parse(JSON.stringify(content)) });
        } else {
          expect(unsealed).toEqual({ ok: false, failure: { kind: "state_invalid" } });
        }
      }),
    );
  });

  test("cannot be unsealed after a change of any character", async () => {
    const sealed = await sealedState.codes.seal({ some: "content" } as never);
    const text = sealed.ok ? sealed.value : "";
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(..."AZaz09-_.=%"), async (at, character) => {
        fc.pre(text[at] !== character);
        const unsealed = await sealedState.codes.unseal(text.slice(0, at) + character + text.slice(at + 1));
        expect(unsealed.ok).toBe(false);
      }),
    );
  });

  test("cannot be unsealed with another key, and no other text can be unsealed", async () => {
    const sealed = await sealedState.links.seal({} as never);
    expect((await newSealedState().links.unseal(sealed.ok ? sealed.value : "")).ok).toBe(false);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String()), async (text) => {
        expect((await sealedState.links.unseal(text)).ok).toBe(false);
      }),
    );
  });

  test.each([
    ["pushedRequests", 60],
    ["links", 600],
    ["transactions", 600],
    ["codes", 60],
    ["confirmations", 600],
  ] as const)("of %s expires after exactly %i seconds", async (name, seconds) => {
    const sealed = await sealedState[name].seal({} as never);
    const text = sealed.ok ? sealed.value : "";
    now += seconds - 1;
    expect((await sealedState[name].unseal(text)).ok).toBe(true);
    now += 1;
    expect(await sealedState[name].unseal(text)).toEqual({
      ok: false,
      failure: { kind: "state_expired", content: expect.anything() },
    });
  });
});

describe("cookies", () => {
  const sealedText = fc
    .integer({ min: 1, max: 14_000 })
    .map((length) => randomBytes(length).toString("base64url").slice(0, length));
  const toHeader = (cookies: readonly { name: string; value: string }[]) =>
    cookies.map(({ name, value }) => `${name}=${value}`).join("; ");

  test("carry sealed state in parts that a browser accepts, in any order, next to other cookies", () => {
    fc.assert(
      fc.property(sealedText, fc.constantFrom("signin", "confirm"), fc.boolean(), (sealed, purpose, reversed) => {
        const id = newTransactionId(now);
        const cookies = cookiesFor(purpose, id, { sealed, maxAgeSeconds: 600 }) ?? [];
        const sent = reversed ? [...cookies].reverse() : cookies;
        const header = `a=b; ${toHeader(sent)}; __Host-gte-other=1`;
        expect(readCookie(header, purpose, id)).toBe(sealed);
        expect(readCookie(header, purpose === "signin" ? "confirm" : "signin", id)).toBeUndefined();
        expect(readCookie(header, purpose, newTransactionId(now))).toBeUndefined();
        expect(clearCookies(header, purpose, id)).toHaveLength(cookies.length);
        expect(cookies.every(({ name, value }) => name.length + value.length <= 3_800)).toBe(true);
      }),
    );
  });

  test("refuse sealed state that is too long for a browser", () => {
    const sealed = "x".repeat(4 * 3_700 + 1);
    expect(cookiesFor("confirm", newTransactionId(now), { sealed, maxAgeSeconds: 600 })).toBeUndefined();
  });

  test("are read from any header without an exception, and other cookies are ignored", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(readCookie(header, "signin", newTransactionId(now))).toBeUndefined();
        expect(evictOldest(header, "signin")).toEqual([]);
      }),
    );
  });

  test("are limited in number by removing the oldest", () => {
    const ids = [5, 3, 1, 2, 4, 6].map((age) => newTransactionId(now - age));
    const header = toHeader(ids.flatMap((id) => cookiesFor("signin", id, { sealed: "x", maxAgeSeconds: 600 }) ?? []));
    const gone = evictOldest(header, "signin").map(({ name }) => ids.findIndex((id) => name.includes(id)));
    expect(gone).toEqual([5, 0]);
  });

  test("have ids of one form only", () => {
    expect(isTransactionId(newTransactionId(now))).toBe(true);
    for (const text of ["", "a".repeat(28), `${"a".repeat(28)}.`, "../../../../../../../../../../"]) {
      expect(isTransactionId(text)).toBe(false);
    }
  });
});

describe("PKCE (RFC 7636)", () => {
  test("challengeOf returns the challenge of appendix B", () => {
    expect(challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).toBe(
      "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
  });
  test("newSecret returns a verifier, and its hash is a challenge", () => {
    const verifier = newSecret();
    expect(isVerifier(verifier)).toBe(true);
    expect(isChallenge(challengeOf(verifier))).toBe(true);
  });
  test("sameText returns true for equal texts only", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (one, other) => sameText(one, other) === (one === other)));
  });
});
