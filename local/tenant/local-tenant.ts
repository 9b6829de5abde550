/**
 * The local tenant: a stand-in on loopback TLS for Entra ID, Key Vault, the managed identity endpoint and a sliver
 * of Microsoft Graph. It answers as those services were seen to answer, errors included, and shares no code with the
 * product. Marks such as E-45 (Entra), KV-20 (Key Vault), CC-7 (claims challenges), TK-3 (tokens) and TC-1 (MSAL on the
 * wire) number the observed facts; the tests carry the same marks in their titles.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:https";
import { getRequestListener } from "@hono/node-server";
import { createOperations } from "./control/operations.ts";
import { createRequestLog } from "./control/request-log.ts";
import { createScriptedResponses } from "./control/scripted-responses.ts";
import { createSeedDirectory } from "./directory/seed.ts";
import { OBJECT_IDS, TENANT_ID } from "./directory/seed-ids.ts";
import { createManagedIdentityEndpoint } from "./identity/managed-identity.ts";
import { createKeyRing } from "./keys/key-ring.ts";
import { createSealer } from "./keys/sealer.ts";
import { createAuthorizationCodes } from "./oauth/authorization-codes.ts";
import { createDeviceCodes } from "./oauth/device-codes.ts";
import { createRoutes } from "./routes.ts";
import type { Tenant, TenantState } from "./tenant.ts";
import { createClock } from "./time/clock.ts";
import { fillVault } from "./vault/fill-vault.ts";
import { createVault } from "./vault/vault.ts";

export interface LocalTenantOptions {
  /** 0 = any free one. */
  port: number;
  /** PEM; the certificate must cover `localhost`. */
  tls: { key: string; cert: string };
  /** Milliseconds; default `Date.now`. */
  now?: () => number;
  /** Where the service under test answers; its `/oauth2/callback` is registered as a redirect URI. */
  serviceUrl?: string;
}

export interface LocalTenant {
  /** `https://localhost:PORT` */
  readonly url: string;
  readonly state: TenantState;
  close(): Promise<void>;
}

/** Node's own 5 s would cut connections that a client just picked from its pool; Entra keeps them for minutes. */
const KEEP_ALIVE_MS = 120_000;

export async function startLocalTenant(options: LocalTenantOptions): Promise<LocalTenant> {
  const server = createServer(options.tls);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const url = `https://localhost:${await listen(server, options.port)}`;
  const tenant = await createTenant(url, options);
  const state = { ...tenant, ...createOperations(tenant), controlKey: randomBytes(24).toString("base64url") };
  server.on("request", getRequestListener(createRoutes(state).fetch, { overrideGlobalObjects: false }));
  return { url, state, close: () => close(server, state) };
}

async function createTenant(url: string, options: LocalTenantOptions): Promise<Tenant> {
  const clock = createClock(options.now);
  const serviceUrl = options.serviceUrl ?? "http://localhost:7071";
  const directory = createSeedDirectory({ url, nowMs: clock.nowMs(), serviceUrl });
  const vault = createVault(clock, new Set([OBJECT_IDS.systemIdentity, OBJECT_IDS.userIdentity]));
  fillVault(vault, directory);
  return {
    url,
    tenantId: TENANT_ID,
    clock,
    keys: await createKeyRing(url, clock),
    directory,
    sealer: createSealer(),
    codes: createAuthorizationCodes(clock),
    deviceCodes: createDeviceCodes(clock),
    requirements: [],
    vault,
    identity: createManagedIdentityEndpoint(url),
    orders: createScriptedResponses(directory),
    log: createRequestLog(),
  };
}

/** Loopback only. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.off("error", reject);
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Held requests go on, hanging ones are cut. */
function close(server: Server, state: TenantState): Promise<void> {
  state.orders.clear();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
