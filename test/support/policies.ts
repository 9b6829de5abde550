/**
 * Policies for tests: the local stack's, changed. The setting is JSON text, as in a deployment.
 */
import { localPolicy } from "../../local/policy.ts";
import { CLIENT_IDS } from "./callers.ts";

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
  const policy = policyWith(({ apis, callers }) => {
    apis["graph"] = { ...apis["graph"], scopes: ["User.Read", "Mail.Read", ".default"] };
    const daemon = callers.find(({ name }) => name === "daemon");
    Object.assign(daemon ?? {}, { flows: ["refresh-token", "client-credentials"], apis: { graph: [".default"] } });
  });
  return { APP_ONLY_CLIENT_ID: CLIENT_IDS.appOnly, POLICY: policy };
}
