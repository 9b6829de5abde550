/** `POST /policy/explain`: a question is bounded and typed; the first wrong member is named. */
import { expect, test } from "vitest";
import { readPolicyQuestion } from "../../../shared/http/read-policy-question.ts";
import { posted, refusal } from "./support/incoming.ts";

const GOOD = { caller: { kind: "user", clientId: "c" }, flow: "on-behalf-of" };

test("defaults are filled in", async () => {
  expect(await readPolicyQuestion(posted(GOOD))).toMatchObject({
    value: {
      ...GOOD,
      caller: { roles: [], confidential: true, understandsClaimsChallenge: false },
      offlineAccess: false,
    },
  });
});

test.each<[string, unknown, string]>([
  ["nothing", {}, "parameter_invalid caller"],
  ["no flow", { ...GOOD, flow: undefined }, "parameter_invalid flow"],
  ["another flow", { ...GOOD, flow: "password" }, "parameter_invalid flow"],
  ["another kind", { ...GOOD, caller: { kind: "x", clientId: "c" } }, "parameter_invalid caller.kind"],
  ["an unknown member", { ...GOOD, token: "x" }, "parameter_invalid token"],
  ["an unknown member of the caller", { ...GOOD, caller: { ...GOOD.caller, x: 1 } }, "parameter_invalid caller.x"],
  ["SEC-3: one that is not plain", { ...GOOD, 'a"': 1 }, "parameter_invalid a parameter"],
  ["too many scopes", { ...GOOD, scopes: Array.from({ length: 65 }, () => "s") }, "parameter_invalid scopes"],
  ["no object", [], "body_not_json"],
])("%s is refused", async (_name, body, outcome) => {
  expect(refusal(await readPolicyQuestion(posted(body)))).toBe(`request_invalid ${outcome}`);
});
