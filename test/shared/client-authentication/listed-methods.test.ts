/** Which client may use which method, and how the policy check describes it. */
import { describe, expect, test } from "vitest";
import { entryWith, ignoresSecret, listedMethods } from "../../../shared/client-authentication/listed-methods.ts";
import { describePolicy } from "../../../shared/policy/describe-policy.ts";
import { parsePolicy } from "../../../shared/policy/parse-policy.ts";
import type { Policy } from "../../../shared/policy/rules.ts";

const WEB = "ca11e400-0000-4000-8000-000000000001";
const OTHER = "ca11e400-0000-4000-8000-000000000002";

/** A policy with an entry for the users of WEB and one for WEB itself. */
function policyOf(users: readonly string[], application: readonly string[]): Policy {
  const entry = { clientId: WEB, flows: ["on-behalf-of"], apis: { graph: ["User.Read"] } };
  const parsed = parsePolicy(
    JSON.stringify({
      apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
      callers: [
        { ...entry, name: "users", kind: "user", clientAuthentication: users },
        { ...entry, name: "backend", kind: "application", clientAuthentication: application },
      ],
    }),
  );
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

describe("the entry of a client with its own credential", () => {
  test("is the application's, and only for the listed method", () => {
    const policy = policyOf(["ignored_with_subject"], ["entra_secret"]);
    expect(entryWith(policy, WEB, "entra_secret")?.name).toBe("backend");
    expect(entryWith(policy, WEB, "entra_assertion")).toBeUndefined();
    expect(entryWith(policy, OTHER, "entra_secret")).toBeUndefined();
  });

  test("does not exist unless it is listed", () => {
    expect(entryWith(policyOf([], []), WEB, "entra_secret")).toBeUndefined();
  });
});

describe("a secret is ignored", () => {
  test.each([
    [true, ["ignored_with_subject"], []],
    [true, ["ignored_with_subject"], ["entra_assertion"]],
    [false, ["ignored_with_subject"], ["entra_secret"]],
    [false, [], ["entra_assertion"]],
    [false, [], []],
  ])("%s: users %j, application %j", (ignored, users, application) => {
    expect(ignoresSecret(policyOf(users, application), WEB)).toBe(ignored);
  });

  test("not of another client", () => {
    expect(ignoresSecret(policyOf(["ignored_with_subject"], []), OTHER)).toBe(false);
  });
});

test("the policy check names each method of an entry", () => {
  const policy = policyOf(["ignored_with_subject"], ["entra_secret", "entra_assertion"]);
  expect([...listedMethods(policy)].sort()).toEqual(["entra_assertion", "entra_secret", "ignored_with_subject"]);
  expect(describePolicy(policy)).toEqual(
    expect.arrayContaining([
      "  may send any secret with a user's token; the secret is ignored",
      "  may authenticate with its own Entra secret, which Entra proves",
      "  may authenticate with an assertion that it signs, which Entra proves",
    ]),
  );
});
