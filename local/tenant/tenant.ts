/**
 * The running tenant as a whole. Only the files in this folder use this type. Every other file declares the members that it
 * needs in its own interface.
 */
import type { TenantOperations } from "./control/operations.ts";
import type { RequestLog } from "./control/request-log.ts";
import type { ScriptedResponses } from "./control/scripted-responses.ts";
import type { Directory } from "./directory/directory.ts";
import type { Topic } from "./event-grid/topic.ts";
import type { ManagedIdentityEndpoint } from "./identity/managed-identity.ts";
import type { KeyRing } from "./keys/key-ring.ts";
import type { Sealer } from "./keys/sealer.ts";
import type { AuthorizationCodes } from "./oauth/authorization-codes.ts";
import type { DeviceCodes } from "./oauth/device-codes.ts";
import type { Requirement } from "./oauth/requirements.ts";
import type { Blobs } from "./storage/blobs.ts";
import type { Clock } from "./time/clock.ts";
import type { Vault } from "./vault/vault.ts";

export interface Tenant {
  /** The tenant's origin: `https://localhost:PORT`. */
  readonly url: string;
  readonly tenantId: string;
  readonly clock: Clock;
  readonly keys: KeyRing;
  readonly directory: Directory;
  readonly sealer: Sealer;
  readonly codes: AuthorizationCodes;
  readonly deviceCodes: DeviceCodes;
  /** Conditional access: the demands that a sign-in must have satisfied before a token is issued. */
  readonly requirements: Requirement[];
  readonly vault: Vault;
  readonly blobs: Blobs;
  readonly topic: Topic;
  readonly identity: ManagedIdentityEndpoint;
  /** Named after the control operation `order`. */
  readonly orders: ScriptedResponses;
  readonly log: RequestLog;
}

/** The tenant as tests and the local stack hold it: its parts, and every control operation as a method. */
export interface TenantState extends Tenant, TenantOperations {
  /** Bearer key of `/_control`. */
  readonly controlKey: string;
}
