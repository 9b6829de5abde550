/**
 * Microsoft Graph behind `az rest`, for the commands of entra-by-hand.md. What was made is in the file of GRAPH_STATE, every
 * request that was not refused in that of AZ_LOG. The next GRAPH_LAG requests after a new object are refused.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

type Item = Record<string, unknown>;
interface State {
  /** Objects by their path, for example `applications(uniqueName='x')`. */
  readonly items: Record<string, Item>;
  /** Lists by their path. */
  readonly lists: Record<string, Item[]>;
  refusals: number;
}

const path = process.env["GRAPH_STATE"] ?? "";
const lag = Number(process.env["GRAPH_LAG"]);
const state: State = existsSync(path)
  ? (JSON.parse(readFileSync(path, "utf8")) as State)
  : { items: {}, lists: {}, refusals: 0 };
const args = process.argv.slice(2);
const argument = (name: string) => (args.includes(name) ? (args[args.indexOf(name) + 1] ?? "") : "");
const [method, url, body] = [argument("--method"), argument("--url"), argument("--body")];
const [resource = ""] = url.replace(/^.*\/v1\.0\//, "").split("?");

if (state.refusals > 0) {
  state.refusals -= 1;
  process.stderr.write("ERROR: Not Found: NoBackingApplicationObject\n");
  process.exitCode = 1;
} else {
  const sent = body === "" ? {} : (JSON.parse(body) as Item);
  appendFileSync(process.env["AZ_LOG"] ?? "", `${JSON.stringify({ method, url, body: sent })}\n`);
  process.stdout.write(JSON.stringify(answer(sent)));
}
writeFileSync(path, JSON.stringify(state));

function answer(sent: Item): unknown {
  if (method === "GET") return state.items[resource] ?? { value: state.lists[resource] ?? [] };
  if (method === "PATCH") return patch(sent);
  // The consents of a service principal are a list of its own.
  const list = resource === "oauth2PermissionGrants" ? `servicePrincipals/${sent["clientId"]}/${resource}` : resource;
  state.lists[list] = [...(state.lists[list] ?? []), { ...sent, id: nextId() }];
  return {};
}

function patch(sent: Item): unknown {
  const consent = Object.values(state.lists)
    .flat()
    .find(({ id }) => resource === `oauth2PermissionGrants/${id}`);
  if (consent !== undefined) return Object.assign(consent, sent);
  const item = state.items[resource];
  const isNew = item === undefined && args.includes("Prefer=create-if-missing");
  if (isNew) state.refusals = lag;
  const id = nextId();
  state.items[resource] = { ...(item ?? { id, appId: id.replace("id", "app") }), ...sent };
  return {};
}

function nextId(): string {
  const lists = Object.values(state.lists).reduce((count, list) => count + list.length, 0);
  return `id-${Object.keys(state.items).length + lists}`;
}
