/**
 * The labels of metrics and attributes of spans. Each has a closed set of values, so that the number of time series does
 * not grow with the number of callers. A value outside the set becomes `other`, a missing one `none`. No label identifies
 * a user, a client, a token or a request. Pure.
 */
import { FLOW_NAMES } from "../core/flow-name.ts";
import { CODES } from "./codes.ts";
import type { LabelFacts } from "./telemetry.ts";

export type Labels = Readonly<
  Record<`gte.${"route" | "flow" | "api" | "registration" | "outcome" | "code" | "cache"}`, string>
>;

const FLOWS = new Set<unknown>(FLOW_NAMES);
const OUTCOMES = new Set<unknown>(["issued", "answered", "refused", "failed"] satisfies LabelFacts["outcome"][]);
const LEVELS = new Set<unknown>(["hit", "joined", "miss", "bypass", "shared"] satisfies LabelFacts["cache"][]);
const KNOWN_CODES = new Set<unknown>(CODES);

/** The names in the current policy that are labels. */
export interface LabelNames {
  readonly apis: readonly string[];
  readonly registrations: readonly string[];
}

/** `route` is the name under which the service registers the route. */
export function createLabels(names: () => LabelNames): (route: string, facts: LabelFacts) => Labels {
  return (route, { flow, api, registration, outcome, code, cache }) => ({
    "gte.route": route,
    "gte.flow": labelIn(FLOWS, flow),
    "gte.api": labelIn({ has: (name) => names().apis.includes(name) }, api),
    "gte.registration": labelIn({ has: (name) => names().registrations.includes(name) }, registration),
    "gte.outcome": labelIn(OUTCOMES, outcome),
    "gte.code": labelIn(KNOWN_CODES, code),
    "gte.cache": labelIn(LEVELS, cache),
  });
}

// ---------------------------------------------------------------------------------------------------------------

function labelIn(set: { has(value: string): boolean }, value: string | undefined): string {
  if (value === undefined) return "none";
  return set.has(value) ? value : "other";
}
