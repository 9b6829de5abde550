/**
 * Starts the local stack: certificate authority, local tenant, Azurite's table service, and the Functions host with the
 * built app. `npm start`, the tests, the demo and the benchmarks use it. The tenant runs in this process, so that a test
 * can read and change its state. Azurite and the host are child processes.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startTableService, type TableService } from "../azurite/table-service.ts";
import type { LocalEnvironment } from "../caller/environment.ts";
import { startPlayground } from "../playground/playground.ts";
import type { BoundedLog } from "../process/bounded-log.ts";
import type { NewPrivateKey } from "../tenant/keys/signing-key.ts";
import { type LocalTenant, startLocalTenant } from "../tenant/local-tenant.ts";
import { createLocalTls } from "../tls/local-tls.ts";
import { describeEnvironment } from "./describe-environment.ts";
import { lockFolder } from "./folder-lock.ts";
import { createHostControl, type HostControl, type SettingOverrides } from "./host-control.ts";
import { createServiceSettings } from "./service-settings.ts";

export interface StackOptions {
  /** Default 0: any free port. */
  servicePort?: number;
  tenantPort?: number;
  /** The folder with host.json and package.json. Default: the repository. */
  appDirectory?: string;
  /** Settings of the service to change. `undefined` removes a setting. */
  serviceSettings?: SettingOverrides;
  /** The folder for ca.pem, for one stack at a time. Default: a temporary folder, deleted when the stack stops. */
  folder?: string;
  /** The tenant's clock, and the source of its signing keys. */
  now?: () => number;
  newPrivateKey?: NewPrivateKey;
  /** Azurite that runs already. Default: one of this stack. */
  tables?: RunningTables;
  /** False: do not wait for /ready, for apps without it and for stacks that must not become ready. */
  waitForReady?: boolean;
  /** True: the playground answers `/` in place of the service's own page. */
  playground?: boolean;
  /** Called with each line of the host's output. */
  onServiceLine?: (line: string) => void;
}

export type RunningTables = Pick<TableService, "url" | "pid">;

export interface Stack {
  tenant: LocalTenant;
  tables: RunningTables;
  environment: LocalEnvironment;
  service: StackService;
  /** Stops the host and starts it again on the same port. Later restarts keep the changed settings. */
  restartHost(changes?: SettingOverrides): Promise<void>;
  /** Stops the host, Azurite and the tenant, in this order. */
  stop(): Promise<void>;
  /** Resolves with a message when a child process ends unexpectedly. */
  broken: Promise<string>;
}

export interface StackService {
  readonly url: string;
  /** Of the running host. */
  readonly pid: number;
  /** The time to load the app, measured by the host. */
  readonly loadMs: number;
  readonly logs: BoundedLog;
}

const repository = resolve(import.meta.dirname, "../..");

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const parts: { stop: () => Promise<unknown> | unknown }[] = [];
  const stop = async () => {
    for (const part of parts.splice(0).reverse()) {
      await part.stop();
    }
  };
  const registerStop = <T>(part: T, end: (part: T) => Promise<unknown> | unknown): T => {
    parts.push({ stop: () => end(part) });
    return part;
  };
  try {
    return await startParts(options, registerStop, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------------------------

type RegisterStop = <T>(part: T, end: (part: T) => Promise<unknown> | unknown) => T;

async function startParts(
  options: StackOptions,
  registerStop: RegisterStop,
  stop: () => Promise<void>,
): Promise<Stack> {
  const folder = registerStop(await takeFolder(options.folder), (part) => part.release());
  const tls = createLocalTls();
  const caCertPath = join(folder.path, "ca.pem");
  writeFileSync(caCertPath, tls.caPem);
  const broken = Promise.withResolvers<string>();
  const control = await createHostControl({
    appDirectory: options.appDirectory ?? repository,
    port: options.servicePort ?? 0,
    caCertPath,
    overrides: options.serviceSettings ?? {},
    waitForReady: options.waitForReady !== false,
    onLine: options.onServiceLine,
    onUnexpectedEnd: broken.resolve,
  });
  registerStop(control, (part) => part.stop());
  const serviceUrl = `http://localhost:${control.port}`;
  const tenantOptions = { tls: { key: tls.serverKeyPem, cert: tls.serverCertPem }, serviceUrl };
  const port = options.tenantPort ?? 0;
  const tenant = registerStop(
    await startLocalTenant({
      port,
      ...tenantOptions,
      ...(options.now && { now: options.now }),
      ...(options.newPrivateKey && { newPrivateKey: options.newPrivateKey }),
    }),
    (part) => part.close(),
  );
  const tables = options.tables ?? (await startTables(registerStop, broken.resolve));
  const settingsInput = {
    tenantUrl: tenant.url,
    serviceUrl,
    tableUrl: tables.url,
    managedIdentity: tenant.state.identity,
  };
  const playground = options.playground ? await openLater(serviceUrl, registerStop) : undefined;
  registerStop(control, (part) => part.stop()); // Again, so that the running host stops before Azurite and the tenant.
  await control.start((overrides) => createServiceSettings(settingsInput, { ...playground?.settings, ...overrides }));
  const environment = describeEnvironment({ tenant, serviceUrl, caCertPath });
  playground?.open({ environment, tenant: tenant.state });
  return {
    tenant,
    tables,
    environment,
    service: toService(serviceUrl, control),
    restartHost: (changes = {}) => control.restart(changes),
    stop,
    broken: broken.promise,
  };
}

/** The host needs its address before it starts, and it needs the running stack. */
async function openLater(serviceUrl: string, registerStop: RegisterStop) {
  const { url, open } = registerStop(await startPlayground(serviceUrl), (part) => part.close());
  return { settings: { LOCAL_PLAYGROUND_URL: url }, open };
}

async function startTables(registerStop: RegisterStop, onEnd: (message: string) => void): Promise<TableService> {
  const tables = registerStop(await startTableService(), (part) => part.stop());
  void tables.endedUnexpectedly.then((code) => onEnd(`Azurite ended (exit code ${code}).`));
  return tables;
}

function toService(url: string, control: HostControl): StackService {
  return {
    url,
    get pid() {
      return control.current().pid;
    },
    get loadMs() {
      return control.current().loadMs;
    },
    get logs() {
      return control.current().logs;
    },
  };
}

async function takeFolder(chosen: string | undefined): Promise<{ path: string; release: () => void }> {
  if (chosen === undefined) {
    const path = mkdtempSync(join(tmpdir(), "gte-stack-"));
    return { path, release: () => rmSync(path, { recursive: true, force: true }) };
  }
  const { release } = await lockFolder(chosen);
  return { path: chosen, release };
}
