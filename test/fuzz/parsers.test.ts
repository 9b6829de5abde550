/**
 * Properties of the parsers that have no test of their own with fast-check: whatever is sent, a reader returns a value of its
 * type or one of the documented failures, and never throws. The seed is the one of the other fuzz tests.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCompactForm } from "../../shared/caller/compact-form.ts";
import { readKeyId } from "../../shared/caller/token-header.ts";
import type { Failure } from "../../shared/core/failure.ts";
import type { JsonObject } from "../../shared/core/json-object.ts";
import { readPerson } from "../../shared/entra/read-person.ts";
import { readSignInError } from "../../shared/entra/read-sign-in-error.ts";
import { failureToWire } from "../../shared/http/failure-to-wire.ts";
import type { IncomingRequest } from "../../shared/http/incoming-request.ts";
import { readBasic } from "../../shared/http/read-basic.ts";
import { readAuthorize, readCallback } from "../../shared/http/read-browser-request.ts";
import { readHandle } from "../../shared/http/read-handle.ts";
import { readHeaderRequest } from "../../shared/http/read-header-request.ts";
import { readLinkRequest } from "../../shared/http/read-link-request.ts";
import { readPolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { readPushedRequest } from "../../shared/http/read-pushed-request.ts";
import { readRevocation } from "../../shared/http/read-revocation.ts";
import { readTokenRequest } from "../../shared/http/read-token-request.ts";
import { relativeTo } from "../../shared/relay/base-url.ts";
import { hasMoreValues, partsOf } from "../../shared/relay/json-spans.ts";
import { CODES } from "../../shared/telemetry/codes.ts";
import { FORM_TYPE, incoming } from "../shared/http/support/incoming.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const TENANT_ID = "c0470500-0000-4000-8000-000000000001";
const check = (property: fc.IAsyncProperty<unknown> | fc.IProperty<unknown>) =>
  fc.assert(property as fc.IAsyncProperty<unknown>, { seed: SEED });

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom("", "null", "__proto__", "graph", "User.Read", "S256", `gte_${"A".repeat(43)}`),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
);
const names = [
  "grant_type",
  "subject_token",
  "subject_token_type",
  "assertion",
  "scope",
  "audience",
  "resource",
  "claims",
];
const moreNames = [
  "refresh_token",
  "code",
  "code_verifier",
  "redirect_uri",
  "client_id",
  "client_secret",
  "token",
  "prompt",
];
const form = fc
  .array(fc.tuple(fc.constantFrom(...names, ...moreNames, "client_assertion", "__proto__"), text), { maxLength: 8 })
  .map((pairs) => incoming({ headers: { "content-type": FORM_TYPE }, body: new URLSearchParams(pairs).toString() }));
const members = [
  "api",
  "apis",
  "scopes",
  "grant",
  "forceRefresh",
  "claims",
  "caller",
  "flow",
  "expectedUser",
  "call",
  "link",
];
const json = fc
  .dictionary(fc.constantFrom(...members), fc.oneof(text, fc.jsonValue({ maxDepth: 5 })))
  .map((body) =>
    incoming({ headers: { "content-type": "application/json" }, body: JSON.stringify(body), params: { api: "graph" } }),
  );
const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(FORM_TYPE, "application/json", "text/html", ""))
  .map(([body, type]) => incoming({ headers: { "content-type": type }, body, params: { api: "graph" } }));

type Reader = (request: IncomingRequest) => unknown;
const READERS: readonly (readonly [string, Reader])[] = [
  ["readTokenRequest", (request) => readTokenRequest(request)],
  ["readPushedRequest", readPushedRequest],
  ["readRevocation", readRevocation],
  ["readLinkRequest", readLinkRequest],
  ["readPolicyQuestion", readPolicyQuestion],
  ["readHeaderRequest", (request) => readHeaderRequest(request, { route: "user", tenantId: TENANT_ID })],
];

describe.each(READERS)("%s", (_name, read) => {
  test("returns a request or a documented refusal for every form, JSON and body", async () => {
    await check(
      fc.asyncProperty(fc.oneof(form, json, bytes), async (request) => {
        const result = (await read(request)) as { ok: boolean; failure?: Failure };
        if (!result.ok && result.failure !== undefined) expectDocumented(result.failure);
      }),
    );
  });
});

/** Every failure has a code of the documentation, and a status that blames the request. */
function expectDocumented(failure: Failure): void {
  const wire = failureToWire(failure, { dialect: "problem", understandsChallenge: false });
  expect(CODES).toContain(wire.code);
  expect(wire.status).toBeGreaterThanOrEqual(400);
  expect(wire.status).toBeLessThan(500);
}

describe("the browser's requests", () => {
  test("readAuthorize and readCallback read every query without an exception", () => {
    const query = fc.array(fc.tuple(fc.constantFrom("client_id", "request_uri", "state", "code", "error", "x"), text));
    check(
      fc.property(query, (pairs) => {
        const request = incoming({ method: "GET", url: `https://gte.example/x?${new URLSearchParams(pairs)}` });
        for (const read of [readAuthorize, readCallback]) {
          const result = read(request) as { ok: boolean; failure?: Failure };
          if (!result.ok && result.failure !== undefined) expectDocumented(result.failure);
        }
      }),
    );
  });
});

describe("readBasic", () => {
  test("reads every client id and secret that RFC 6749 section 2.3.1 encodes", () => {
    const encode = (part: string) => encodeURIComponent(part).replaceAll("%20", "+");
    const part = fc.string({ unit: "grapheme", maxLength: 30 }).filter((value) => value.isWellFormed());
    check(
      fc.property(part, part, (clientId, secret) => {
        const header = `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString("base64")}`;
        expect(readBasic(header)).toEqual({ clientId, secret });
      }),
    );
  });

  test("reads only the one spelling of a header", () => {
    check(
      fc.property(fc.oneof(text, fc.base64String()), (value) => {
        const read = readBasic(`Basic ${value}`);
        if (read !== undefined) expect(Buffer.from(value, "base64").toString("base64")).toBe(value);
      }),
    );
  });
});

describe("the form of a token", () => {
  test("has one spelling: what is read is the text that was sent, and its parts encode to it", () => {
    const part = fc.oneof(
      fc.base64String().map((value) => value.replaceAll("=", "")),
      text,
    );
    const token = fc.oneof(
      fc.tuple(fc.json(), fc.json()).map(([header, payload]) => `${encodePart(header)}.${encodePart(payload)}.c2ln`),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
    );
    check(
      fc.property(token, (sent) => {
        const read = readCompactForm(sent);
        if (!read.ok) return;
        expect(read.value.compact).toBe(sent);
        expect(Buffer.from(read.value.payload).toString("base64url")).toBe(sent.split(".")[1]);
      }),
    );
  });

  test("a header is accepted with RS256, JWT and a key id, and with no member that names a key", () => {
    const member = fc.constantFrom("alg", "typ", "kid", "jwk", "jku", "x5u", "x5c", "crit", "b64", "nonce", "x5t");
    const value = fc.oneof(fc.constantFrom("RS256", "JWT", "key"), fc.jsonValue({ maxDepth: 2 }));
    check(
      fc.property(fc.dictionary(member, value), (header) => {
        if (!readKeyId(header as JsonObject).ok) return;
        expect(header).toMatchObject({ alg: "RS256", typ: "JWT", kid: expect.stringMatching(/./s) });
        expect(Object.keys(header).filter((name) => !["alg", "typ", "kid", "x5t"].includes(name))).toEqual([]);
      }),
    );
  });
});

const encodePart = (value: string) => Buffer.from(value).toString("base64url");

describe("a handle", () => {
  test("is read only in its own form, with space around it at most", () => {
    check(
      fc.property(
        fc.oneof(
          text,
          fc.jsonValue(),
          fc.base64String().map((value) => `gte_${value}`),
        ),
        (value) => {
          const read = readHandle(value, "grant");
          if (read.ok) expect(String(value).trim()).toMatch(/^gte_[A-Za-z0-9_-]{43}$/);
          else expectDocumented(read.failure);
        },
      ),
    );
  });
});

describe("what Entra or an API returns", () => {
  test("readPerson shows at most 200 characters of a name, and takes no claim for an object id but a text", () => {
    check(
      fc.property(
        fc.dictionary(fc.constantFrom("oid", "name", "preferred_username", "acct", "idp"), fc.jsonValue()),
        (claims) => {
          const person = readPerson(claims);
          expect(person === undefined).toBe(typeof claims["oid"] !== "string");
          if (person !== undefined && typeof claims["name"] === "string")
            expect(person.name.length).toBeLessThanOrEqual(200);
        },
      ),
    );
  });

  test("readSignInError repeats nothing of the browser's text but numbers, a GUID and one word", () => {
    const marker = "marker-of-the-attacker";
    check(
      fc.property(text, text, text, (error, description, subcode) => {
        const failure = readSignInError(
          { error: `${marker} ${error}`, description: `${marker} ${description}`, subcode: `${marker}!${subcode}` },
          [],
        );
        expect(JSON.stringify(failure)).not.toContain(marker);
      }),
    );
  });

  test("partsOf cuts every JSON text into the texts that JSON.parse reads, and counts its values", () => {
    const container = fc.oneof(
      fc.array(fc.jsonValue({ maxDepth: 3 })),
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
    );
    check(
      fc.property(container, fc.constantFrom(0, 2), (value, space) => {
        const parts = partsOf(JSON.stringify(value, undefined, space), 10_000);
        expect(parts?.map(({ name, text: part }) => [name, JSON.parse(part)])).toEqual(
          Array.isArray(value)
            ? value.map((one) => ["", clean(one)])
            : Object.entries(value).map(([name, one]) => [name, clean(one)]),
        );
        expect(hasMoreValues(JSON.stringify(value), countValues(value))).toBe(false);
      }),
    );
  });

  test("partsOf reads every text without an exception", () => {
    check(
      fc.property(
        fc.oneof(text, fc.string({ unit: fc.constantFrom(...'[]{}",:\\1 ') })),
        (value) => void partsOf(value, 50),
      ),
    );
  });

  test("relativeTo finds only URLs below the base URL, and the base URL leads back to them", () => {
    const short = fc.string({ unit: "grapheme", maxLength: 40 });
    const base = "https://graph.microsoft.com/base";
    const url = fc.oneof(
      fc.webUrl(),
      short,
      fc
        .tuple(
          fc.constantFrom(
            base,
            "https://graph.microsoft.com",
            "https://x@graph.microsoft.com/base",
            "//graph.microsoft.com/base",
          ),
          short,
        )
        .map(([start, rest]) => `${start}/${rest}`),
    );
    check(
      fc.property(url, (value) => {
        const relative = relativeTo(base, value);
        if (relative === undefined) return;
        const back = new URL(`${base}${relative}`);
        expect(back.origin).toBe("https://graph.microsoft.com");
        expect(back.pathname.startsWith("/base/")).toBe(true);
        expect(back.href).toBe(new URL(value).href);
      }),
    );
  });
});

/** As JSON.stringify writes it: minus zero becomes zero. */
function clean(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function countValues(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  // An empty container counts one value inside, because nothing is made to look.
  const inner = Object.values(value).reduce((sum: number, one) => sum + countValues(one), 0);
  return 1 + Math.max(1, inner);
}
