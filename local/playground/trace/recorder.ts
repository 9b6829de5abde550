/** Collects the messages of a flow. The requests of the service to Entra and Graph come from the tenant's log. */
import type { LocalResponse } from "../../caller/local-request.ts";
import { shortenToken } from "../../caller/show-token.ts";
import type { LogEntry } from "../../tenant/control/request-log.ts";
import { type FilledRequest, showRequest, showResponse, tokensIn } from "./show-message.ts";
import type { Message, Note, Party } from "./trace.ts";

export interface RecordedTenant {
  readonly url: string;
  requests(): readonly LogEntry[];
}

export interface RecordInput {
  readonly from: Party;
  readonly to: Party;
  /** Default: method and path. */
  readonly title?: string;
  readonly request: FilledRequest;
}

export interface Recorder {
  readonly events: readonly (Message | Note)[];
  note(text: string): void;
  /** Records the request that `send` sends. */
  record(
    input: RecordInput,
    send: () => Promise<LocalResponse>,
  ): Promise<{ response: LocalResponse; message: Message }>;
}

export function createRecorder(tenant: RecordedTenant): Recorder {
  const events: (Message | Note)[] = [];
  return {
    events,
    note: (text) => events.push({ kind: "note", text }),
    record: async ({ from, to, title, request }, send) => {
      const before = new Set(tenant.requests());
      const response = await send();
      const later = tenant.requests().filter((entry) => !before.has(entry));
      const shown = showRequest(request);
      const message: Message = {
        kind: "message",
        from,
        to,
        title: title ?? shown.line,
        request: shown,
        status: response.status,
        response: showResponse(response),
        tokens: tokensIn(JSON.stringify(request), response.text),
        nested: to === "service" ? later.flatMap((entry) => toNested(tenant.url, entry)) : [],
      };
      events.push(message);
      if (cameFromCache(message))
        events.push({ kind: "note", text: "The token was in the service’s cache. The service did not ask Entra." });
      return { response, message };
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The service gave or used a token and asked Entra for none. */
function cameFromCache({ to, status, request, nested }: Message): boolean {
  const usesToken = /^\w+ \/(AuthorizationHeader|DownstreamApi|oauth2\/token)/.test(request.line);
  return to === "service" && status === 200 && usesToken && !nested.some((one) => one.to === "entra");
}

const GRANT_TITLES: Readonly<Record<string, string>> = {
  "on-behalf-of": "on-behalf-of: a token for Graph",
  refresh_token: "refresh token: a token for Graph",
  authorization_code: "authorization code: tokens of the person",
  client_credentials: "client credentials: a token for the application",
};

/** Keys, discovery and Key Vault are left out: the service asks for them once, not in each request. */
function toNested(tenantUrl: string, entry: LogEntry): readonly Message[] {
  const { endpoint, method, path, query, form, grantType, headers = {}, status } = entry;
  if (endpoint !== "token" && endpoint !== "graph" && endpoint !== "api") return [];
  const search = new URLSearchParams(query).toString();
  const sent = {
    method,
    url: `${tenantUrl}${path}${search === "" ? "" : `?${search}`}`,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => RELAYED_HEADERS.includes(name))),
    ...(form === undefined ? {} : { form }),
  };
  const request = showRequest(sent);
  const title = endpoint === "token" ? (GRANT_TITLES[grantType ?? ""] ?? "a token") : request.line;
  const to: Party = endpoint === "token" ? "entra" : "graph";
  const answer = { line: String(status), headers: [], body: "" };
  const tokens = tokensIn(JSON.stringify(sent));
  return [
    {
      kind: "message",
      from: "service",
      to,
      title,
      request: withoutAssertions(request),
      status,
      response: answer,
      tokens,
      nested: [],
    },
  ];
}

const RELAYED_HEADERS = ["authorization", "accept", "content-type", "prefer", "client-request-id"];

/** The form has the service's own credential, which is not a token of a caller. */
function withoutAssertions(request: Message["request"]): Message["request"] {
  return { ...request, body: request.body.replaceAll(/(?<=client_assertion=)\S+/g, shortenToken) };
}
