/**
 * Control operations for the tenant as a server: scripted responses, log, keys, clock and minted tokens.
 */
import { type MintSpec, mint } from "../mint/mint.ts";
import {
  type MintTokenTenant,
  mintAppToken,
  mintIdToken,
  mintUserToken,
  type TokenOverrides,
  type UserTokenOverrides,
} from "../mint/mint-token.ts";
import type { LogFilter, RequestLog } from "./request-log.ts";
import type { ResponseScript, ScriptedResponses } from "./scripted-responses.ts";

export interface ServiceTenant extends MintTokenTenant {
  readonly orders: ScriptedResponses;
  readonly log: RequestLog;
}

export function createServiceOperations(tenant: ServiceTenant) {
  const { orders, log, keys, clock } = tenant;
  return {
    /** Adds a scripted response and returns its id. */
    order: (spec: ResponseScript): string => orders.add(spec),
    clearOrders: (input: { id?: string } = {}) => orders.clear(input.id),
    releaseOrder: (input: { id: string }) => orders.release(input.id),
    listOrders: () => orders.list(),
    requests: (filter: LogFilter = {}) => log.entries(filter),
    requestCounts: () => log.counts(),
    clearLog: () => log.clear(),
    /** Adds a signing key. By default it is published and signs from now on. */
    addKey: async (options: { publish?: boolean; activate?: boolean } = {}) => ({ kid: (await keys.add(options)).kid }),
    publishKey: (input: { kid: string }) => keys.publish(keys.choose(input.kid).kid),
    activateKey: (input: { kid: string }) => keys.activate(input.kid),
    removeKey: (input: { kid: string }) => keys.remove(input.kid),
    /** An ordinary rotation: a new key signs, and the old key is removed from the key set. */
    rotateKey: async () => {
      const old = keys.active().kid;
      const { kid } = await keys.add();
      keys.remove(old);
      return { kid, removed: old };
    },
    /** As a claims-mapping policy does: Entra signs tokens for this client id with a key of the application (E-7). */
    setOwnKey: (input: { clientId: string; own: boolean }) => keys.setOwnKey(input.clientId, input.own),
    listKeys: () => ({ active: keys.active().kid, published: keys.published() }),
    setClockOffset: (input: { offsetMs: number }) => clock.setOffsetMs(input.offsetMs),
    mint: (spec: MintSpec): string => mint(tenant, spec),
    mintUserToken: (overrides: UserTokenOverrides = {}): string => mintUserToken(tenant, overrides),
    mintAppToken: (overrides: TokenOverrides = {}): string => mintAppToken(tenant, overrides),
    mintIdToken: (overrides: UserTokenOverrides = {}): string => mintIdToken(tenant, overrides),
  };
}
