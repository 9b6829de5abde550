/** A secret cannot be printed by accident, in any of the ways in which things get printed. */
import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";

const secret = new SecretValue("hunter2");

test.each<[string, () => string]>([
  ["as a text", () => String(secret)],
  ["in a template", () => `${secret}`],
  ["joined to others", () => [secret, "x"].join(" ")],
  ["as JSON", () => JSON.stringify(secret)],
  ["within JSON", () => JSON.stringify({ token: [secret] })],
  ["inspected", () => inspect(secret)],
  ["inspected with everything", () => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
  ["formatted", () => format("%s %o %j", secret, secret, secret)],
  ["its properties", () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)])],
  ["spread", () => JSON.stringify({ ...secret })],
  ["in an error", () => new Error(`failed: ${secret}`).message],
  ["cloned", () => JSON.stringify(structuredClone({ ...secret }))],
])("%s", (_name, print) => {
  expect(print()).not.toContain("hunter2");
});

test("what is printed instead says so", () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual([
    "[redacted]",
    '"[redacted]"',
    "[redacted]",
  ]);
});

test("it is revealed on purpose only, and its length is no secret", () => {
  expect(secret.reveal()).toBe("hunter2");
  expect(secret.length).toBe(7);
});
