/**
 * The log levels in host.json: the host writes no "Executing" and "Executed" lines, and every function writes its own. .NET's
 * filters know no wildcard, so host.json names each function.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compose, realSurroundings } from "../../functions/composition/compose.ts";
import { register } from "../../functions/register.ts";
import { createAppContext, installCoreModule } from "../../local/host/app-context.ts";
import { createHostLog, type HostLogEntry } from "../../local/host/host-log.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import { configFrom } from "../../shared/config/environment.ts";

const path = join(import.meta.dirname, "../../host.json");
const hostJson = JSON.parse(readFileSync(path, "utf8"));

/** Every function of the app with all options, timers included, as the worker gets them from `register`. */
function registeredNames(): string[] {
  const app = createAppContext(createHostLog({}, () => undefined));
  installCoreModule(app);
  const settings = createServiceSettings({
    tenantUrl: "https://localhost:7443",
    serviceUrl: "http://localhost:7071",
    tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
    managedIdentity: { endpoint: "", header: "" },
  });
  settings["EVENT_WEBHOOK_URL"] = "http://127.0.0.1:9/";
  register(compose(configFrom(settings), realSurroundings()));
  return [...app.functions.values()].map(({ metadata }) => metadata.name).sort();
}

const names = registeredNames();

test("the registered functions include the routes and every timer", () => {
  expect(names).toEqual(expect.arrayContaining(["token", "signin-open", "watch", "reap-grants", "send-events"]));
});

test("host.json names every registered function (UPDATE_DOCS=1 writes it again)", () => {
  const logLevel = {
    default: "Information",
    "Host.Results": "Warning",
    Function: "Warning",
    ...Object.fromEntries(names.map((name) => [`Function.${name}.User`, "Information"])),
  };
  if (process.env["UPDATE_DOCS"] === "1") {
    const changed = { ...hostJson, logging: { ...hostJson.logging, logLevel } };
    writeFileSync(path, `${JSON.stringify(changed, undefined, 2)}\n`);
    return;
  }
  expect(hostJson.logging.logLevel).toEqual(logLevel);
});

test.each(names)(
  "of %s, the log has what the function writes and its failures, but not that it was executed",
  (name) => {
    const lines: string[] = [];
    const log = createHostLog(hostJson.logging.logLevel, (line) => lines.push(JSON.parse(line).message));
    const write = (level: HostLogEntry["level"], category: string, message: string) =>
      log.write({ level, category, message });
    write("information", `Function.${name}`, "Executing");
    write("information", `Function.${name}.User`, "audit event");
    write("error", `Function.${name}.User`, "failed event");
    write("information", `Function.${name}`, "Executed (Succeeded)");
    write("error", `Function.${name}`, "Executed (Failed)");
    expect(lines).toEqual(["audit event", "failed event", "Executed (Failed)"]);
  },
);
