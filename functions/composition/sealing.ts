/**
 * The sealing key: one for the whole service, read from the vault; each purpose derives its own from it. The JWE parts
 * are a lazy chunk.
 */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { Config } from "../../shared/config/config.ts";
import type { Sealer } from "../../shared/sealing/sealer.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";

export interface Sealing {
  /** Makes sealers, once the parts are loaded. */
  sealers(): Promise<(purpose: string) => Sealer>;
  /** Whether the key can be read now. For readiness. */
  check(): Promise<boolean>;
}

export interface SealingInput {
  readonly config: Config;
  readonly azure: Azure;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
}

export function createSealing({ config, azure, nowMs, operatorLog }: SealingInput): Sealing {
  const parts = once(async () => {
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
    sealers: async () => (await parts()).sealer,
    check: async () => (await (await parts()).keys.current()).ok,
  };
}
