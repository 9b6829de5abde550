/**
 * RFC 6749 section 4.1.2: a code that is used again ends the grant that its first use made. If the grant store does not
 * answer, the service tries again in the background, because the client has its refusal and does not repeat the request.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Caller } from "../caller/caller.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { Grants } from "../grants/grants.ts";
import type { UnsealedCode } from "../sealed-state/authorization-code.ts";
import { revokedFacts } from "./linked-grants.ts";
import { codeIdOf } from "./store-grant.ts";

/** Waits before each further attempt: for a restart of the table service, then for longer outages. */
const PAUSES_MS = [10_000, 60_000, 300_000, 900_000] as const;

interface ReplayedCode extends Pick<Caller, "clientId"> {
  /** Undefined: not known without the grant store. */
  readonly grantId: string | undefined;
}

export interface EndGrantOfCode {
  /** Undefined: no grant store is configured. */
  readonly grants: (() => Promise<Grants>) | undefined;
  readonly events: GrantEvents;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  /** `pending`: the first attempt failed. `ended`: a later one ended the grant. `left`: all failed. */
  readonly onReplay: (outcome: "pending" | "ended" | "left", about: ReplayedCode) => void;
}

/** Resolves after the first attempt. It never fails. */
export async function endGrantOfCode(
  input: EndGrantOfCode,
  code: UnsealedCode,
  caller: Caller,
  audit: AuditTrail,
): Promise<void> {
  if (!code.offlineAccess || input.grants === undefined) return;
  const first = await attempt(input, code, caller);
  if (first === "failed") {
    input.onReplay("pending", { clientId: caller.clientId, grantId: undefined });
    void tryAgain(input, code, caller);
    return;
  }
  if (first !== undefined) audit.add(revokedFacts(first));
}

// ---------------------------------------------------------------------------------------------------------------

async function tryAgain(input: EndGrantOfCode, code: UnsealedCode, caller: Caller): Promise<void> {
  for (const pauseMs of PAUSES_MS) {
    await input.pause(pauseMs);
    const revoked = await attempt(input, code, caller);
    if (revoked === "failed") continue;
    if (revoked !== undefined) input.onReplay("ended", { clientId: caller.clientId, grantId: revoked.id });
    return;
  }
  input.onReplay("left", { clientId: caller.clientId, grantId: undefined });
}

/** Undefined: the code made no grant, or it has ended. */
async function attempt({ grants, events }: EndGrantOfCode, code: UnsealedCode, caller: Caller) {
  try {
    const revoked = await (await grants?.())?.revokeByCode(codeIdOf(code), caller);
    if (revoked?.ok === false) return revoked.failure.kind === "grant_not_bound" ? undefined : "failed";
    const ended = revoked?.value;
    if (ended !== undefined) events.publish(aboutGrant("revoked", ended, { reason: "code_replayed" }));
    return ended;
  } catch {
    return "failed";
  }
}
