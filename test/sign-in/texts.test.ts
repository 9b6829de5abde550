/** The texts of the pages: complete in each language, all used, and never mixed. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allowedPage } from "../../shared/pages/allowed-page.ts";
import { confirmationPage } from "../../shared/pages/confirmation-page.ts";
import { homePage } from "../../shared/pages/home-page.ts";
import type { Language } from "../../shared/pages/language.ts";
import { LANGUAGES } from "../../shared/pages/language.ts";
import { type Page, renderPage } from "../../shared/pages/layout.ts";
import { leftPage, myAccessPage, noAccessPage } from "../../shared/pages/my-access-page.ts";
import { refusalPage } from "../../shared/pages/refusal-page.ts";
import { returnPage } from "../../shared/pages/return-page.ts";
import { TEXTS } from "../../shared/pages/texts/texts.ts";
import { wireCodes } from "../docs/support/wire-codes.ts";

const root = join(import.meta.dirname, "../..");

/** Each text with its path, for example `me.title`. A text with arguments is called with names of nobody. */
function flatten(value: object, path = ""): [string, string][] {
  return Object.entries(value).flatMap(([key, text]): [string, string][] => {
    const at = path === "" ? key : `${path}.${key}`;
    if (typeof text === "string") return [[at, text]];
    if (typeof text !== "function") return flatten(text as object, at);
    const made = (text as (...names: string[]) => string | { text: string })("X", "Y");
    return [[at, typeof made === "string" ? made : made.text]];
  });
}

const texts = Object.fromEntries(LANGUAGES.map((language) => [language, new Map(flatten(TEXTS[language]))]));
const EN = texts["en"] ?? new Map<string, string>();

describe.each(LANGUAGES)("the texts in %s", (language) => {
  test("have every key, and no empty text", () => {
    const own = texts[language] ?? new Map();
    expect([...own.keys()].toSorted()).toEqual([...EN.keys()].toSorted());
    expect([...own].filter(([, text]) => text.trim() === "")).toEqual([]);
  });
});

test("every key is used by a page, and every refusal is a code of the service", () => {
  const sources = globSync("shared/pages/*.ts", { cwd: root }).map((path) => readFileSync(join(root, path), "utf8"));
  const source = sources.join("\n");
  const codes = wireCodes();
  const unused = [...EN.keys()].filter((path) => {
    const [section, key = ""] = path.split(".");
    if (section === "refusals") return !codes.has(key);
    // `me[outcome]` names two of them by the outcome of the form.
    return !new RegExp(`[.{ ]${key}\\b|"${key}"`).test(source);
  });
  expect(unused).toEqual([]);
});

test("no text is the same in two languages, except for names", () => {
  const same = [...EN].filter(([path, text]) => texts["de"]?.get(path) === text).map(([path]) => path);
  expect(same).toEqual(["labels.api"]);
});

const scope = { name: "Mail.Read", words: undefined };
const person = { name: "N", username: "U" };
const api = { name: "graph", resource: "https://graph.microsoft.com" };
const question = { application: "A", clientId: "C", purpose: "P", untilSeconds: 0, transaction: "T", formToken: "F" };
const access = { grantId: "g", application: "A", clientId: "C", purpose: "P", sinceSeconds: 0, untilSeconds: 0 };
const accesses = [
  { ...access, apis: [{ ...api, scopes: [scope] }], lastUsedSeconds: 0 },
  { ...access, apis: [], lastUsedSeconds: undefined },
];

function pagesIn(language: Language): Page[] {
  const apis = [{ api, scopes: [scope] }];
  const asked = { ...question, language, organisation: "Contoso", apis, mayIncludeMore: true, again: true };
  const mine = { language, organisation: undefined, person, next: "n", formToken: "F" };
  const refused = { status: 503, error: "x", description: "Something in English.", action: "retry" } as const;
  const requests = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].map((method) => ({
    methods: [method],
    path: "/",
  }));
  return [
    confirmationPage({ ...asked, person, apis: [{ api, scopes: [scope], requests }] }),
    confirmationPage({ ...asked, person }),
    confirmationPage({ ...asked, person: undefined }),
    confirmationPage({ ...asked, person: undefined, untilSeconds: undefined }),
    allowedPage({ language, organisation: undefined, application: "A", untilSeconds: 0 }),
    returnPage({ language, organisation: undefined, application: "A", allowed: true, location: "x:" }),
    returnPage({ language, organisation: undefined, application: "A", allowed: false, location: "x:" }),
    myAccessPage({ ...mine, accesses, outcome: "ended" }),
    myAccessPage({ ...mine, accesses: [], outcome: "notFound" }),
    homePage(language, "https://docs.example"),
    noAccessPage(language),
    leftPage(language),
    ...[...wireCodes().keys()].map((code) => refusalPage({ ...refused, code }, language)),
    refusalPage({ ...refused, code: "other" }, language, true),
    refusalPage({ ...refused, code: "other", action: "ask_admin", status: 403 }, language),
  ];
}

test.each([
  ["de", "en"],
  ["en", "de"],
] as const)("a page in %s has no text in %s, and the pages together have every text", (language, other) => {
  const visible = pagesIn(language).map((page) => renderPage(page, "correlation"));
  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("'", "&#39;").replaceAll('"', "&quot;");
  const long = [...(texts[other] ?? [])].filter(([path, text]) => path !== "labels.api" && text.length > 8);
  for (const text of visible) {
    expect(text).toContain(`<html lang="${language}">`);
    expect(long.filter(([, foreign]) => text.includes(`>${escaped(foreign)}<`))).toEqual([]);
    expect(text.includes("Something in English.")).toBe(language === "en" && text.includes("Something in English."));
  }
  const all = visible.join("\n");
  const own = [...(texts[language] ?? [])].filter(([, text]) => !/\bX\b|Y/.test(text));
  expect(own.filter(([, text]) => !all.includes(escaped(text))).map(([path]) => path)).toEqual([]);
});
