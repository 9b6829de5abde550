/** Caller requests as bytes for the load client. */
import type { LocalTenant } from "../../local/tenant/local-tenant.ts";

const HOST = "localhost:7071";

/** The requests as one deployment gets them. */
export interface RequestWriter {
  /** `GET /AuthorizationHeader/{api}`. */
  headerRequest(token: string): Buffer;
  /** `POST /oauth2/token` with an RFC 8693 token exchange of the user's token. */
  tokenRequest(token: string): Buffer;
  plainRequest(method: "GET" | "POST", path: string): Buffer;
}

export function createRequestWriter(host: string, api: string): RequestWriter {
  const head = `HTTP/1.1\r\nHost: ${host}\r\n`;
  const common = "Accept: application/json\r\nUser-Agent: bench\r\n";
  return {
    headerRequest: (token) =>
      Buffer.from(`GET /AuthorizationHeader/${api} ${head}${common}Authorization: Bearer ${token}\r\n\r\n`),
    tokenRequest: (token) => {
      const form = new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: token,
        subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
        audience: api,
      }).toString();
      const type = "Content-Type: application/x-www-form-urlencoded";
      return Buffer.from(`POST /oauth2/token ${head}${common}${type}\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
    },
    plainRequest: (method, path) =>
      Buffer.from(`${method} ${path} ${head}${method === "POST" ? "Content-Length: 0\r\n" : ""}\r\n`),
  };
}

/** The requests to the hosts that a benchmark starts. */
const local = createRequestWriter(HOST, "graph");
export const headerRequest = (token: string) => local.headerRequest(token);
export const tokenRequest = (token: string) => local.tokenRequest(token);
export const { plainRequest } = local;

/** Adds users with consent to the tenant and returns a token for the service for each of them. */
export function createUsers(tenant: LocalTenant, count: number): string[] {
  const { directory } = tenant.state;
  const [alice] = directory.users;
  if (alice === undefined) throw new Error("The local tenant has no users.");
  const consents = directory.consents.filter(({ userOid }) => userOid === alice.oid);
  return Array.from({ length: count }, (_, index) => {
    const oid = `be4c4000-0000-4000-8000-${String(index).padStart(12, "0")}`;
    if (directory.user(oid) === undefined) {
      directory.users.push({ ...alice, name: `user${index}`, oid, username: `user${index}@contoso.local` });
      directory.consents.push(...consents.map((consent) => ({ ...consent, userOid: oid })));
    }
    return tenant.state.mintUserToken({ user: oid, client: "web" });
  });
}

/**
 * Makes the local tenant answer exchanges with a constant token of the usual size, so that the warm-up of many users is
 * fast. Returns a function that ends this.
 */
export function answerQuickly(tenant: LocalTenant, delayMs = 0): () => void {
  const id = tenant.state.order({
    endpoint: "token",
    client: "service",
    times: 0,
    status: 200,
    body: {
      token_type: "Bearer",
      scope: "User.Read Mail.Read",
      expires_in: 4_500,
      ext_expires_in: 4_500,
      access_token: `eyJ0eXAiOiJKV1QiLCJub25jZSI6I.${"a".repeat(1_600)}.${"b".repeat(342)}`,
    },
    ...(delayMs > 0 ? { delayMs } : {}),
  });
  return () => tenant.state.clearOrders({ id });
}
