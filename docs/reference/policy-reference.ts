/**
 * The members of the policy in words, for docs/configuration.md. Types, defaults and bounds come from the schema, so only
 * what a schema cannot say stands here; a member without words does not compile. Pure; no part of the running service.
 */
import * as z from "zod/mini";
import { type ApiRule, type CallerRule, policySchema } from "../../shared/policy/rules.ts";

interface Words {
  readonly meaning: string;
  readonly example: unknown;
}

type WordsFor<T> = { readonly [K in keyof Required<T>]: Words };

export const API_WORDS: WordsFor<ApiRule> = {
  resource: {
    meaning:
      "Resource URI at Entra, what stands before `/` and the scope. No two APIs have the same. Microsoft Graph's is that " +
      "of `CLOUD`.",
    example: "https://graph.microsoft.com",
  },
  scopes: {
    meaning:
      "Every scope that any caller may be given. `.default` only if written; `openid`, `profile`, `email` and " +
      "`offline_access` never.",
    example: ["User.Read", "Mail.Read"],
  },
  contentType: { meaning: "`Content-Type` of the header payload.", example: "application/json" },
};

export const CALLER_WORDS: WordsFor<CallerRule> = {
  name: { meaning: "Name of the entry: in the audit trail, in grants. Unique.", example: "mail-flow" },
  displayName: { meaning: "Name for people, on pages.", example: "The mail flow" },
  kind: {
    meaning: "A person through a client app, or an application by itself. One client may have one entry of each kind.",
    example: "application",
  },
  clientId: {
    meaning: "Client id of the calling app (`azp` or `appid` of its tokens).",
    example: "22222222-3333-4444-5555-666666666666",
  },
  role: { meaning: "Narrows the entry to callers whose token has this app role.", example: "Mail.Sender" },
  requireConfidentialClient: {
    meaning: "Only callers whose token was obtained with a secret or certificate.",
    example: true,
  },
  flows: { meaning: "What the caller may do.", example: ["on-behalf-of", "refresh-token"] },
  apis: {
    meaning:
      "API name → scopes, at least one API. What is asked must lie inside; asking nothing gives the list (`.default` only " +
      "if it stands alone). `client-credentials` gives `.default` and nothing else.",
    example: { graph: ["User.Read", "Mail.Read"] },
  },
  offlineAccess: {
    meaning:
      "May keep a permission as a grant. Needs the flow `refresh-token`, `GRANT_STORE_URL`, and for an application " +
      "`unattended`.",
    example: true,
  },
  grantMaxDays: { meaning: "Life of a grant, days.", example: 30 },
  unattended: { meaning: "An application may redeem its grants while nobody is there.", example: true },
  subjectClients: {
    meaning:
      "Clients whose users' tokens an application may exchange. Each needs an entry of kind `user`; scopes are the " +
      "intersection of both lists. Without it: the application's own client only.",
    example: ["33333333-4444-5555-6666-777777777777"],
  },
  redirectUris: {
    meaning: "For `authorization-code`: where browsers are sent back to, compared character for character.",
    example: [],
  },
  downstream: {
    meaning:
      "Calls that the service may make for this caller. Not served by this version: an entry here stops the start.",
    example: [],
  },
  acceptSurplus: {
    meaning:
      "Release tokens although Entra put more scopes in than listed. Entra puts in all that were consented for the " +
      "registration. Where an application presents a person's token, the entry of the client that obtained it must say so too.",
    example: false,
  },
  cae: {
    meaning: "Long-lived tokens that the API may challenge, for callers whose own token has `cp1`.",
    example: false,
  },
  importRefreshTokens: {
    meaning:
      "May bring a refresh token of Entra's, which becomes a grant. For migrations. Needs what `offlineAccess` needs.",
    example: false,
  },
  limits: {
    meaning: "`bypassPerMinute`: requests past the token cache (claims, forceRefresh), per user and minute; 10.",
    example: { bypassPerMinute: 10 },
  },
};

/** One row for each member: name, form, default, meaning, example. */
export type MemberRow = readonly [name: string, form: string, fallback: string, meaning: string, example: string];

export function apiRows(): MemberRow[] {
  return rows(membersOf("apis"), API_WORDS);
}

export function callerRows(): MemberRow[] {
  return rows(membersOf("callers"), CALLER_WORDS);
}

/** The parts of JSON Schema that zod writes for the policy. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

/** The object behind `apis.<name>` or `callers[]`. */
function membersOf(member: "apis" | "callers"): Schema {
  const schema = z.toJSONSchema(policySchema, { io: "input" }) as Schema;
  const { additionalProperties, items } = schema.properties?.[member] ?? {};
  return { ...additionalProperties, ...items };
}

function rows({ properties, required = [] }: Schema, words: Readonly<Record<string, Words>>): MemberRow[] {
  return Object.entries(words).map(([name, { meaning, example }]) => {
    const schema = properties?.[name] ?? {};
    return [name, formOf(schema), fallbackOf(schema, required.includes(name)), meaning, JSON.stringify(example)];
  });
}

function formOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  switch (schema.type) {
    case "boolean":
      return "`true`, `false`";
    case "integer":
      return `${schema.minimum} to ${schema.maximum}`;
    case "array":
      return `list: ${formOf(schema.items ?? {})}`;
    default:
      return schema.type === "string" ? "text" : "object";
  }
}

function fallbackOf(schema: Schema, required: boolean): string {
  if (schema.default !== undefined) return `\`${JSON.stringify(schema.default)}\``;
  return required ? "required" : "none";
}
