/**
 * Whether the service can do its work now: keys loaded, credential at hand, grant store reachable. Checked at most every
 * few seconds, however many ask, so that strangers cannot make us hammer the vault.
 */
import type { Service } from "./composition/compose.ts";

export interface Readiness {
  readonly ready: boolean;
  readonly checks: {
    readonly keys: "ok" | "unavailable";
    readonly credential: { readonly state: string; readonly version?: string; readonly daysToExpiry?: number };
    readonly grantStore: "ok" | "unavailable" | "not_configured";
  };
}

/** A probe every few seconds sees a change soon; a flood of probes costs three calls in that time. */
const FRESH_MS = 5_000;
const DAY_SECONDS = 86_400;

export function createReadiness(service: Service): () => Promise<Readiness> {
  let asked: { readonly atMs: number; readonly answer: Promise<Readiness> } | undefined;
  return () => {
    const now = service.nowMs();
    if (asked === undefined || now - asked.atMs >= FRESH_MS) {
      asked = { atMs: now, answer: check(service) };
    }
    return asked.answer;
  };
}

async function check(service: Service): Promise<Readiness> {
  const [keys, credential, grantStore] = await Promise.all([
    service.keys.ready(),
    checkCredential(service),
    checkGrantStore(service),
  ]);
  return {
    ready: keys && credential.usable && grantStore !== "unavailable",
    checks: { keys: keys ? "ok" : "unavailable", credential: credential.told, grantStore },
  };
}

async function checkCredential({ delegated, nowMs }: Service) {
  const source = await delegated.credential();
  const { ok: usable } = await source.current();
  const { state, version, expiresAtSeconds } = source.describe();
  const daysToExpiry =
    expiresAtSeconds === undefined ? undefined : Math.floor((expiresAtSeconds - nowMs() / 1_000) / DAY_SECONDS);
  return {
    usable,
    told: {
      state,
      ...(version === undefined ? {} : { version }),
      ...(daysToExpiry === undefined ? {} : { daysToExpiry }),
    },
  };
}

async function checkGrantStore({ grantParts }: Service): Promise<"ok" | "unavailable" | "not_configured"> {
  if (grantParts === undefined) {
    return "not_configured";
  }
  const checked = await (await grantParts.store()).check();
  return checked.ok ? "ok" : "unavailable";
}
