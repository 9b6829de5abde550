/** What the Functions host itself does for every answer. The levels of its log have a test of their own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const { extensions } = JSON.parse(readFileSync(join(import.meta.dirname, "../../host.json"), "utf8"));

test("turns on HSTS for a year", () => {
  // https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings: maxAge is a .NET
  // TimeSpan, and a number alone is days. The host sends the header with answers over TLS only.
  expect(extensions.http.hsts).toEqual({ isEnabled: true, maxAge: "365" });
});

test("has no prefix before the routes, and no answer's type is guessed", () => {
  expect(extensions.http.routePrefix).toBe("");
  expect(extensions.http.customHeaders).toEqual({ "X-Content-Type-Options": "nosniff" });
});
