/**
 * The sealing key of the service, read from Key Vault. Each purpose derives its own key from it. The JWE code is a lazy
 * chunk of the bundle.
 */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { FixedConfig } from "../../shared/config/config.ts";
import type { Sealer } from "../../shared/sealing/sealer.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";

export interface Sealing {
  /** Loads the sealing code and returns a factory for sealers. */
  sealers(): Promise<(purpose: string) => Sealer>;
  /** Whether the key is readable now, for readiness. */
  check(): Promise<boolean>;
}

export interface SealingInput {
  readonly config: FixedConfig;
  readonly azure: Azure;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
}

export function createSealing({ config, azure, nowMs, operatorLog }: SealingInput): Sealing {
  const loaded = once(async () => {
    const [{ createSealer }, { createSealingKeys }] = await Promise.all([
      import("../../shared/sealing/sealer.ts"),
      import("../../shared/sealing/sealing-keys.ts"),
    ]);
    const keys = createSealingKeys({
      source: { read: async (version) => (await azure.vault()).readSecret(config.sealingKeyName, version) },
      now: nowMs,
      onStale: (reason) => operatorLog.add({ event: "credential", name: "sealing_key_stale", reason }),
    });
    return { keys, sealer: (purpose: string) => createSealer({ purpose, keys }) };
  });
  return {
    sealers: async () => (await loaded()).sealer,
    check: async () => (await (await loaded()).keys.current()).ok,
  };
}
