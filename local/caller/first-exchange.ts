/**
 * Makes one exchange against a running stack, as a caller does: it presents alice's token for a client to the service,
 * receives a header for Graph, and calls Graph with it. A client that gets no token uses the relay.
 */
import { readFileSync } from "node:fs";
import { userToken } from "./caller-token.ts";
import type { LocalEnvironment } from "./environment.ts";
import { localRequest } from "./local-request.ts";

export interface FirstExchange {
  /** The client application. */
  caller: string;
  callerToken: string;
  graphToken: string;
  /** The headers from the service, ready for the next request. */
  headers: Record<string, string>;
  expiresOn: string;
  me: Record<string, unknown>;
}

export async function makeFirstExchange(environment: LocalEnvironment, caller = "web"): Promise<FirstExchange> {
  const callerToken = await userToken(environment, "alice", caller);
  const exchanged = await localRequest(`${environment.serviceUrl}/AuthorizationHeader/graph`, {
    headers: { authorization: `Bearer ${callerToken}` },
  });
  if (exchanged.status !== 200) {
    throw new Error(`The service refused the first exchange: ${exchanged.status} ${exchanged.text}`);
  }
  const payload = exchanged.json();
  const headers = payload["headers"] as Record<string, string>;
  const answer = await localRequest(`${environment.graphUrl}/v1.0/me`, {
    headers,
    ca: readFileSync(environment.caCertPath, "utf8"),
  });
  if (answer.status !== 200) {
    throw new Error(`Graph refused the token of the first exchange: ${answer.status} ${answer.text}`);
  }
  return {
    caller,
    callerToken,
    graphToken: (headers["Authorization"] ?? "").replace(/^Bearer /, ""),
    headers,
    expiresOn: String(payload["expiresOn"]),
    me: answer.json(),
  };
}

export interface RelayedRequest {
  readonly caller: string;
  /** The status and code of the refusal when the client requests a token. */
  readonly refusal: { readonly status: number; readonly code: string };
  readonly path: string;
  /** The status of Graph's response. */
  readonly status: number;
}

/** As the assistant, which the policy gives no token: requests one, then reads alice's messages through the relay. */
export async function makeRelayedRequest(environment: LocalEnvironment): Promise<RelayedRequest> {
  const caller = "assistant";
  const path = "/DownstreamApi/graph/v1.0/me/messages";
  const headers = { authorization: `Bearer ${await userToken(environment, "alice", caller)}` };
  const refused = await localRequest(`${environment.serviceUrl}/AuthorizationHeader/graph`, { headers });
  const relayed = await localRequest(`${environment.serviceUrl}${path}`, { headers });
  if (relayed.status !== 200) {
    throw new Error(`The relay refused the first request: ${relayed.status} ${relayed.text}`);
  }
  return {
    caller,
    refusal: { status: refused.status, code: String(refused.json()["code"]) },
    path,
    status: relayed.status,
  };
}
