/**
 * The refusals: their bodies, and one response for each dialect and status with the codes that it can have. The codes
 * come from the translation of failures (`failure-to-wire.ts`).
 */
import type { Dialect } from "../../../shared/http/wire.ts";
import {
  content,
  HTML_TYPE,
  JSON_TYPE,
  list,
  object,
  type Part,
  type Parts,
  PROBLEM_TYPE,
  schemaRef,
  text,
} from "./schema.ts";

/** What the service can answer in one dialect, by code. */
export type Codes = ReadonlyMap<string, { readonly statuses: readonly number[]; readonly actions: readonly string[] }>;
export type CodesByDialect = Readonly<Record<Exclude<Dialect, "page">, Codes>>;

const RETRY_STATUSES = [429, 503, 504];
const CHALLENGE_STATUSES = [401, 403];
/** Of routes that read a body. */
const BODY_STATUSES = [413, 415];
/** No documented operation has it: it is the answer to every other method of a path. */
const OTHER_METHOD = 405;

const NAMES = { problem: "Problem", oauth: "OAuthError" } as const;

/** References to the responses that an operation of this dialect can have. */
export function refusals(codes: CodesByDialect, dialect: Dialect, hasBody: boolean): Parts {
  if (dialect === "page") {
    const page = { $ref: "#/components/responses/ErrorPage" };
    return { "4XX": page, "5XX": page };
  }
  const statuses = statusesOf(codes[dialect]).filter((status) => hasBody || !BODY_STATUSES.includes(status));
  return Object.fromEntries(
    statuses.map((status) => [String(status), { $ref: `#/components/responses/${NAMES[dialect]}${status}` }]),
  );
}

export function refusalResponses(codes: CodesByDialect): Parts {
  return {
    ...responsesOf("problem", codes.problem),
    ...responsesOf("oauth", codes.oauth),
    ErrorPage: {
      description: "A page that says what happened and what to do, in the language of the browser (English or German).",
      ...content(HTML_TYPE, { type: "string" }),
    },
  };
}

export function refusalSchemas(codes: CodesByDialect): Parts {
  const all = [...new Set([...codes.problem.keys(), ...codes.oauth.keys()])].sort();
  const actions = [...new Set([...codes.problem.values(), ...codes.oauth.values()].flatMap((code) => code.actions))];
  const error = text("Error of RFC 6749 or RFC 6750.");
  const shared = {
    code: { ...schemaRef("Code"), description: "Stable: programs may branch on it." },
    action: text("What the caller does next.", { enum: actions.sort() }),
    docs: text("Section of the documentation about the code."),
    correlation_id: text("The request's id, also in the audit trail.", { format: "uuid" }),
    "error_codes?": list({ type: "integer" }, "AADSTS numbers of Entra."),
    "suberror?": text("Entra's suberror."),
    "claims?": text("Entra's claims challenge (JSON text). Send it with the next sign-in or request."),
    "scopes?": list({ type: "string" }, "Scopes that lack consent."),
    "signin_url?": text("Where the person of the grant can allow it again.", { format: "uri" }),
    "trace_id?": text("Entra's trace id, for Microsoft's support."),
  };
  const example = { code: "caller_not_listed", action: "ask_admin", docs: "docs/troubleshooting.md#caller_not_listed" };
  const correlation = { correlation_id: "452f7f28-2ada-4d59-b3b4-2c28710684fe" };
  const words = "The policy has no entry for this caller. Ask your administrator.";
  return {
    Code: text("Stable. Programs may branch on it. docs/troubleshooting.md has a section for each.", { enum: all }),
    Problem: object(
      {
        type: text("RFC 9457: `about:blank`, as the title is that of the status."),
        title: text("Phrase of the status."),
        status: { type: "integer", description: "Status of the response." },
        detail: text("What is wrong and what ends it."),
        error,
        ...shared,
      },
      {
        description: "Problem details (RFC 9457).",
        examples: [
          {
            type: "about:blank",
            title: "Forbidden",
            status: 403,
            detail: words,
            error: "access_denied",
            ...example,
            ...correlation,
          },
        ],
      },
    ),
    OAuthError: object(
      { error, error_description: text("What is wrong and what ends it."), ...shared },
      {
        description: "Error response of RFC 6749 section 5.2, with the members of the other routes.",
        examples: [{ error: "unauthorized_client", error_description: words, ...example, ...correlation }],
      },
    ),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function responsesOf(dialect: keyof typeof NAMES, codes: Codes): Parts {
  const mediaType = dialect === "oauth" ? JSON_TYPE : PROBLEM_TYPE;
  return Object.fromEntries(
    statusesOf(codes).map((status) => [
      `${NAMES[dialect]}${status}`,
      {
        description: `Codes: ${codesOf(codes, status).join(", ")}.`,
        headers: headersOf(status),
        ...content(mediaType, schemaRef(NAMES[dialect])),
      },
    ]),
  );
}

function statusesOf(codes: Codes): number[] {
  const statuses = new Set([...codes.values()].flatMap((code) => code.statuses));
  return [...statuses].filter((status) => status !== OTHER_METHOD).sort((one, other) => one - other);
}

function codesOf(codes: Codes, status: number): string[] {
  return [...codes].flatMap(([code, { statuses }]) => (statuses.includes(status) ? [code] : [])).sort();
}

function headersOf(status: number): Part {
  const names = [
    "client-request-id",
    ...(RETRY_STATUSES.includes(status) ? ["Retry-After"] : []),
    ...(CHALLENGE_STATUSES.includes(status) ? ["WWW-Authenticate"] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
