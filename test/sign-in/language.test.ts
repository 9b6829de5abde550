/** Which language a browser gets (RFC 9110 section 12.5.4). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LANGUAGES, languageOf } from "../../shared/pages/language.ts";

test.each([
  [null, "en"],
  ["", "en"],
  ["*", "en"],
  ["fr-FR, fr;q=0.9", "en"],
  ["de", "de"],
  ["de-AT", "de"],
  ["DE-de, en;q=0.5", "de"],
  ["en-US,en;q=0.9,de;q=0.8", "en"],
  ["fr, de;q=0.3, en;q=0.2", "de"],
  ["en;q=0.2, de;q=0.3", "de"],
  ["de;q=0, en;q=0.1", "en"],
  ["de;q=0", "en"],
  ["den, en-GB;q=0.1, de;q=zero", "en"],
  ["de;q=1.5, en", "en"],
])("%j is %s", (header, language) => {
  expect(languageOf(header)).toBe(language);
});

test("any text is one of the languages", () => {
  fc.assert(fc.property(fc.string(), (header) => LANGUAGES.includes(languageOf(header))));
});
