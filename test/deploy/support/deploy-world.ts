/** The world of `npm run deploy` in a test: the stand-in for Azure, a vault, the service, and a clock that does not wait. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployProgram } from "../../../clients/deploy/deploy-program.ts";
import type { Answer, World } from "../../../clients/deploy/world.ts";
import type { Snapshot } from "../../../infra/compiler/bicep-process.ts";
import { type Answers, answerAz, type Cloud, createCloud, PRINCIPAL, SUBSCRIPTION, TENANT } from "./stand-in-az.ts";

export const VERSION = "0.1.0+1f3a9c2b7d04";
export const WRITTEN_CLIENT_ID = "11111111-1111-4111-8111-111111111111";

export interface Scene {
  readonly cloud: Cloud;
  readonly file: string;
  readonly fileText: () => string;
  /** Values of the secrets that the vault received. */
  readonly keys: Map<string, string>;
  /** Answers of the vault before it works. */
  readonly vaultAnswers: { status: number; code: string }[];
  /** Versions that `/ready` names before the right one. */
  readonly readyAnswers: { status: number; version: string }[];
  readonly settings: { settings: Record<string, string>; registrations: number; confirms: boolean; attended: boolean };
  run(...args: readonly string[]): Promise<Run>;
}

export interface Run {
  readonly code: number;
  readonly text: string;
  readonly commands: readonly string[];
  /** Seconds that the command waited, in total. */
  readonly waited: number;
}

export function createScene(answers: Answers = {}): Scene {
  const folder = mkdtempSync(join(tmpdir(), "gte-deploy-"));
  const file = join(folder, "contoso.bicepparam");
  writeFileSync(file, `using '../main.bicep'\nparam name = 'contoso'\nparam clientId = '${WRITTEN_CLIENT_ID}'\n`);
  const scene: Scene = {
    cloud: createCloud(answers),
    file,
    fileText: () => readFileSync(file, "utf8"),
    keys: new Map(),
    vaultAnswers: [],
    readyAnswers: [],
    settings: { settings: {}, registrations: 0, confirms: true, attended: true },
    run: (...args) => runScene(scene, args),
  };
  return scene;
}

// ---------------------------------------------------------------------------------------------------------------

async function runScene(scene: Scene, args: readonly string[]): Promise<Run> {
  const written = { text: "", waited: 0 };
  const first = scene.cloud.commands.length;
  const code = await deployProgram([scene.file, ...args], worldOf(scene, written));
  return { code, ...written, commands: scene.cloud.commands.slice(first) };
}

function worldOf(scene: Scene, written: { text: string; waited: number }): World {
  const { cloud, settings } = scene;
  const write = (text: string) => {
    written.text += text;
  };
  return {
    terminal: {
      out: (text) => write(String(text)),
      note: (text) => write(`${text}\n`),
      input: async () => new Uint8Array(),
      ask: () => Promise.resolve(""),
      attended: settings.attended,
      env: {},
    },
    start: async (program, args) => (program === "az" ? answerAz(cloud, args) : { code: 0, out: "", errors: "" }),
    send: async (url, init) => answerRequest(scene, new URL(url), init),
    pause: async (milliseconds) => {
      written.waited += milliseconds / 1_000;
    },
    confirm: async () => settings.confirms,
    compile: async () => ({
      kind: "parameters",
      parameters: { name: { value: "contoso" }, location: { value: "westeurope" } },
    }),
    predict: async () => predicted(scene),
    registration: async (args) => {
      writeFileSync(args[args.indexOf("--parameters") + 1] ?? "", "{}");
      return settings.registrations === 0 ? 0 : 1;
    },
    version: () => VERSION,
  };
}

async function answerRequest(scene: Scene, url: URL, init: RequestInit = {}): Promise<Answer> {
  if (url.hostname === "kv-contoso-123.vault.azure.net") return answerVault(scene, url, init);
  const runs = scene.cloud.made.includes("package");
  if (url.pathname === "/healthz") {
    return { status: 200, headers: new Headers(runs ? { "X-Service-Version": VERSION } : {}), text: "Healthy" };
  }
  const { status, version } = scene.readyAnswers.shift() ?? { status: runs ? 200 : 503, version: VERSION };
  return {
    status,
    headers: new Headers(),
    text: JSON.stringify({ status: status === 200 ? "ready" : "not_ready", version }),
  };
}

function answerVault(scene: Scene, url: URL, init: RequestInit): Answer {
  const answer = (status: number, body: unknown) => ({ status, headers: new Headers(), text: JSON.stringify(body) });
  const next = scene.vaultAnswers.shift();
  const error = (code: string) => ({ error: { code: "Forbidden", message: "…", innererror: { code } } });
  if (next !== undefined) return answer(next.status, error(next.code));
  if (scene.cloud.roleAssignments.length === 0) return answer(403, error("ForbiddenByRbac"));
  const [, , name = ""] = url.pathname.split("/");
  if (init.method !== "PUT") return answer(200, { value: scene.keys.has(name) ? [{ id: name }] : [] });
  const { value } = JSON.parse(String(init.body)) as { value: string };
  scene.keys.set(name, value);
  scene.cloud.made.push(`key ${name}`);
  scene.cloud.secrets.push(name);
  return answer(200, {});
}

/** The parts of the evaluated template that the plan reads. test/infra/deploy-plan.test.ts compares them with the compiler's. */
function predicted({ settings, fileText }: Scene): Snapshot {
  const identity = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-gte-contoso/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-contoso`;
  const [, clientId] = /clientId = '([^']+)'/.exec(fileText()) ?? [];
  return {
    predictedResources: [
      { type: "Microsoft.ManagedIdentity/userAssignedIdentities", name: "id-contoso" },
      { type: "Microsoft.KeyVault/vaults", name: "kv-contoso-123", properties: { createMode: "default" } },
      { type: "Microsoft.Storage/storageAccounts", name: "stcontoso123" },
      {
        type: "Microsoft.Web/sites",
        name: "func-contoso-123",
        tags: { owner: "identity-team", "azd-service-name": "api" },
        identity: { userAssignedIdentities: { [identity]: {} } },
        properties: { functionAppConfig: { runtime: { version: "24" } } },
      },
      {
        type: "Microsoft.Web/sites/config",
        name: "func-contoso-123/appsettings",
        properties: {
          TENANT_ID: TENANT,
          CLIENT_ID: clientId,
          APP_ID_URI: `api://${TENANT}/graph-token-exchange`,
          CLIENT_CREDENTIAL: "managed-identity",
          SEALING_KEY_NAME: "sealing-key",
          CACHE_KEY_NAME: "cache-key",
          REDIS_URL: "",
          POLICY: JSON.stringify({ apis: {}, callers: [] }),
          POLICY_URL: "",
          SERVICE_URL: "[format('https://{0}', reference('site').defaultHostName)]",
          ...settings.settings,
        },
      },
    ],
    outputs: { principalId: PRINCIPAL },
  };
}
