/**
 * Converts errors of the Key Vault SDK and the identity SDK to `VaultFailure`. Reads codes and statuses only, by shape,
 * so it needs no SDK. An error's message, URL and body are not passed on. No I/O.
 */
import { DeadlineError } from "../core/deadline.ts";
import type { VaultFailure } from "./vault.ts";

const CODE = /^\w{1,64}$/;
/** Thrown by `@azure/identity`; `AuthenticationRequiredError` when the token endpoint answered without a token. */
const IDENTITY_ERRORS = ["CredentialUnavailableError", "AuthenticationError", "AuthenticationRequiredError"];

export function toVaultFailure(error: unknown): VaultFailure {
  const { name, status, code } = readVaultError(error);
  if (error instanceof DeadlineError || name === "AbortError") return { kind: "vault_timeout" };
  if (IDENTITY_ERRORS.includes(name)) return { kind: "identity_unavailable" };
  switch (status) {
    case undefined:
      return name === "RestError" ? { kind: "vault_unreachable", code } : { kind: "vault_answer_invalid" };
    case 401:
    case 403:
      return code === "SecretDisabled" ? { kind: "secret_disabled" } : { kind: "vault_refused", code };
    case 404:
      return { kind: "secret_missing" };
    case 429:
      return { kind: "vault_throttled" };
    default:
      return status >= 500 ? { kind: "vault_unreachable", code } : { kind: "vault_answer_invalid" };
  }
}

/** Whether to retry at once: no connection, or a 5xx without a Retry-After. */
export function isTransientVaultError(error: unknown): boolean {
  const { name, status, retryAfter } = readVaultError(error);
  if (name !== "RestError") return false;
  return status === undefined || (status >= 500 && !retryAfter);
}

interface ErrorShape {
  readonly name: string;
  readonly status: number | undefined;
  /** The innermost member that has the form of a code. */
  readonly code: string;
  readonly retryAfter: boolean;
}

function readVaultError(error: unknown): ErrorShape {
  const top = members(error);
  const response = members(top["response"]);
  const answer = members(members(top["details"])["error"]);
  const inner = members(answer["innererror"] ?? answer["innerError"]);
  const status = top["statusCode"];
  const code = [inner["code"], answer["code"], top["code"]].find((it) => typeof it === "string" && CODE.test(it));
  return {
    name: typeof top["name"] === "string" ? top["name"] : "",
    status: typeof status === "number" ? status : undefined,
    code: typeof code === "string" ? code : "unknown",
    retryAfter: hasRetryAfter(response["headers"]),
  };
}

function hasRetryAfter(headers: unknown): boolean {
  const has = members(headers)["has"];
  return typeof has === "function" && has.call(headers, "retry-after") === true;
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
