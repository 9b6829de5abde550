/**
 * The local tenant: it stands in for Entra ID, Key Vault, the managed identity endpoint, one operation of Blob Storage, an Event Grid topic and a part of Microsoft Graph, on
 * loopback TLS. It imitates the observed answers of those services, errors included, and shares no code with the product.
 * Ids such as E-45 (Entra), KV-20 (Key Vault), CC-7 (claims challenges), TK-3 (tokens) and TC-1 (MSAL's requests) number
 * the observed facts. The titles of the tests use the same ids.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:https";
import { getRequestListener } from "@hono/node-server";
import { createOperations } from "./control/operations.ts";
import { createRequestLog } from "./control/request-log.ts";
import { createScriptedResponses } from "./control/scripted-responses.ts";
import { createSeedDirectory } from "./directory/seed.ts";
import { OBJECT_IDS, TENANT_ID } from "./directory/seed-ids.ts";
import { createTopic } from "./event-grid/topic.ts";
import { createManagedIdentityEndpoint } from "./identity/managed-identity.ts";
import { createKeyRing } from "./keys/key-ring.ts";
import { createSealer } from "./keys/sealer.ts";
import { generatePrivateKey, type NewPrivateKey } from "./keys/signing-key.ts";
import { createAuthorizationCodes } from "./oauth/authorization-codes.ts";
import { createDeviceCodes } from "./oauth/device-codes.ts";
import { createRoutes } from "./routes.ts";
import { createBlobs } from "./storage/blobs.ts";
import type { Tenant, TenantState } from "./tenant.ts";
import { createClock } from "./time/clock.ts";
import { fillVault } from "./vault/fill-vault.ts";
import { createVault } from "./vault/vault.ts";

export interface LocalTenantOptions {
  /** 0: any free port. */
  port: number;
  /** PEM; the certificate must cover `localhost`. */
  tls: { key: string; cert: string };
  /** The source of the time in milliseconds. Default `Date.now`. */
  now?: () => number;
  /** The address of the service under test. Its `/oauth2/callback` is registered as a redirect URI. */
  serviceUrl?: string;
  /** The source of the private keys that sign tokens. Default: a new key each time, which takes 40 ms. */
  newPrivateKey?: NewPrivateKey;
}

export interface LocalTenant {
  /** `https://localhost:PORT` */
  readonly url: string;
  readonly state: TenantState;
  close(): Promise<void>;
}

/** Entra keeps connections for minutes. Node's default of 5 s would close a connection that a client is about to reuse. */
const KEEP_ALIVE_MS = 120_000;

export async function startLocalTenant(options: LocalTenantOptions): Promise<LocalTenant> {
  const server = createServer(options.tls);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const url = `https://localhost:${await startListening(server, options.port)}`;
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
    keys: await createKeyRing(url, clock, options.newPrivateKey ?? generatePrivateKey),
    directory,
    sealer: createSealer(),
    codes: createAuthorizationCodes(clock),
    deviceCodes: createDeviceCodes(clock),
    requirements: [],
    vault,
    blobs: createBlobs([OBJECT_IDS.systemIdentity, OBJECT_IDS.userIdentity]),
    topic: createTopic([OBJECT_IDS.systemIdentity, OBJECT_IDS.userIdentity]),
    identity: createManagedIdentityEndpoint(url),
    orders: createScriptedResponses(directory),
    log: createRequestLog(),
  };
}

/** Listens on loopback only. */
function startListening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.off("error", reject);
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Releases held requests and closes the connections of hanging ones. */
function close(server: Server, state: TenantState): Promise<void> {
  state.orders.clear();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
    // A connection whose handshake ends now would keep the server open for minutes.
    server.on("secureConnection", (socket) => socket.destroy());
  });
}
