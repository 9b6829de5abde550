/** Requests of callers, as bytes for the load client. */
import type { LocalTenant } from "../../local/tenant/local-tenant.ts";

const HOST = "localhost:7071";

/** `GET /AuthorizationHeader/graph`, as the sidecar's clients send it. */
export function headerRequest(token: string): Buffer {
  return Buffer.from(
    `GET /AuthorizationHeader/graph HTTP/1.1\r\nHost: ${HOST}\r\nAccept: application/json\r\nUser-Agent: bench\r\n` +
      `Authorization: Bearer ${token}\r\n\r\n`,
  );
}

/** `POST /oauth2/token`, an RFC 8693 exchange of the user's own token. */
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

/** People of the tenant beyond the seeded ones, each with consent, and a token for the service. */
export function createUsers(tenant: LocalTenant, count: number): string[] {
  const { directory } = tenant.state;
  const [alice] = directory.users;
  if (alice === undefined) throw new Error("the local tenant has no users");
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
 * From now on Entra answers exchanges at once with a token of Entra's usual size, without work of its own, so that many
 * users can be warmed up. Returns what ends it.
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
