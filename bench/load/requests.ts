/** Caller requests as bytes for the load client. */
import type { LocalTenant } from "../../local/tenant/local-tenant.ts";

const HOST = "localhost:7071";

/** `GET /AuthorizationHeader/graph`. */
export function headerRequest(token: string): Buffer {
  return Buffer.from(
    `GET /AuthorizationHeader/graph HTTP/1.1\r\nHost: ${HOST}\r\nAccept: application/json\r\nUser-Agent: bench\r\n` +
      `Authorization: Bearer ${token}\r\n\r\n`,
  );
}

/** `POST /oauth2/token` with an RFC 8693 token exchange of the user's token. */
export function tokenRequest(token: string): Buffer {
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: token,
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    audience: "graph",
  }).toString();
  return Buffer.from(
    `POST /oauth2/token HTTP/1.1\r\nHost: ${HOST}\r\nAccept: application/json\r\nUser-Agent: bench\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
  );
}

export function plainRequest(method: "GET" | "POST", path: string): Buffer {
  const length = method === "POST" ? "Content-Length: 0\r\n" : "";
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${length}\r\n`);
}

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
