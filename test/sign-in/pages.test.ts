/** Pages: data is always shown as text, and every refusal has its own text. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SignInRefusal } from "../../shared/core/failure.ts";
import { signInRefusalToWire } from "../../shared/http/sign-in-refusal-to-wire.ts";
import { allowedPage } from "../../shared/pages/allowed-page.ts";
import { apiTitle } from "../../shared/pages/api-title.ts";
import { confirmationPage } from "../../shared/pages/confirmation-page.ts";
import { html } from "../../shared/pages/html.ts";
import { LANGUAGES } from "../../shared/pages/language.ts";
import { type Page, pageResponse, renderPage } from "../../shared/pages/layout.ts";
import { myAccessPage } from "../../shared/pages/my-access-page.ts";
import { refusalPage } from "../../shared/pages/refusal-page.ts";
import { returnPage } from "../../shared/pages/return-page.ts";
import { STYLE } from "../../shared/pages/style.ts";

const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "</style><script>alert(1)</script>",
    `"><img src=x onerror=alert(1)>`,
    "' onfocus='alert(1)",
    "&lt;b&gt;",
    "<!--",
    "\u2028\u202e",
  ),
);

const shownScope = fc.record({ name: hostile, words: fc.option(hostile, { nil: undefined }) });
const confirmation = fc.record({
  language: fc.constantFrom(...LANGUAGES),
  organisation: fc.option(hostile, { nil: undefined }),
  application: hostile,
  clientId: hostile,
  purpose: fc.option(hostile, { nil: undefined }),
  person: fc.option(fc.record({ name: hostile, username: hostile }), { nil: undefined }),
  apis: fc.array(
    fc.record({
      api: fc.record({ name: hostile, resource: hostile }),
      scopes: fc.array(shownScope),
      requests: fc.array(fc.record({ methods: fc.array(hostile), path: hostile })),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  mayIncludeMore: fc.boolean(),
  again: fc.boolean(),
  untilSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
  transaction: hostile,
  formToken: hostile,
});
const allowed = fc.record({
  language: fc.constantFrom(...LANGUAGES),
  organisation: fc.option(hostile, { nil: undefined }),
  application: hostile,
  untilSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
});

/** Every tag of a page with the names of its attributes, in order. Data must not be able to change it. */
function skeleton(page: Page): string[] {
  const text = renderPage(page, "correlation").replace(/<style>[\s\S]*?<\/style>|<script>[\s\S]*?<\/script>/g, "<own>");
  return [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, "="));
}

describe("hostile data does not change the structure", () => {
  test("of the confirmation page", () => {
    fc.assert(
      fc.property(confirmation, (input) => {
        const apis = input.apis.map(({ scopes, requests }) => ({
          requests: requests.map(() => ({ methods: ["GET"], path: "/" })),
          api: { name: "e", resource: "f" },
          scopes: scopes.map(({ words }) => ({ name: "g", words: words && "h" })),
        }));
        const purpose = input.purpose && "p";
        const organisation = input.organisation && "o";
        const harmless = {
          ...input,
          organisation,
          purpose,
          application: "a",
          clientId: "b",
          transaction: "c",
          formToken: "d",
          apis,
        };
        const same = input.person?.username === "" || input.person?.username === input.person?.name;
        const named = same ? { name: "n", username: "" } : { name: "n", username: "u" };
        const person = input.person === undefined ? undefined : named;
        expect(skeleton(confirmationPage(input))).toEqual(skeleton(confirmationPage({ ...harmless, person })));
      }),
    );
  });

  test("of the page after Allow", () => {
    fc.assert(
      fc.property(allowed, (input) => {
        expect(skeleton(allowedPage(input))).toEqual(
          skeleton(allowedPage({ ...input, organisation: input.organisation && "o", application: "a" })),
        );
      }),
    );
  });

  test("of the return page", () => {
    const way = fc.record({
      language: fc.constantFrom(...LANGUAGES),
      organisation: fc.option(hostile, { nil: undefined }),
      application: hostile,
      allowed: fc.boolean(),
      location: hostile,
    });
    fc.assert(
      fc.property(way, (input) => {
        const harmless = { ...input, organisation: input.organisation && "o", application: "a", location: "b" };
        expect(skeleton(returnPage(input))).toEqual(skeleton(returnPage(harmless)));
      }),
    );
  });

  test("because every character with a meaning in HTML is escaped", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const { text } = html`${value}`;
        expect(text).not.toMatch(/[<>"']/);
        expect(text.replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
      }),
    );
  });
});

describe("of /me, in each language", () => {
  const access = fc.record({
    grantId: hostile,
    application: hostile,
    clientId: hostile,
    purpose: fc.option(hostile, { nil: undefined }),
    apis: fc.array(fc.record({ name: hostile, resource: hostile, scopes: fc.array(shownScope) }), { maxLength: 2 }),
    sinceSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    lastUsedSeconds: fc.option(fc.integer({ min: 0, max: 4_000_000_000 }), { nil: undefined }),
    untilSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
  });
  const myAccess = fc.record({
    language: fc.constantFrom(...LANGUAGES),
    organisation: fc.option(hostile, { nil: undefined }),
    person: fc.record({ name: hostile, username: hostile }),
    accesses: fc.array(access, { maxLength: 3 }),
    next: fc.option(hostile, { nil: undefined }),
    formToken: hostile,
    outcome: fc.constantFrom("ended", "notFound", undefined),
  });
  test("hostile data does not change the structure", () => {
    fc.assert(
      fc.property(myAccess, (input) => {
        const same = input.person.username === "" || input.person.username === input.person.name;
        const harmless = {
          ...input,
          organisation: input.organisation && "o",
          person: same ? { name: "n", username: "" } : { name: "n", username: "u" },
          next: input.next && "x",
          formToken: "t",
          accesses: input.accesses.map((one) => ({
            ...one,
            grantId: "g",
            application: "a",
            clientId: "c",
            purpose: one.purpose && "p",
            apis: one.apis.map(({ scopes }) => ({
              name: "n",
              resource: "r",
              scopes: scopes.map(({ words }) => ({ name: "s", words: words && "w" })),
            })),
          })),
        };
        expect(skeleton(myAccessPage(input))).toEqual(skeleton(myAccessPage(harmless)));
      }),
    );
  });
});

describe("every page", () => {
  const pages: [string, Page][] = [
    ["confirmation", confirmationPage(fc.sample(confirmation, 1)[0] as never)],
    ["allowed", allowedPage(fc.sample(allowed, 1)[0] as never)],
    [
      "return",
      returnPage({
        language: "de",
        organisation: "Contoso",
        application: "A",
        allowed: true,
        location: "https://app.example/callback?code=x&iss=y",
      }),
    ],
    ["refusal", refusalPage(signInRefusalToWire("link_expired", "page"), "en")],
  ];
  test.each(pages)(
    "%s has one language, title, main and heading, and no script or style without its hash",
    (_name, page) => {
      const { headers, body = "" } = pageResponse(page, { status: 200, correlationId: "correlation" });
      expect(body).toContain(`<html lang="${page.language}">`);
      for (const once of [/<title>/g, /<main>/g, /<h1>/g]) {
        expect(body.match(once)).toHaveLength(1);
      }
      for (const [, text = ""] of body.matchAll(/<(?:style|script)>([\s\S]*?)<\/(?:style|script)>/g)) {
        const hash = createHash("sha256").update(text).digest("base64");
        expect(headers["Content-Security-Policy"]).toContain(`'sha256-${hash}'`);
      }
      expect(body).not.toMatch(/ (?:style|on\w+)="|javascript:|https?:\/\/(?!\S*AuthorizationHeader)\S*\.(?:js|css)/);
      const labelled = [...body.matchAll(/<input id="(\w+)"/g)].every(([, id]) => body.includes(`<label for="${id}">`));
      expect(labelled).toBe(true);
    },
  );
});

describe("the page after Allow", () => {
  const { text } = allowedPage({
    language: "en",
    organisation: undefined,
    application: "A scheduled flow",
    untilSeconds: 1_800_000_000,
  }).main;

  test("says until when and how to end it, and has nothing to copy for the application", () => {
    expect(text).toContain("“A scheduled flow” may now act on your behalf");
    expect(text).toContain('<time datetime="2027-01-15">15 January 2027</time>');
    expect(text).toContain('<a href="/me">');
    expect(text).not.toMatch(/gte_|handle|<input/i);
  });
});

describe("a refusal", () => {
  const reasons: readonly SignInRefusal[] = [
    "request_invalid",
    "request_expired",
    "link_invalid",
    "link_expired",
    "link_used",
    "answer_invalid",
    "transaction_missing",
    "transaction_expired",
    "state_mismatch",
    "declined",
    "wrong_user",
    "guest",
    "confirmation_missing",
    "confirmation_expired",
    "confirmation_used",
    "form_forged",
    "session_ended",
    "session_form_forged",
  ];
  test.each(reasons)("%s has a page with its own text", (reason) => {
    const wire = signInRefusalToWire(reason, "page");
    for (const language of LANGUAGES) {
      expect(refusalPage(wire, language).main.text).not.toContain(wire.description);
    }
    expect(wire.status).toBeLessThan(404);
  });
});

describe("colors have the contrast of WCAG 2.2 AA", () => {
  const [light, dark] = [...STYLE.matchAll(/--page[^}]*/g)].map(([block]) =>
    Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value])),
  );
  const pairs = [
    ["text", "card"],
    ["quiet", "card"],
    ["quiet", "page"],
    ["text", "field"],
    ["text", "note"],
    ["accent", "card"],
    ["accent-text", "accent"],
    ["accent-text", "accent-over"],
  ];
  test.each(
    pairs.flatMap(
      ([front, back]) =>
        [
          ["light", front, back, light],
          ["dark", front, back, dark],
        ] as const,
    ),
  )("%s: %s on %s", (_scheme, front = "", back = "", colours = {}) => {
    expect(contrast(colours[front] ?? "", colours[back] ?? "")).toBeGreaterThanOrEqual(4.5);
  });
});

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

test.each([
  ["https://graph.microsoft.com", "Microsoft Graph"],
  ["https://graph.microsoft.us", "Microsoft Graph"],
  ["https://microsoftgraph.chinacloudapi.cn", "Microsoft Graph"],
  ["https://graph.microsoft.com.example", "files"],
  ["https://api.contoso.local/orders", "files"],
])("the API of the resource %s is shown as %s", (resource, shown) => {
  expect(apiTitle({ name: "files", resource })).toBe(shown);
});
