/** Where an API is. It comes from the policy and the cloud only, so no request can name another host. Pure. */
import type { DownstreamTarget } from "../core/downstream-target.ts";
import { toRelativeUrl } from "../core/downstream-target.ts";
import { isGraph } from "../core/graph-resource.ts";
import type { Api } from "../policy/entitlement.ts";

/** An https URL without a slash at its end. `graphUrl` is Graph's address if it is not that of its resource. */
export function baseUrlOf({ resource, baseUrl }: Api, graphUrl: string | undefined): string {
  if (isGraph(resource)) return graphUrl ?? resource;
  return baseUrl ?? new URL(resource).origin;
}

/** The URL of a request. A target cannot leave the base URL, because its segments are encoded again. */
export function urlOf(baseUrl: string, target: DownstreamTarget): string {
  return `${baseUrl}${toRelativeUrl(target)}`;
}

/** The path and query of a URL of this API, encoded. Undefined: it is of another API. */
export function relativeTo(baseUrl: string, url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const base = new URL(baseUrl);
  const { origin, username, password, pathname, search, hash } = new URL(url);
  const prefix = base.pathname === "/" ? "" : base.pathname;
  const ofApi = origin === base.origin && username === "" && password === "" && hash === "";
  return ofApi && pathname.startsWith(`${prefix}/`) ? `${pathname.slice(prefix.length)}${search}` : undefined;
}
