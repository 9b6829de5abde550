/** The built app under the local Functions host with its policy in a blob: registration, and the host's own 404. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceVersion } from "../../../local/build/service-version.ts";
import { type Stack, startStack } from "../../../local/stack/stack.ts";
import { exchangeForm, userToken } from "../../support/callers.ts";
import { policyWith } from "../../support/policies.ts";

let stack: Stack;

/** Without sign-ins, so that their routes are registered and not used. */
const WITHOUT_SIGN_IN = policyWith((policy) => {
  policy.callers = policy.callers.filter(({ name }) => name === "web-users");
});

beforeAll(async () => {
  stack = await startStack();
  const { url } = stack.tenant.state.putBlob({ path: "policy/policy.json", content: WITHOUT_SIGN_IN });
  await stack.restartHost({ POLICY: undefined, POLICY_URL: url });
}, 60_000);
afterAll(() => stack?.stop());

/** The host sends the answers of functions in chunks, and its own with a length. */
const FRAMING = ["date", "content-length", "transfer-encoding"];

const answerOf = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(`${stack.service.url}${path}`, init);
  const names = [...answer.headers.keys()].filter((name) => !FRAMING.includes(name));
  return { status: answer.status, names, text: await answer.text() };
};

test("the service becomes ready with the policy of the blob, and exchanges tokens", async () => {
  expect(await (await fetch(`${stack.service.url}/ready`)).json()).toEqual({
    status: "ready",
    version: serviceVersion(),
  });
  const body = new URLSearchParams(exchangeForm(userToken(stack)));
  expect((await answerOf("/oauth2/token", { method: "POST", body })).status).toBe(200);
});

test("a route that the policy does not use answers exactly as a path without a function", async () => {
  const unknown = await answerOf("/no/such/path");
  expect(unknown.status).toBe(404);
  for (const path of ["/oauth2/authorize", "/signin/confirm", "/signin/abc"]) {
    expect([path, await answerOf(path)]).toEqual([path, unknown]);
  }
});
