/**
 * The environment of a benchmark: the local tenant, the built apps, hosts on one core and a load client on another. The
 * tenant runs in this process, on the client's core.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BuildOptions, buildApp } from "../local/build/build-app.ts";
import { createServiceSettings } from "../local/stack/service-settings.ts";
import { type LocalTenant, startLocalTenant } from "../local/tenant/local-tenant.ts";
import { createLocalTls } from "../local/tls/local-tls.ts";
import { type BenchHost, startBenchHost } from "./host.ts";
import { type LoadClient, startLoadClient } from "./load/client.ts";
import { CLIENT_CORE, pinTo } from "./load/cores.ts";

/** The measured apps and their entries. `ordinary` is the empty app with `@azure/functions` as published on npm. */
const APPS = {
  product: { entry: "functions/index.ts" },
  instrumented: { entry: "bench/apps/instrumented.ts" },
  empty: { entry: "bench/apps/empty.ts" },
  ordinary: { entry: "bench/apps/empty.ts", publishedFunctions: true },
  "usual-way": { entry: "bench/apps/usual-way.ts" },
} as const;

export type AppName = keyof typeof APPS;
export type Settings = Readonly<Record<string, string | undefined>>;

export interface World {
  readonly tenant: LocalTenant;
  readonly client: LoadClient;
  /** Builds the app once and returns its folder. */
  build(app: AppName): Promise<string>;
  startHost(app: AppName, settings?: Settings): Promise<BenchHost>;
  /** The settings of the service on this tenant. */
  settings(changes?: Settings): Record<string, string>;
  stop(): Promise<void>;
}

const repository = resolve(import.meta.dirname, "..");
/** Never called, because no benchmark creates a grant. */
const NO_TABLES = "http://127.0.0.1:9";

export async function startWorld(): Promise<World> {
  pinTo(CLIENT_CORE, process.pid);
  const folder = mkdtempSync(join(tmpdir(), "gte-bench-"));
  const tls = createLocalTls();
  const caPath = join(folder, "ca.pem");
  writeFileSync(caPath, tls.caPem);
  const serviceUrl = "http://localhost:7071";
  const tenant = await startLocalTenant({
    port: 0,
    tls: { key: tls.serverKeyPem, cert: tls.serverCertPem },
    serviceUrl,
  });
  const client = startLoadClient(CLIENT_CORE, caPath);
  const hosts: BenchHost[] = [];
  const built = new Map<AppName, Promise<string>>();
  const build = (app: AppName): Promise<string> => {
    const known = built.get(app) ?? buildInto(join(folder, app), APPS[app]);
    built.set(app, known);
    return known;
  };
  const settings = (changes: Settings = {}) => ({
    NODE_EXTRA_CA_CERTS: caPath,
    ...createServiceSettings(
      { tenantUrl: tenant.url, serviceUrl, tableUrl: NO_TABLES, managedIdentity: tenant.state.identity },
      changes,
    ),
  });
  return {
    tenant,
    client,
    build,
    settings,
    async startHost(app, changes) {
      const logPath = join(folder, `${app}-${hosts.length}.log`);
      const host = await startBenchHost({ appDirectory: await build(app), settings: settings(changes), logPath });
      hosts.push(host);
      return host;
    },
    async stop() {
      client.stop();
      await Promise.all(hosts.map((host) => host.stop()));
      await tenant.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function buildInto(directory: string, app: Omit<BuildOptions, "outDirectory">): Promise<string> {
  mkdirSync(directory, { recursive: true });
  await buildApp({ ...app, entry: join(repository, app.entry), outDirectory: join(directory, "dist") });
  copyFileSync(join(repository, "host.json"), join(directory, "host.json"));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module", main: "dist/index.mjs" }));
  return directory;
}
