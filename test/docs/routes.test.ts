/** docs/routes.md has every route of the service. */
import { expect, test } from "vitest";
import { codeSpans, markdownFile } from "./support/markdown.ts";
import { liveRoutes, matchesTemplate } from "./support/routes.ts";

test("docs/routes.md names every live route", () => {
  const paths = codeSpans(markdownFile("docs/routes.md").text).map((span) => span.replace(/^\S+ /, ""));
  const without = liveRoutes().filter(({ template }) => !paths.some((path) => matchesTemplate(template, path)));
  expect(without.map(({ template }) => template)).toEqual([]);
});
