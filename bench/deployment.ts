/**
 * `npm run bench -- --url <URL>`: measures cached exchanges of a deployment, in Azure or local. All figures are relative to
 * `/healthz` of the same deployment: it is an almost empty function, so that network, platform and host are in both.
 * It writes nothing and never prints a token.
 */
import { readFileSync } from "node:fs";
import { userToken } from "../local/caller/caller-token.ts";
import { readEnvironment } from "../local/caller/environment.ts";
import { type LoadInput, type LoadResult, runLoad } from "./load/load.ts";
import { createRequestWriter } from "./load/requests.ts";
import { digits, interleave, median, ms, whole } from "./scenario.ts";

export interface DeploymentOptions {
  readonly url: string;
  /** File with an access token for the service. Default: a token of the running local stack. */
  readonly tokenFile: string | undefined;
  readonly api: string;
  readonly connections: number;
  readonly rounds: number;
  readonly roundMs: number;
}

type Target = Pick<LoadInput, "host" | "port" | "tls">;

/** Returns the report. Throws if a request is not answered with 200. */
export async function measureDeployment(options: DeploymentOptions): Promise<string> {
  const url = new URL(options.url);
  const target = readTarget(url);
  const token = await readToken(options, url);
  const writer = createRequestWriter(url.host, options.api);
  const measured = [
    { name: "GET /healthz", request: writer.plainRequest("GET", "/healthz") },
    { name: `GET /AuthorizationHeader/${options.api}`, request: writer.headerRequest(token) },
    { name: "POST /oauth2/token", request: writer.tokenRequest(token) },
  ];
  for (const { name, request } of measured) {
    await warmUp(target, name, request, options.connections);
  }
  const { connections, roundMs: maxMs } = options;
  const load = { ...target, connections, maxMs, maxRequests: Number.MAX_SAFE_INTEGER, order: "in-turn" } as const;
  const results = await interleave(
    options.rounds,
    measured.map(
      ({ name, request }) =>
        async () =>
          requireSuccess(name, await runLoad({ ...load, requests: [request] })),
    ),
  );
  const rows = measured.map(({ name }, index) => describeRow(name, results[index] ?? [], results[0] ?? []));
  return toReport(url, options, rows);
}

// ---------------------------------------------------------------------------------------------------------------

function readTarget({ protocol, hostname, port, pathname }: URL): Target {
  const tls = protocol === "https:";
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (!tls && !(protocol === "http:" && loopback)) {
    throw new Error(
      "--url must begin with https://, because each request has a token. Only loopback may have http://.",
    );
  }
  if (pathname !== "/") throw new Error("--url must have no path.");
  // The local host listens on 127.0.0.1; "localhost" might resolve to the other address first.
  return { tls, host: loopback && !tls ? "127.0.0.1" : hostname, port: Number(port) || (tls ? 443 : 80) };
}

async function readToken({ tokenFile }: DeploymentOptions, url: URL): Promise<string> {
  if (tokenFile !== undefined) {
    const token = readFileSync(tokenFile, "utf8").trim();
    if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Error(`${tokenFile} does not contain an access token.`);
    return token;
  }
  const environment = readEnvironment();
  if (environment === undefined || new URL(environment.serviceUrl).host !== url.host) {
    throw new Error("--token-file is missing. Only for the running local stack, the benchmark gets a token itself.");
  }
  return userToken(environment, "alice");
}

/** The first exchange fills the cache; the others are for the compilers. */
async function warmUp(target: Target, name: string, request: Buffer, connections: number): Promise<void> {
  const load = { ...target, requests: [request], maxMs: 60_000, order: "in-turn" } as const;
  requireSuccess(name, await runLoad({ ...load, connections: 1, maxRequests: 1 }));
  requireSuccess(name, await runLoad({ ...load, connections, maxRequests: 300, maxMs: 10_000 }));
}

function requireSuccess(name: string, result: LoadResult): LoadResult {
  if (result.requests === 0) throw new Error(`${name}: no connection.`);
  const others = Object.entries(result.statuses).filter(([status]) => status !== "200");
  if (others.length > 0) {
    const counts = others.map(([status, count]) => `${status === "0" ? "no answer" : status} (${count} times)`);
    throw new Error(`${name} was not always answered with 200: ${counts.join(", ")}.`);
  }
  return result;
}

const FIGURES = ["perSecond", "p50Ms", "p99Ms"] as const;

/** Medians of the rounds, and of the ratios to the rounds of /healthz at the same time. */
function describeRow(name: string, rounds: readonly LoadResult[], base: readonly LoadResult[]): string[] {
  const value = (key: (typeof FIGURES)[number]) => median(rounds.map((round) => round[key]));
  const ratio = (key: (typeof FIGURES)[number]) =>
    digits(median(rounds.map((round, index) => round[key] / (base[index]?.[key] ?? Number.NaN))), 2);
  return [name, whole(value("perSecond")), ms(value("p50Ms")), ms(value("p99Ms")), ...FIGURES.map(ratio)];
}

function toReport(url: URL, { connections, rounds, roundMs }: DeploymentOptions, rows: readonly string[][]): string {
  const heading = ["", "requests/s", "p50", "p99", "requests/s ratio", "p50 ratio", "p99 ratio"];
  const table = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const how = `${connections} connections, ${rounds} interleaved rounds of ${roundMs} ms, medians; ratios to GET /healthz`;
  return [`Cached exchanges at ${url.origin} (${how})`, ...lines].join("\n");
}
