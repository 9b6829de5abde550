/**
 * The members of the policy in words, for docs/configuration.md. Types, defaults and bounds come from the schema; this
 * file adds meaning and example. A member without words does not compile. Pure; not part of the running service.
 */
import * as z from "zod/mini";
import { type ApiRule, type CallerRule, policySchema, type RegistrationRule } from "../../shared/policy/rules.ts";

export interface Words {
  readonly meaning: string;
  readonly example: unknown;
}

type WordsFor<T> = { readonly [K in keyof Required<T>]: Words };

export const API_WORDS: WordsFor<ApiRule> = {
  resource: {
    meaning:
      "Resource at Entra: the part of a scope before the last `/`. An API without an App ID URI has its application id, " +
      "for example `499b84ac-1321-427f-aa17-267ca6975798` for Azure DevOps. Different for each API. Microsoft Graph's must " +
      "be that of `CLOUD`, without a slash at its end.",
    example: "https://graph.microsoft.com",
  },
  scopes: {
    meaning:
      "All scopes that callers may get, without their resource. Case matters, except for scopes of Microsoft Graph. " +
      "`.default` goes to Entra only if listed; `openid`, `profile`, `email` and `offline_access` are not allowed here.",
    example: ["User.Read", "Mail.Read"],
  },
  contentType: { meaning: "`Content-Type` in the member `headers` of the answer.", example: "application/json" },
  baseUrl: {
    meaning:
      "Where the relay sends requests to this API: https, without a slash at its end. Needed if `resource` has no https " +
      "host. Not set: the host of `resource`. Not allowed for Microsoft Graph.",
    example: "https://api.contoso.com",
  },
  scopeDescriptions: {
    meaning:
      "Scope → what it allows, in words for people: the pages show them beside the scope. For Microsoft Graph they replace " +
      "Microsoft's own words, which the pages show in the person's language.",
    example: { "Mail.Read": "Read your mail" },
  },
};

export const CALLER_WORDS: WordsFor<CallerRule> = {
  name: { meaning: "Unique name of the entry. Audit events and grants contain it.", example: "mail-flow" },
  displayName: { meaning: "Name that pages show to people.", example: "The mail flow" },
  purpose: {
    meaning:
      "Why the application asks. The confirmation page and `/me` show it to people, as the administrator's words.",
    example: "Files the invoices that arrive in your mailbox.",
  },
  kind: {
    meaning:
      "`user`: a person who uses a client. `application`: an application that calls for itself. One client may have an entry of each kind.",
    example: "application",
  },
  clientId: {
    meaning: "Client id of the calling app (`azp` or `appid` of its tokens). Exactly one of this and `blueprint`.",
    example: "22222222-3333-4444-5555-666666666666",
  },
  blueprint: {
    meaning:
      "Client id of an agent identity blueprint instead of `clientId`: the entry matches every agent of it, also future " +
      "ones, except agents with a separate entry ([agents](callers.md#agents)).",
    example: "55555555-6666-7777-8888-999999999999",
  },
  registration: {
    meaning:
      "Name in `registrations`: the registration whose rights are exchanged. The caller's token must be for it. Not set: " +
      "the registration of `CLIENT_ID`.",
    example: "narrow",
  },
  role: { meaning: "The entry matches only callers whose token has this app role.", example: "Mail.Sender" },
  requireConfidentialClient: {
    meaning: "The entry allows only callers that obtained their token with a client credential.",
    example: true,
  },
  flows: { meaning: "The flows that the caller may use.", example: ["on-behalf-of", "refresh-token"] },
  apis: {
    meaning:
      "API name → scopes, at least one API. The caller may request these scopes; without scopes it gets the whole list " +
      "(`.default` only if listed alone). `client-credentials` allows only `.default`.",
    example: { graph: ["User.Read", "Mail.Read"] },
  },
  offlineAccess: {
    meaning:
      "The caller may get grants. Needs the flow `refresh-token`, `GRANT_STORE_URL`, and for an application `unattended`.",
    example: true,
  },
  grantMaxDays: { meaning: "Lifetime of a grant in days.", example: 30 },
  maxGrantsPerUser: {
    meaning:
      "Grants of one person for this caller at a time. At the limit, the oldest grant that was never redeemed ends. Without " +
      "one, the request is refused with `grant_limit_reached`.",
    example: 20,
  },
  keepAliveDays: {
    meaning:
      "For applications. After so many idle days the service redeems a grant itself, because Entra ends a refresh token " +
      "after 90 idle days. Needs `offlineAccess`. The service then stores the handle, sealed: " +
      "[SECURITY.md](../SECURITY.md#grants-that-the-service-keeps-alive).",
    example: 30,
  },
  grantsNotBefore: {
    meaning:
      "A time in UTC. From this time on, grants that a person allowed until then are refused, and their cached tokens are " +
      "not used. The person can allow a grant again.",
    example: "2027-01-31T12:00:00Z",
  },
  unattended: { meaning: "The application may redeem its grants while the person is away.", example: true },
  anyPersonMayAllow: {
    meaning:
      "A sign-in link may be made without `expectedUser` and `codeChallenge`. Then any person of the tenant who opens it can allow the grant.",
    example: true,
  },
  linkMinutes: {
    meaning:
      "Lifetime in minutes of a sign-in link that names its person. Other links are valid for at most 10 minutes.",
    example: 1440,
  },
  subjectClients: {
    meaning:
      "Clients whose users' tokens the application may exchange. Each needs an entry of kind `user`; the scopes must be in " +
      "both lists. Not set: only the application's own client.",
    example: ["33333333-4444-5555-6666-777777777777"],
  },
  requireConfirmation: {
    meaning:
      "The confirmation page comes before every authorization code. Without it, only before a code with `offline_access`.",
    example: false,
  },
  redirectUris: {
    meaning: "For `authorization-code`: the allowed redirect URIs, compared character by character.",
    example: [],
  },
  release: {
    meaning:
      "`none`: the caller uses APIs through `/DownstreamApi` and never gets a token. Surplus scopes then harm no one, so " +
      "one registration serves narrow and wide callers. Each of its APIs needs rules in `downstream`.",
    example: "none",
  },
  downstream: {
    meaning:
      "API name → rules of the requests that `/DownstreamApi` may send for this caller. A request must match one of them. " +
      "The rules decide, not the scopes.",
    example: { graph: [{ methods: ["GET"], path: "/v1.0/me/messages/**" }] },
  },
  clientAuthentication: {
    meaning:
      "How a client that cannot send an Entra token may authenticate: " +
      "[gateways.md](gateways.md#how-the-client-authenticates), and what each way costs: " +
      "[SECURITY.md](../SECURITY.md#clients-that-send-their-own-credential).",
    example: ["entra_secret"],
  },
  acceptSurplus: {
    meaning:
      "Release tokens with more scopes than listed. If an application sends a person's token, the entry of the client that " +
      "obtained that token needs this too.",
    example: false,
  },
  cae: {
    meaning:
      "Long-lived tokens that the API may challenge (continuous access evaluation), for callers whose token has `cp1`.",
    example: false,
  },
  importRefreshTokens: {
    meaning:
      "The caller may send a refresh token of Entra, which becomes a grant. For migrations. Same needs as `offlineAccess`.",
    example: false,
  },
  limits: {
    meaning:
      "`bypassPerMinute`: uncached requests (`claims`, `forceRefresh`) per person and minute. The default is 10. `missesPerMinute`: requests that the cache cannot answer, per person, API and minute. The default is 120. `requestsAtOnce`: requests of one client that one instance works on or keeps waiting. The default is 128. `requestsPerMinute`: requests of one client on all instances. There is no default. All agents of a `blueprint` count as one client.",
    example: { bypassPerMinute: 10, missesPerMinute: 120, requestsAtOnce: 128, requestsPerMinute: 6000 },
  },
};

export const REGISTRATION_WORDS: WordsFor<RegistrationRule> = {
  clientId: {
    meaning: "Client id of the registration. Different from `CLIENT_ID` and from every other registration.",
    example: "44444444-5555-6666-7777-888888888888",
  },
  appIdUri: { meaning: "Its App ID URI. Not set: `api://<clientId>`.", example: "api://graph-token-exchange-narrow" },
  credential: {
    meaning:
      "The vault entry of its credential: `secretName` or `certificateName`, as `CLIENT_CREDENTIAL` says. Not set with " +
      "`managed-identity`: one identity is the federated credential of all registrations.",
    example: { secretName: "narrow-client-secret" },
  },
};

export const RULE_WORDS: WordsFor<CallerRule["downstream"][string][number]> = {
  methods: { meaning: "The methods of the request.", example: ["GET"] },
  path: {
    meaning:
      "The path: `*` is one segment, a last `**` one or more. A segment that begins with `$` (except `$value`, " +
      "`$count`, `$ref`) and Graph's `/beta` match only if the rule spells them out.",
    example: "/v1.0/me/messages/**",
  },
  query: { meaning: "Names of the allowed query options. Not set: every option.", example: ["$select", "$top"] },
};

/** One row for each member: name, form, default, meaning, example. */
export type MemberRow = readonly [name: string, form: string, fallback: string, meaning: string, example: string];

export function apiRows(): MemberRow[] {
  return rows(membersOf("apis"), API_WORDS);
}

export function registrationRows(): MemberRow[] {
  return rows(membersOf("registrations"), REGISTRATION_WORDS);
}

export function callerRows(): MemberRow[] {
  return rows(membersOf("callers"), CALLER_WORDS);
}

/** The members of one rule in `downstream` of a caller. */
export function ruleRows(): MemberRow[] {
  return rows(membersOf("callers").properties?.["downstream"]?.additionalProperties?.items ?? {}, RULE_WORDS);
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

/** The schema of `apis.<name>`, `registrations.<name>` or `callers[]`. */
function membersOf(member: "apis" | "registrations" | "callers"): Schema {
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
