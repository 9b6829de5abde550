/**
 * `call <url>`: gets the headers for the API of the URL from the service, and calls the URL. It sends the token only to a
 * known origin of that API, or to any origin with `--api`. It reports redirects and does not follow them.
 */
import { readFileSync } from "node:fs";
import { readClaimsChallenge } from "../claims.ts";
import { settingsFailure, usageFailure } from "../cli-failure.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { requestHeader } from "../header-payload.ts";
import { settingsPath } from "../home.ts";
import { isLoopback } from "../loopback.ts";
import { parseJsonObject, type Received, type Sent, send } from "../send.ts";
import type { Settings } from "../settings.ts";
import type { Terminal } from "../terminal.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";

/** https://learn.microsoft.com/graph/deployments */
const GRAPH_ORIGINS = [
  "https://graph.microsoft.com",
  "https://graph.microsoft.us",
  "https://dod-graph.microsoft.us",
  "https://microsoftgraph.chinacloudapi.cn",
];

export const call: Command = async (input) => {
  const url = readUrl(input.operands);
  const request = await readRequest(input, url);
  const { settings, service } = connect(input);
  const api = input.options.api ?? apiOf(url, settings);
  const callApi = async (claims?: string) => {
    const { headers } = await requestHeader(service, api, claims === undefined ? {} : { claims });
    return send({ ...request, network: settings.network, headers: merged(headers, request.headers) });
  };
  const first = await callApi();
  const claims = first.status === 401 ? readClaimsChallenge(first) : undefined;
  const answer = claims === undefined ? first : await callApi(claims);
  return report(answer, input.options.json === true, input.terminal);
};

/** Header names are case-insensitive: the person's Content-Type replaces the API's. */
function merged(first: Readonly<Record<string, string>>, second: Sent["headers"] = {}): Record<string, string> {
  return { ...Object.fromEntries(new Headers(first)), ...Object.fromEntries(new Headers(second)) };
}

function readUrl([text, ...more]: readonly string[]): URL {
  if (text === undefined || more.length > 0) {
    throw usageFailure("call takes one URL, for example: call https://graph.microsoft.com/v1.0/me");
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    url.username !== "" ||
    (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url)))
  ) {
    throw usageFailure("The URL must be https, because the request carries a token.");
  }
  return url;
}

async function readRequest({ options, terminal }: CommandInput, url: URL): Promise<Omit<Sent, "network">> {
  const body = options.data === undefined ? undefined : await readData(options.data, terminal);
  const method = (options.request ?? (body === undefined ? "GET" : "POST")).toUpperCase();
  if (!/^[A-Z]+$/.test(method)) throw usageFailure(`"${method}" is not an HTTP method.`);
  const base = { url: url.href, method, headers: readHeaders(options.header ?? []) };
  return body === undefined ? base : { ...base, body };
}

/** As curl does: `@FILE` is the content of a file, `@-` is standard input. */
async function readData(text: string, terminal: Terminal): Promise<string | Uint8Array> {
  if (text === "@-") return terminal.input();
  if (!text.startsWith("@")) return text;
  try {
    return new Uint8Array(readFileSync(text.slice(1)));
  } catch {
    throw usageFailure(`${text.slice(1)} cannot be read.`);
  }
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  const pairs = lines.map((line) => /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(line) ?? [line]);
  const wrong = pairs.find((pair) => pair.length < 3 || pair[1]?.toLowerCase() === "authorization");
  if (wrong !== undefined) throw usageFailure(`-H must be 'Name: value' and not Authorization: "${wrong[0]}"`);
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, value]));
}

function apiOf({ origin }: URL, { apis, folder }: Settings): string {
  const api = apis[origin] ?? (GRAPH_ORIGINS.includes(origin) ? "graph" : undefined);
  if (api !== undefined) return api;
  throw settingsFailure(
    `The API at ${origin} is unknown. Name it with --api, or under "apis" in ${settingsPath(folder)}.`,
  );
}

/** Writes the body for every status. The status decides the exit code. */
function report(answer: Received, asJson: boolean, terminal: Terminal): ExitCode {
  const { status, headers, bytes, text } = answer;
  if (asJson) print(terminal, { status, headers: Object.fromEntries(headers), body: parseJsonObject(text) ?? text });
  else terminal.out(bytes);
  if (status >= 200 && status < 300) return EXIT.ok;
  terminal.note(`gte: the API answered ${status}${status < 400 ? ` to ${headers.get("location") ?? "?"}` : ""}`);
  return status === 429 || status >= 500 ? EXIT.unavailable : EXIT.refused;
}
