/** Policies for tests: changed copies of the local stack's, as JSON text like the setting of a deployment. */
import { localPolicy } from "../../local/stack/policy.ts";

type Json = Record<string, unknown>;

export interface TestPolicy {
  apis: Record<string, Json>;
  registrations: Record<string, Json>;
  callers: (Json & { name: string })[];
}

/** The local policy after `change` has modified it, without registrations that no entry names any more. */
export function policyWith(change: (policy: TestPolicy) => void): string {
  const policy = structuredClone(localPolicy) as unknown as TestPolicy;
  change(policy);
  const named = policy.callers.map(({ registration }) => registration);
  const registrations = Object.entries(policy.registrations).filter(([name]) => named.includes(name));
  return JSON.stringify({ ...policy, registrations: Object.fromEntries(registrations) });
}

/** The local policy with replaced members in the named entries. */
export function policyWithEntries(changes: Record<string, Json>): string {
  return policyWith((policy) => {
    for (const entry of policy.callers) {
      Object.assign(entry, changes[entry.name]);
    }
  });
}

/** Settings of a service that allows the daemon an app-only token for Graph. */
export function applicationOnlySettings(): Record<string, string> {
  const flows = ["refresh-token", "client-credentials"];
  return { POLICY: policyWithEntries({ daemon: { flows, apis: { graph: [".default"] } } }) };
}

/** Settings of a service without the app-only registration, so that no application gets an app-only token. */
export function withoutApplicationOnly(): Record<string, string | undefined> {
  const POLICY = policyWith((policy) => {
    policy.callers = policy.callers.filter(({ name }) => name !== "reports");
  });
  return { APP_ONLY_CLIENT_ID: undefined, POLICY };
}
