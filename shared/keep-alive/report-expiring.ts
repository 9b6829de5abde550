/**
 * One run of the timer that reports grants that end within two weeks: once each, until a person allows the grant again. If
 * the service has the grant's handle, the report has a link with which the same person does that.
 */

import { EXPIRING_DAYS, grantEnd } from "../core/grant.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { StoredGrant } from "../grants/grant-types.ts";
import { keepAliveRule } from "../policy/evaluate-keep-alive.ts";
import { createHealingLink } from "../sign-in/offer-sign-in.ts";
import { pagesOf } from "./keep-alive.ts";
import type { KeepAliveContext } from "./keep-alive-context.ts";

/** Once a run has reported so many, it ends after the page that it has read. The next run reports the others. */
const REPORTS_PER_RUN = 1_000;

export interface ExpiringReport {
  readonly reported: number;
  /** Rows that could not be read or written; the next run finds them again. */
  readonly failed: number;
}

export async function reportExpiring(context: KeepAliveContext): Promise<ExpiringReport> {
  const now = context.nowSeconds();
  const counts = { reported: 0, known: 0, failed: 0 };
  const window = { afterSeconds: now, bySeconds: grantEnd(now, EXPIRING_DAYS) };
  for await (const page of pagesOf(context, { which: "ending", ...window })) {
    if (page === "failed") counts.failed += 1;
    else for (const stored of page.filter(isUnreported)) counts[await reportOne(context, stored)] += 1;
    if (counts.reported >= REPORTS_PER_RUN) break;
  }
  const { reported, failed } = counts;
  return { reported, failed };
}

// ---------------------------------------------------------------------------------------------------------------

function isUnreported({ grant }: StoredGrant): boolean {
  return grant.expiringReportedAtSeconds === undefined;
}

async function reportOne(context: KeepAliveContext, stored: StoredGrant): Promise<"reported" | "known" | "failed"> {
  const upkeep = await context.upkeep();
  const isFirst = await upkeep.markExpiringReported(stored);
  if (!isFirst.ok) return "failed";
  if (!isFirst.value) return "known";
  const { grant } = stored;
  const rule = keepAliveRule(context.policy, grant);
  const handle = rule === undefined ? undefined : await upkeep.handleOf(stored);
  const signInUrl =
    rule === undefined || handle === undefined
      ? undefined
      : await createHealingLink(context, { grant, handle }, { entry: rule.name, claims: undefined });
  context.events.publish(aboutGrant("expiring", grant, { signInUrl }));
  return "reported";
}
