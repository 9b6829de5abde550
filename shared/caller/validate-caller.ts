/**
 * Validates a presented token: returns a `Caller`, or the one reason why the token is refused. No other file creates a
 * `Caller`, so every `Caller` has passed every check.
 *
 *   form → header → key → signature → claims
 *
 * Each step reads only what the steps before it have checked: no JSON before the form, no claim before the signature. So
 * a refusal because of a claim proves that the token is genuine.
 * For a token whose bytes were verified recently, only the claims are checked again (`verified-tokens.ts`). `http/`
 * reads the token from the request; `policy/` decides what the caller may do. A token never causes an exception.
 */
import { hash } from "node:crypto";
import type { CryptoKey } from "jose";
import { type JsonObject, member, readJsonObject } from "../core/json-object.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { TokenRefusal, ValidationFailure } from "../core/token-refusal.ts";
import type { Caller } from "./caller.ts";
import { type CheckedClaims, checkCallerClaims, recheckCallerClaims } from "./caller-claims.ts";
import type { CallerKeys } from "./caller-keys.ts";
import { type CallerRules, type CallerSettings, createCallerRules, registrationOfAudience } from "./caller-rules.ts";
import { readCompactForm } from "./compact-form.ts";
import { readKeyId } from "./token-header.ts";
import type { VerifiedTokens } from "./verified-tokens.ts";
import { verifySignature } from "./verify-signature.ts";

export interface CallerValidatorInput extends CallerSettings {
  readonly keys: Pick<CallerKeys, "find"> & Partial<Pick<CallerKeys, "isOfTenant">>;
  /** Recognises tokens that were verified recently; without it, every signature is checked every time. */
  readonly verified?: VerifiedTokens;
  /**
   * Called for a token that says that it is from this tenant, and that is signed with a key that Entra publishes neither
   * for the tenant nor for the registration that it names. The answer to the caller is the same with and without it.
   */
  readonly onUnknownKey?: () => void;
}

export interface CallerValidator {
  /** `trace`: sent to Entra if the signing keys have to be fetched. */
  validate(token: SecretValue, nowSeconds: number, trace?: RequestTrace): Promise<Result<Caller, ValidationFailure>>;
  /**
   * The caller of a token whose exact bytes were verified recently, without I/O. Undefined: validate it. It has no effect
   * on what the request may do: `validate` decides.
   */
  recognise(token: SecretValue, nowSeconds: number): CheckedClaims | undefined;
}

/** Throws a TypeError for empty or malformed settings: the service does not start without a rule. */
export function createCallerValidator(input: CallerValidatorInput): CallerValidator {
  const rules = createCallerRules(input);
  const { keys, verified } = input;
  if (typeof keys?.find !== "function") throw new TypeError("keys must be given");

  return {
    recognise(token, nowSeconds) {
      if (token.length > TOKEN_MAX_BYTES) return undefined;
      const known = verified?.find(hash("sha256", token.reveal(), "base64url"), nowSeconds);
      const checked = known === undefined ? undefined : recheckCallerClaims(known, rules, nowSeconds);
      return checked?.ok === true ? checked.value : undefined;
    },
    async validate(token, nowSeconds, trace) {
      // Every comparison with NaN is false: without this, an unset clock would accept expired tokens.
      if (!Number.isFinite(nowSeconds)) throw new TypeError("nowSeconds must be a number");
      // A form body may be larger than any header, so the length is checked before everything else, even before hashing.
      if (token.length > TOKEN_MAX_BYTES) return tooLong(token);
      const digest = hash("sha256", token.reveal(), "base64url");
      const known = verified?.find(digest, nowSeconds);
      if (known !== undefined) {
        return toCaller({ token, digest }, recheckCallerClaims(known, rules, nowSeconds), known.registration);
      }
      const signed = await verify(token.reveal(), rules, { ...input, trace });
      if (!signed.ok) return signed;
      const { payload, generation, ofTenant } = signed.value;
      const checked = checkCallerClaims(readJsonObject(payload), rules, nowSeconds, ofTenant);
      if (checked.ok) {
        verified?.remember({ digest, bytes: token.length, claims: checked.value, generation }, nowSeconds);
      }
      return toCaller({ token, digest }, checked, registrationOf(payload, rules));
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

interface SignedPayload {
  readonly payload: Uint8Array;
  /** Generation of the key set that verified the token. */
  readonly generation: number;
  /** See `CallerKeys`. */
  readonly ofTenant: boolean;
}

/** Form, header, key, signature. */
async function verify(
  token: string,
  rules: CallerRules,
  { keys, verified, onUnknownKey, trace }: CallerValidatorInput & { readonly trace: RequestTrace | undefined },
): Promise<Result<SignedPayload, ValidationFailure>> {
  const form = readCompactForm(token);
  if (!form.ok) return refuseToken(form.failure);
  const { header, payload, compact } = form.value;
  // Nothing vouches for the audience yet. It only selects the registration whose keys may verify this token.
  const key = await findKey(header, () => registrationOf(payload, rules), { keys, trace });
  if (!key.ok) {
    if (isKeyUnknown(key.failure) && namesIssuer(payload, rules)) onUnknownKey?.();
    return key;
  }
  const generation = verified?.generation ?? 0;
  const refusal = await verifySignature({ compact, key: key.value });
  if (refusal !== undefined) return refuseToken(refusal);
  const keyId = readKeyId(form.value.header);
  const ofTenant = keyId.ok && keys.isOfTenant?.(keyId.value) !== false;
  return succeed({ payload, generation, ofTenant });
}

/** The only cast to `Caller`, after every check has passed: see `ValidatedToken` in caller.ts. */
function toCaller(
  presented: { readonly token: SecretValue; readonly digest: string },
  checked: Result<CheckedClaims, TokenRefusal>,
  registration: string | undefined,
): Result<Caller, ValidationFailure> {
  const { token, digest: tokenDigest } = presented;
  if (checked.ok) return succeed({ ...checked.value, tokenDigest, token } as Caller);
  const reason = checked.failure;
  return fail({ kind: "token_refused", reason, ...(registration === undefined ? {} : { registration }) });
}

async function findKey(
  header: JsonObject,
  registration: () => string | undefined,
  { keys, trace }: Pick<CallerValidatorInput, "keys"> & { readonly trace: RequestTrace | undefined },
): Promise<Result<CryptoKey, ValidationFailure>> {
  const keyId = readKeyId(header);
  if (!keyId.ok) return refuseToken(keyId.failure);
  const key = await keys.find(keyId.value, registration, trace);
  if (key.ok) return key;
  return key.failure === "key_unknown" ? refuseToken(key.failure) : fail({ kind: key.failure });
}

function isKeyUnknown(failure: ValidationFailure): boolean {
  return failure.kind === "token_refused" && failure.reason === "key_unknown";
}

/** Reads a payload that nothing vouches for, only to decide whether operators get an event. */
function namesIssuer(payload: Uint8Array, rules: CallerRules): boolean {
  const claims = readJsonObject(payload);
  const issuer = claims === undefined ? undefined : member(claims, "iss");
  return issuer === rules.v2Issuer || issuer === rules.v1Issuer;
}

/** The registration that the payload's audience names. */
function registrationOf(payload: Uint8Array, rules: CallerRules): string | undefined {
  const claims = readJsonObject(payload);
  return claims === undefined ? undefined : registrationOfAudience(rules, member(claims, "aud"));
}

function tooLong(token: SecretValue): Result<never, ValidationFailure> {
  return fail({ kind: "token_refused", reason: "too_long", sentBytes: Buffer.byteLength(token.reveal()) });
}

function refuseToken(reason: TokenRefusal): Result<never, ValidationFailure> {
  return fail({ kind: "token_refused", reason });
}
