/**
 * Policies for tests: the local stack's, changed. The setting is JSON text, as in a deployment.
 */
import { localPolicy } from "../../local/stack/policy.ts";

type Json = Record<string, unknown>;

export interface TestPolicy {
  apis: Record<string, Json>;
  callers: (Json & { name: string })[];
}

/** The local policy after a change. */
export function policyWith(change: (policy: TestPolicy) => void): string {
  const policy = structuredClone(localPolicy) as unknown as TestPolicy;
  change(policy);
  return JSON.stringify(policy);
}

/** The local policy with members of entries replaced, by the entry's name. */
export function policyWithEntries(changes: Record<string, Json>): string {
  return policyWith((policy) => {
    for (const entry of policy.callers) {
      Object.assign(entry, changes[entry.name]);
    }
  });
}

/** Settings of a service that gives the daemon the application's own token for Graph. */
export function applicationOnlySettings(): Record<string, string> {
  const flows = ["refresh-token", "client-credentials"];
  return { POLICY: policyWithEntries({ daemon: { flows, apis: { graph: [".default"] } } }) };
}

/** Settings of a service without a second registration: no application gets a token of its own. */
export function withoutApplicationOnly(): Record<string, string | undefined> {
  const POLICY = policyWith((policy) => {
    policy.callers = policy.callers.filter(({ name }) => name !== "reports");
  });
  return { APP_ONLY_CLIENT_ID: undefined, POLICY };
}
