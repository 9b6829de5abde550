/** The relay: requests to an API with a token that never leaves the service. */
import { RELAY_METHODS } from "../../../shared/core/downstream-target.ts";
import { RELAY_BODY_MAX_BYTES } from "../../../shared/core/limits.ts";
import type { OperationInput, Paths } from "./operation.ts";
import { type Part, PROBLEM_TYPE, parameterRef, query, schemaRef, text } from "./schema.ts";
import { TOKEN_OVERRIDES } from "./token-paths.ts";

interface Relay {
  readonly prefix: string;
  /** Ends of operation ids. */
  readonly id: string;
  readonly token: string;
  readonly security?: readonly Part[];
  readonly grantHeaders: readonly Part[];
}

const USER: Relay = {
  prefix: "/DownstreamApi",
  id: "",
  token: "the calling user's token, or the token of a grant",
  grantHeaders: [parameterRef("X-Grant"), parameterRef("X-Grant-Verifier")],
};
const APPLICATION: Relay = {
  prefix: "/DownstreamApiUnauthenticated",
  id: "AsApplication",
  token: "the application's own token. The caller authenticates here as everywhere",
  security: [{ entra_application: [] }],
  grantHeaders: [],
};

const BODIES = ["POST", "PUT", "PATCH", "DELETE"];

/** The API's response, which can have any status and media type, or a refusal of the service. */
function responses(hasContent: boolean): Part {
  const description = "The response of the API.";
  const both = "The response of the API, or a refusal of the service (`application/problem+json` with a `code`).";
  if (!hasContent) return { "2XX": { description }, "4XX": { description: both }, "5XX": { description: both } };
  const refused = { description: both, content: { [PROBLEM_TYPE]: { schema: schemaRef("Problem") }, "*/*": {} } };
  return { "2XX": { description, content: { "*/*": {} } }, "4XX": refused, "5XX": refused };
}

const body = {
  required: false,
  description: `The body for the API, unchanged: at most ${RELAY_BODY_MAX_BYTES} bytes.`,
  content: { "*/*": {} },
};

function pathOperation(relay: Relay, method: string): OperationInput {
  const verb = `${method[0]}${method.slice(1).toLowerCase()}`;
  return {
    id: `relay${verb}${relay.id}`,
    tag: "Relay",
    summary: `Send a ${method} request to an API`,
    description: `Sends the method, path, query and body to the API with ${relay.token}. The policy lists what may be sent.`,
    dialect: "problem",
    ...(relay.security === undefined ? {} : { security: relay.security }),
    parameters: [parameterRef("api"), parameterRef("path"), ...relay.grantHeaders],
    ...(BODIES.includes(method) ? { body } : {}),
    answers: responses(method !== "HEAD") as OperationInput["answers"],
    refusals: {},
  };
}

function sidecarOperation(relay: Relay): OperationInput {
  return {
    id: `callApi${relay.id}`,
    tag: "Relay",
    summary: "Send a request to an API, described in the query",
    description: `The wire format of Microsoft's Entra auth sidecar. Sends the request with ${relay.token}.`,
    dialect: "problem",
    ...(relay.security === undefined ? {} : { security: relay.security }),
    parameters: [
      parameterRef("api"),
      query("optionsOverride.RelativePath", text("Path and query of the request to the API."), {
        required: true,
        example: "/v1.0/me/messages?$top=5",
      }),
      query(
        "optionsOverride.HttpMethod",
        text("Method of the request to the API.", { enum: RELAY_METHODS, default: "GET" }),
      ),
      query("optionsOverride.AcceptHeader", text("`Accept` of the request to the API.")),
      ...TOKEN_OVERRIDES,
      ...relay.grantHeaders,
    ],
    body,
    answers: responses(true) as OperationInput["answers"],
    refusals: {},
  };
}

export const relayPaths: Paths = Object.fromEntries(
  [USER, APPLICATION].flatMap((relay) => [
    [`${relay.prefix}/{api}`, { post: sidecarOperation(relay) }],
    [
      `${relay.prefix}/{api}/{path}`,
      Object.fromEntries(RELAY_METHODS.map((method) => [method.toLowerCase(), pathOperation(relay, method)])),
    ],
  ]),
);
