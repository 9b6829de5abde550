/**
 * Labels of metrics and attributes of spans: few, and each from a closed set, so that no number of callers makes the
 * series more. Whatever is outside its set is `other`, what is not known is `none`. Nothing here can name a person, a
 * client, a token or a request. Pure.
 */
import { FLOW_NAMES } from "../core/flow-name.ts";
import { CODES } from "./codes.ts";
import type { LabelFacts } from "./telemetry.ts";

export type Labels = Readonly<Record<`gte.${"route" | "flow" | "api" | "outcome" | "code" | "cache"}`, string>>;

const FLOWS = new Set<unknown>(FLOW_NAMES);
const OUTCOMES = new Set<unknown>(["issued", "answered", "refused", "failed"] satisfies LabelFacts["outcome"][]);
const LEVELS = new Set<unknown>(["hit", "joined", "miss", "bypass", "shared"] satisfies LabelFacts["cache"][]);
const KNOWN_CODES = new Set<unknown>(CODES);

/** `apis`: the names in the policy. The route is a name from our own code, fixed at registration. */
export function createLabels(apis: readonly string[]): (route: string, facts: LabelFacts) => Labels {
  const names = new Set<unknown>(apis);
  return (route, { flow, api, outcome, code, cache }) => ({
    "gte.route": route,
    "gte.flow": within(FLOWS, flow),
    "gte.api": within(names, api),
    "gte.outcome": within(OUTCOMES, outcome),
    "gte.code": within(KNOWN_CODES, code),
    "gte.cache": within(LEVELS, cache),
  });
}

function within(set: ReadonlySet<unknown>, value: string | undefined): string {
  if (value === undefined) return "none";
  return set.has(value) ? value : "other";
}
