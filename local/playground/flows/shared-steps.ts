/** Steps that several flows have. */
import type { LocalResponse } from "../../caller/local-request.ts";
import type { Outcome, Play } from "./flow.ts";

export const bearer = { authorization: "Bearer {{TOKEN}}" };

/** Calls Graph with the headers of the answer, and says whose profile came back. */
export async function callGraph(play: Play, answer: LocalResponse, path = "/v1.0/me"): Promise<Outcome> {
  const refused = refusalOf(answer);
  if (refused !== undefined) return refused;
  const body = answer.json();
  const headers = (body["headers"] ?? { Authorization: `Bearer ${String(body["access_token"])}` }) as Record<
    string,
    string
  >;
  const graph = await play.send({ target: `${play.environment.graphUrl}${path}`, headers });
  if (graph.status !== 200) return { text: `Graph answered ${graph.status}.`, succeeded: false };
  const name = graph.json()["displayName"];
  const read =
    typeof name === "string"
      ? `Graph returned the profile of ${name}.`
      : "Graph answered with the application’s own permissions.";
  return { text: `The service gave a token, and ${read}`, succeeded: true };
}

/** Undefined: the service answered with what the caller asked for. */
export function refusalOf(answer: LocalResponse): Outcome | undefined {
  if (answer.status < 400) return undefined;
  const { code, error, action } = jsonOf(answer);
  const next = typeof action === "string" ? ` What the caller does next: ${action}.` : "";
  return { text: `The service refused: ${String(code ?? error ?? answer.status)}.${next}`, succeeded: false };
}

/** Sends `forceRefresh` only if the page asks for it: most callers send the short GET. */
export function headerRequest({ skipCache }: Play) {
  return {
    target: "/AuthorizationHeader/graph",
    headers: bearer,
    main: true,
    ...(skipCache && { json: { forceRefresh: true } }),
  };
}

/** The caller as `POST /policy/explain` describes it. */
export function callerInQuestion({ caller }: Play, kind: "user" | "application") {
  return {
    kind,
    clientId: caller.clientId,
    ...(caller.registration !== undefined && { registration: caller.registration }),
    ...(kind === "application" && { roles: ["Exchange.Call"] }),
  };
}

export function jsonOf(answer: LocalResponse): Record<string, unknown> {
  try {
    return answer.json();
  } catch {
    return {};
  }
}
