/**
 * Stage 1 of 5: caller. From a presented token to a `Caller`, or to the one reason why not. Nothing else makes a
 * `Caller`, so whoever holds one knows that every check passed.
 *
 *   form → header → key → signature → claims
 *
 * Each step reads only what the steps before it have made safe to read: no JSON before the form is right, no payload
 * before the signature is. A token whose bytes were verified a moment ago goes straight to its claims
 * (`verified-tokens.ts`). The token is read from the request in `http/`, and what the caller may do is policy's.
 * Never throws because of a token.
 */
import { hash } from "node:crypto";
import type { CryptoKey } from "jose";
import { type JsonObject, readJsonObject } from "../core/json-object.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { TokenRefusal, ValidationFailure } from "../core/token-refusal.ts";
import type { Caller } from "./caller.ts";
import { type CheckedClaims, checkCallerClaims, recheckCallerClaims } from "./caller-claims.ts";
import { type CallerRules, type CallerSettings, createCallerRules } from "./caller-rules.ts";
import { readCompactForm } from "./compact-form.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { readKeyId } from "./token-header.ts";
import type { VerifiedTokens } from "./verified-tokens.ts";
import { verifySignature } from "./verify-signature.ts";

export interface CallerValidatorInput extends CallerSettings {
  readonly keys: Pick<IssuerKeys, "find">;
  /** Where tokens that passed are recognised again; without it, every signature is checked every time. */
  readonly verified?: VerifiedTokens;
}

export interface CallerValidator {
  /** `trace`: goes along if Entra has to be asked for its keys. */
  validate(token: SecretValue, nowSeconds: number, trace?: RequestTrace): Promise<Result<Caller, ValidationFailure>>;
}

/** Throws a TypeError for empty or malformed settings: a missing rule stops the start. */
export function createCallerValidator(input: CallerValidatorInput): CallerValidator {
  const rules = createCallerRules(input);
  const { keys, verified } = input;
  if (typeof keys?.find !== "function") throw new TypeError("keys must be given");

  return {
    async validate(token, nowSeconds, trace) {
      // Every comparison with NaN is false: without this, an unset clock would accept expired tokens.
      if (!Number.isFinite(nowSeconds)) throw new TypeError("nowSeconds must be a number");
      // A form body may be larger than any header: nothing is done with a token before this line, not even hashing.
      if (token.length > TOKEN_MAX_BYTES) return refuse("too_long");
      const digest = hash("sha256", token.reveal(), "base64url");
      const known = verified?.find(digest, nowSeconds);
      if (known !== undefined) return toCaller({ token, digest }, recheckCallerClaims(known, rules, nowSeconds));
      const signed = await verify(token.reveal(), rules, { ...input, trace }, nowSeconds);
      if (!signed.ok) return signed;
      const { payload, generation } = signed.value;
      const checked = checkCallerClaims(readJsonObject(payload), rules, nowSeconds);
      if (checked.ok) {
        verified?.remember({ digest, bytes: token.length, claims: checked.value, generation }, nowSeconds);
      }
      return toCaller({ token, digest }, checked);
    },
  };
}

interface SignedPayload {
  readonly payload: Uint8Array;
  /** Of the key set that verified it. */
  readonly generation: number;
}

/** Form, header, key, signature. */
async function verify(
  token: string,
  rules: CallerRules,
  { keys, verified, trace }: CallerValidatorInput & { readonly trace: RequestTrace | undefined },
  nowSeconds: number,
): Promise<Result<SignedPayload, ValidationFailure>> {
  const form = readCompactForm(token);
  if (!form.ok) return refuse(form.failure);
  const key = await findKey(form.value.header, keys, trace);
  if (!key.ok) return key;
  const generation = verified?.generation ?? 0;
  const refusal = await verifySignature({ compact: form.value.compact, key: key.value }, rules, nowSeconds);
  return refusal === undefined ? succeed({ payload: form.value.payload, generation }) : refuse(refusal);
}

/** The one place where the proof of validation is given: see `ValidatedToken` in caller.ts. */
function toCaller(
  presented: { readonly token: SecretValue; readonly digest: string },
  checked: Result<CheckedClaims, TokenRefusal>,
): Result<Caller, ValidationFailure> {
  const { token, digest: tokenDigest } = presented;
  return checked.ok ? succeed({ ...checked.value, tokenDigest, token } as Caller) : refuse(checked.failure);
}

async function findKey(
  header: JsonObject,
  keys: CallerValidatorInput["keys"],
  trace: RequestTrace | undefined,
): Promise<Result<CryptoKey, ValidationFailure>> {
  const keyId = readKeyId(header);
  if (!keyId.ok) return refuse(keyId.failure);
  const key = await keys.find(keyId.value, trace);
  if (key.ok) return key;
  return key.failure === "key_unknown" ? refuse(key.failure) : fail({ kind: key.failure });
}

function refuse(reason: TokenRefusal): Result<never, ValidationFailure> {
  return fail({ kind: "token_refused", reason });
}
