/** A secret cannot be printed by accident, with any of the usual ways to print a value. */
import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";

const secret = new SecretValue("hunter2");

test.each<[string, () => string]>([
  ["as a string", () => String(secret)],
  ["in a template", () => `${secret}`],
  ["joined with other values", () => [secret, "x"].join(" ")],
  ["as JSON", () => JSON.stringify(secret)],
  ["inside JSON", () => JSON.stringify({ token: [secret] })],
  ["by inspect", () => inspect(secret)],
  ["by inspect with all options", () => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
  ["by format", () => format("%s %o %j", secret, secret, secret)],
  ["by its properties", () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)])],
  ["by a spread", () => JSON.stringify({ ...secret })],
  ["in an error message", () => new Error(`failed: ${secret}`).message],
  ["by a clone", () => JSON.stringify(structuredClone({ ...secret }))],
])("a secret value is not printed %s", (_name, print) => {
  expect(print()).not.toContain("hunter2");
});

test("the printed text is [redacted]", () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual([
    "[redacted]",
    '"[redacted]"',
    "[redacted]",
  ]);
});

test("reveal() returns the secret, and length returns its length", () => {
  expect(secret.reveal()).toBe("hunter2");
  expect(secret.length).toBe(7);
});
