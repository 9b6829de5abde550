/** The form of a vault secret: what cannot be a client secret is recognised before Entra is called. */
import { describe, expect, test } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { readSecret } from "../../../shared/credential/client-secret.ts";
import { fromCredentialFailure } from "../../../shared/credential/credential-failure.ts";

const SECRET = "Abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789~_";
const read = (text: string) => readSecret({ value: new SecretValue(text), version: "v1" });

describe("a vault secret", () => {
  test.each([SECRET, "k".repeat(32), "+/=?@[]:*.-_~", `${"x".repeat(255)}y`])(
    "%s is used as a client secret",
    (text) => {
      expect(read(text)).toMatchObject({ ok: true });
    },
  );

  test.each([
    ["a line break at its end", `${SECRET}\n`, "secret_has_white_space"],
    ["a Windows line break at its end", `${SECRET}\r\n`, "secret_has_white_space"],
    ["a space at its beginning", ` ${SECRET}`, "secret_has_white_space"],
    ["a space inside", "two words", "secret_has_white_space"],
    ["a byte order mark", `\ufeff${SECRET}`, "secret_has_white_space"],
    ["a no-break space at its end", `${SECRET}\u00a0`, "secret_has_white_space"],
    ["nothing", "", "secret_empty"],
    ["white space only", " \n", "secret_empty"],
    ["quotation marks around it", `"${SECRET}"`, "secret_quoted"],
    ["apostrophes around it", `'${SECRET}'`, "secret_quoted"],
    ["the id of the secret", "5e471ce0-0000-4000-8000-00000000000a", "secret_is_id"],
    ["the id of the secret with a line break", "5E471CE0-0000-4000-8000-00000000000A\n", "secret_is_id"],
    ["a JSON object", `{"clientSecret":"${SECRET}"}`, "secret_is_json"],
    ["a JSON array", `["${SECRET}"]`, "secret_is_json"],
    [
      "a Key Vault reference",
      "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)",
      "secret_is_reference",
    ],
    ["a URL", "https://v.vault.azure.net/secrets/s", "secret_is_reference"],
    ["257 characters", "x".repeat(257), "secret_too_long"],
  ])("with %s is refused", (_what, text, problem) => {
    expect(read(text)).toEqual({ ok: false, failure: problem });
    expect(
      fromCredentialFailure({ kind: "credential_unusable", version: "v1", problem: problem as "secret_empty" }),
    ).toEqual({
      kind: "misconfigured",
      code: "client_secret_malformed",
    });
  });
});
