/** Whether the token may be released, and which request the relay may send with it. Pure. */
import type { DownstreamCall } from "../core/downstream-target.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { Refusal, RequestedApi } from "./choose-apis.ts";
import { allowedCall, describeCall, describeRule, rulesFor } from "./downstream-rules.ts";
import type { Allowance } from "./entitlement.ts";
import type { CallerRule } from "./rules.ts";

/**
 * `subjectEntry` is the entry of the client that obtained the user's token, if it is not the caller's: a token of people
 * whose entry releases none is not released to another client either.
 */
export function evaluateUse(
  entry: CallerRule,
  subjectEntry: CallerRule | undefined,
  { name, rule }: RequestedApi,
  relay: DownstreamCall | undefined,
): Result<Pick<Allowance, "downstream">, Refusal> {
  const rules = rulesFor(entry, name);
  const listed = rules.map(describeRule);
  if (relay === undefined) {
    const refused = [entry, ...(subjectEntry === undefined ? [] : [subjectEntry])].some(
      ({ release }) => release === "none",
    );
    return refused ? fail({ reason: "relay_only", listed }) : succeed({});
  }
  const allowed = allowedCall(rule.resource, rules, relay);
  return allowed === undefined
    ? fail({ reason: "downstream_not_allowed", requested: [describeCall(relay)], listed })
    : succeed({ downstream: { ...allowed, rules } });
}
