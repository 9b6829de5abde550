/**
 * The limits as numbers. Tests of a limit take the number from the product, so only this test notices that one has changed
 * Each is a promise to a caller (docs/promises.md) or a bound on memory or time.
 */
import { expect, test } from "vitest";
import { FAILURE_COOLDOWN_MS, KEY_SET_MAX_AGE_MS, REFETCH_COOLDOWN_MS } from "../../../shared/caller/issuer-keys.ts";
import * as limits from "../../../shared/core/limits.ts";
import { DEFAULT_BYPASS_PER_MINUTE } from "../../../shared/policy/evaluate.ts";

test("the deadlines, in milliseconds", () => {
  expect(endingWith("_MS")).toEqual({
    REQUEST_DEADLINE_MS: 10_000,
    RELAY_REQUEST_DEADLINE_MS: 90_000,
    RELAY_CALL_DEADLINE_MS: 30_000,
    ENTRA_DEADLINE_MS: 8_000,
    CODE_REDEMPTION_DEADLINE_MS: 30_000,
    KEY_SET_DEADLINE_MS: 3_000,
    VAULT_DEADLINE_MS: 3_000,
    POLICY_DEADLINE_MS: 3_000,
    GRANT_STORE_DEADLINE_MS: 2_000,
    REDIS_DEADLINE_MS: 50,
    REDIS_FIRST_DEADLINE_MS: 250,
    TELEMETRY_DEADLINE_MS: 5_000,
    TELEMETRY_STOP_MS: 2_000,
    EVENT_DEADLINE_MS: 10_000,
    EVENTS_STOP_MS: 2_000,
    ADMISSION_WAIT_MAX_MS: 3_000,
  });
});

test("the lifetimes and the tolerance, in seconds", () => {
  expect(endingWith("_SECONDS")).toEqual({
    PUSHED_REQUEST_SECONDS: 60,
    SIGN_IN_SECONDS: 600,
    CODE_SECONDS: 60,
    LINK_SECONDS: 600,
    REQUESTED_GRANT_SECONDS: 1_209_600,
    CONFIRMATION_SECONDS: 600,
    SESSION_SECONDS: 600,
    CLOCK_TOLERANCE_SECONDS: 60,
  });
});

test("the sizes, in bytes and characters", () => {
  expect({ ...endingWith("_BYTES"), ...endingWith("_CHARACTERS") }).toEqual({
    BODY_MAX_BYTES: 65_536,
    RELAY_BODY_MAX_BYTES: 5_242_880,
    TOKEN_MAX_BYTES: 16_384,
    CLAIMS_MAX_BYTES: 4_096,
    ENTRA_ANSWER_MAX_BYTES: 262_144,
    KEY_SET_MAX_BYTES: 524_288,
    POLICY_MAX_BYTES: 1_048_576,
    TELEMETRY_ANSWER_MAX_BYTES: 65_536,
    EVENT_ANSWER_MAX_BYTES: 16_384,
    URL_CLAIMS_MAX_BYTES: 1_024,
    ENTRA_CODE_MAX_CHARACTERS: 4_096,
  });
});

test("the counts", () => {
  expect(endingWith("_MAX")).toEqual({
    REQUESTS_AT_ONCE_MAX: 512,
    REQUESTS_AT_ONCE_ABSOLUTE_MAX: 1_024,
    UNPROVEN_REQUESTS_AT_ONCE_MAX: 256,
    RELAY_CALLS_MAX: 128,
    BATCH_REQUESTS_MAX: 20,
    BATCH_VALUES_MAX: 50_000,
    RELAY_LINKS_MAX: 1_000,
    PARAMETERS_MAX: 64,
    APIS_PER_GRANT_MAX: 10,
  });
  expect(limits.REQUESTS_AT_ONCE_RESERVED).toBe(8);
  expect(DEFAULT_BYPASS_PER_MINUTE).toBe(10);
});

test("how often the signing keys are read", () => {
  const day = 24 * 60 * 60 * 1_000;
  expect([KEY_SET_MAX_AGE_MS, REFETCH_COOLDOWN_MS, FAILURE_COOLDOWN_MS]).toEqual([day, 30_000, 5_000]);
});

test("no limit is left out of this file", () => {
  const known = ["_MS", "_SECONDS", "_BYTES", "_CHARACTERS", "_MAX", "_RESERVED"];
  expect(Object.keys(limits).filter((name) => !known.some((unit) => name.endsWith(unit)))).toEqual([]);
});

function endingWith(unit: string): Record<string, number> {
  const chosen = Object.entries(limits).filter(([name]) => name.endsWith(unit));
  return Object.fromEntries(chosen.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}
