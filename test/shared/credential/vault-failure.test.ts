import { describe, expect, it } from "vitest";
import { DeadlineError } from "../../../shared/core/deadline.ts";
import { isTransientVaultError, toVaultFailure } from "../../../shared/credential/vault-failure.ts";

const PROSE = "prose https://vault.example/secrets/name S3cr3t";
const rest = (fields: object) => Object.assign(new Error(PROSE), { name: "RestError", ...fields });
const forbidden = (error: object) =>
  rest({ statusCode: 403, details: { error: { code: "Forbidden", message: PROSE, ...error } } });

describe("conversion of vault and identity SDK errors", () => {
  it.each<[string, unknown, object, boolean]>([
    ["the deadline", new DeadlineError(), { kind: "vault_timeout" }, false],
    ["an abort", Object.assign(new Error(PROSE), { name: "AbortError" }), { kind: "vault_timeout" }, false],
    [
      "no identity",
      Object.assign(new Error(PROSE), { name: "CredentialUnavailableError" }),
      { kind: "identity_unavailable" },
      false,
    ],
    [
      "identity refused",
      Object.assign(new Error(PROSE), { name: "AuthenticationError" }),
      { kind: "identity_unavailable" },
      false,
    ],
    [
      "identity without token",
      Object.assign(new Error(PROSE), { name: "AuthenticationRequiredError" }),
      { kind: "identity_unavailable" },
      false,
    ],
    ["no connection", rest({ code: "ENOTFOUND" }), { kind: "vault_unreachable", code: "ENOTFOUND" }, true],
    ["disabled", forbidden({ innererror: { code: "SecretDisabled" } }), { kind: "secret_disabled" }, false],
    [
      "disabled, in the other spelling",
      forbidden({ innerError: { code: "SecretDisabled" } }),
      { kind: "secret_disabled" },
      false,
    ],
    [
      "denied",
      forbidden({ innererror: { code: "ForbiddenByFirewall" } }),
      { kind: "vault_refused", code: "ForbiddenByFirewall" },
      false,
    ],
    ["denied without inner code", forbidden({}), { kind: "vault_refused", code: "Forbidden" }, false],
    [
      "denied with a text as code",
      forbidden({ innererror: { code: PROSE }, code: PROSE }),
      { kind: "vault_refused", code: "unknown" },
      false,
    ],
    [
      "denied with a number as code",
      rest({ statusCode: 401, code: 7 }),
      { kind: "vault_refused", code: "unknown" },
      false,
    ],
    ["missing", rest({ statusCode: 404 }), { kind: "secret_missing" }, false],
    ["throttled", rest({ statusCode: 429 }), { kind: "vault_throttled" }, false],
    [
      "server error",
      rest({ statusCode: 502, code: "BadGateway" }),
      { kind: "vault_unreachable", code: "BadGateway" },
      true,
    ],
    [
      "server error with Retry-After",
      rest({ statusCode: 503, response: { headers: new Headers({ "retry-after": "3" }) } }),
      { kind: "vault_unreachable", code: "unknown" },
      false,
    ],
    [
      "server error without it",
      rest({ statusCode: 503, response: { headers: new Headers() } }),
      { kind: "vault_unreachable", code: "unknown" },
      true,
    ],
    ["bad request", rest({ statusCode: 400 }), { kind: "vault_answer_invalid" }, false],
    [
      "a status that is not a number",
      rest({ statusCode: "503" }),
      { kind: "vault_unreachable", code: "unknown" },
      true,
    ],
    ["a bug", new TypeError(PROSE), { kind: "vault_answer_invalid" }, false],
    ["null", null, { kind: "vault_answer_invalid" }, false],
    ["a text", PROSE, { kind: "vault_answer_invalid" }, false],
    ["a name that is not a string", { name: 7 }, { kind: "vault_answer_invalid" }, false],
  ])("%s", (_name, error, failure, transient) => {
    expect(toVaultFailure(error)).toEqual(failure);
    expect(isTransientVaultError(error)).toBe(transient);
    expect(JSON.stringify(toVaultFailure(error))).not.toMatch(/prose|https|S3cr3t/);
  });
});
