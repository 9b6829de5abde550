/** How requests leave this machine: their timeout, and the proxy that the environment names. */
import { settingsFailure } from "./cli-failure.ts";
import { isLoopback } from "./loopback.ts";
import type { Terminal } from "./terminal.ts";

export interface Network {
  readonly timeoutMs: number;
  /** The proxy for a request to this URL; undefined if the request goes directly. */
  proxyFor(url: URL): URL | undefined;
}

/**
 * HTTPS_PROXY and NO_PROXY with the rules of curl: the name in lower case comes first, and an entry of NO_PROXY also
 * matches subdomains. HTTP_PROXY has no effect, because every request except those to loopback uses https.
 * https://everything.curl.dev/usingcurl/proxies/env.html
 */
export function networkFrom(env: Terminal["env"], timeoutMs: number): Network {
  const proxy = readProxy(env["https_proxy"] || env["HTTPS_PROXY"]);
  const exceptions = (env["no_proxy"] || env["NO_PROXY"] || "")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  return {
    timeoutMs,
    proxyFor: (url) => (staysOnThisMachine(url) || exceptions.some((one) => matches(one, url)) ? undefined : proxy),
  };
}

/** The value may contain a password, so the message does not repeat it. */
function readProxy(text: string | undefined): URL | undefined {
  if (!text) return undefined;
  const address = /^\w+:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw settingsFailure("HTTPS_PROXY must be the URL of an HTTP proxy, for example http://proxy.example.com:8080.");
  }
  return url;
}

function staysOnThisMachine(url: URL): boolean {
  return isLoopback(url) || url.hostname.endsWith(".localhost") || url.hostname.startsWith("127.");
}

/** An entry is `*`, a host or a domain (`example.com`, `.example.com`, `*.example.com`), each with an optional port. */
function matches(entry: string, url: URL): boolean {
  if (entry === "*") return true;
  const [, name = "", port] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== (url.port || "443")) return false;
  return url.hostname === name || url.hostname.endsWith(`.${name}`);
}
