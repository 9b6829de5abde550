/**
 * Loads a built app as the Node worker does. It imports or requires `main` of the app's package.json (a file or a glob),
 * depending on the extension and `type`. Then it runs the appStart hooks, reads the capabilities (which locks `app.setup`)
 * and locks the registration. If one of these steps fails, the host does not start.
 */
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AppContext } from "./app-context.ts";
import { AppHookContext, runHooks } from "./hook-contexts.ts";

const defaultCapabilities = {
  RawHttpBodyBytes: "true",
  RpcHttpTriggerMetadataRemoved: "true",
  RpcHttpBodyOnly: "true",
  IgnoreEmptyValuedRpcHttpHeaders: "true",
  UseNullableValueDictionaryForHttp: "true",
  WorkerStatus: "true",
  TypedDataCollection: "true",
  HandlesWorkerTerminateMessage: "true",
};

export async function loadApp(app: AppContext, appDirectory: string): Promise<void> {
  await loadEntryPoints(appDirectory);
  await runHooks(app, "appStart", new AppHookContext(app, appDirectory));
  const capabilities = (await app.programmingModel?.getCapabilities({ ...defaultCapabilities })) ?? {};
  if (capabilities["HttpUri"] !== undefined) {
    throw new Error("The app requires HTTP streams (enableHttpStream), which the local host does not imitate.");
  }
  app.registrationLocked = true;
}

// ---------------------------------------------------------------------------------------------------------------

async function loadEntryPoints(appDirectory: string): Promise<void> {
  const { main, type } = readPackage(appDirectory);
  const files = globSync(main, { cwd: appDirectory }).sort();
  if (files.length === 0) throw new Error(`Worker was unable to load entry point "${main}": File does not exist`);
  for (const file of files) {
    try {
      await loadFile(join(appDirectory, file), type);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`Worker was unable to load entry point "${file}": ${message}`, { cause: error });
    }
  }
}

function readPackage(appDirectory: string): { main: string; type: string } {
  const path = join(appDirectory, "package.json");
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  const { main, type } = parsed as { main?: unknown; type?: unknown };
  if (typeof main !== "string" || main === "") throw new Error(`${path} has no "main".`);
  return { main, type: typeof type === "string" ? type : "commonjs" };
}

async function loadFile(path: string, packageType: string): Promise<void> {
  const isModule = path.endsWith(".mjs") || (packageType === "module" && !path.endsWith(".cjs"));
  if (isModule) {
    await import(pathToFileURL(path).href);
  } else {
    createRequire(import.meta.url)(path);
  }
}
