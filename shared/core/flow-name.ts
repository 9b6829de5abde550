/** The flows that a policy entry can allow. */
export const FLOW_NAMES = ["on-behalf-of", "refresh-token", "authorization-code", "client-credentials"] as const;
export type FlowName = (typeof FLOW_NAMES)[number];
