/**
 * The schema of the policy as an administrator writes it. Deny by default: the service refuses what no entry allows.
 * `parse-policy.ts` reads the policy. No I/O, no clock.
 */

import * as z from "zod/mini";
import { RELAY_METHODS } from "../core/downstream-target.ts";
import { FLOW_NAMES } from "../core/flow-name.ts";
import { GUID } from "../core/guid.ts";

/** RFC 6749 section 3.3: scope-token. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

const guid = z.pipe(
  z.string().check(z.regex(GUID, "must be a GUID")),
  z.transform((value: string) => value.toLowerCase()),
);
const name = z
  .string()
  .check(
    z.regex(NAME, "must be 1 to 64 letters, digits, dots, underscores or hyphens, and start with a letter or digit"),
  );
const scopeName = z
  .string()
  .check(z.regex(SCOPE, "must be one scope: printable ASCII without space, quotation mark and backslash"))
  .check(z.maxLength(256));
const count = (least: number, most: number) => z.int().check(z.minimum(least), z.maximum(most));

/** Only the normalized spelling is accepted, because the relay appends paths to it. */
function isBaseUrl(text: string): boolean {
  if (text.length > 512 || !URL.canParse(text) || /[?#%;\\]|\/$/.test(text)) return false;
  const { protocol, username, password, href } = new URL(text);
  return protocol === "https:" && username === "" && password === "" && (href === text || href === `${text}/`);
}

const RESOURCE = /^[a-z][a-z0-9+.-]*:\/\/[^\s#?]+$/i;

export const apiSchema = z.strictObject({
  /** An API without an App ID URI is named by its application id (E-52). */
  resource: z.pipe(
    z
      .string()
      .check(
        z.regex(
          new RegExp(`${RESOURCE.source}|${GUID.source}`, "i"),
          "must be a URI with a host, without query and fragment, or the application id of the API",
        ),
        z.maxLength(512),
      ),
    z.transform((value: string) => (GUID.test(value) ? value.toLowerCase() : value)),
  ),
  scopes: z.array(scopeName).check(z.minLength(1)),
  contentType: z._default(
    z
      .string()
      .check(
        z.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; ?charset=[\w-]+)?$/, "must be a media type such as application/json"),
      ),
    "application/json",
  ),
  /** Where the relay sends requests to this API. Not set: the host of `resource`. */
  baseUrl: z.optional(
    z.string().check(z.refine(isBaseUrl, "must be an https URL without query, fragment, user and final slash")),
  ),
  /** Scope → what it allows, in words for people. Not set: Microsoft's words for Graph, none for other APIs. */
  scopeDescriptions: z._default(z.record(scopeName, z.string().check(z.minLength(1), z.maxLength(200))), {}),
});

/**
 * One segment of a path pattern: literal characters of RFC 3986 section 3.3 without percent-encoding and `;`, or `*`
 * for exactly one segment. `**` may only be the last segment and stands for one or more segments.
 */
const PATH_PATTERN =
  /^(?:\/(?!\.{1,2}(?:\/|$))(?:[\w!$&'()+,=:@.~-]+|\*))*(?:\/(?!\.{1,2}$)(?:[\w!$&'()+,=:@.~-]+|\*|\*\*))$/;

/** Requests that the relay may send to one API for a caller. A request must match one rule. */
export const downstreamRule = z.strictObject({
  methods: z.array(z.enum(RELAY_METHODS)).check(z.minLength(1)),
  path: z
    .string()
    .check(
      z.regex(
        PATH_PATTERN,
        "must be a path such as /v1.0/me/messages/**: literal segments, * for one segment, ** at the end for one or more",
      ),
      z.maxLength(512),
    ),
  /** Names of the query options that are allowed, for example `$select`. Not set: every option. */
  query: z.optional(z.array(z.string().check(z.regex(/^[\w$.@-]{1,64}$/, "must be the name of a query option")))),
});

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/** A time in UTC. The policy keeps its text. */
const time = z
  .string()
  .check(
    z.refine(
      (text) => TIME.test(text) && !Number.isNaN(Date.parse(text)),
      "must be a time in UTC such as 2027-01-31T12:00:00Z",
    ),
  );

/** How a client that cannot send an Entra token may authenticate at the token endpoint. Off unless listed. */
const CLIENT_AUTHENTICATIONS = ["entra_secret", "entra_assertion", "ignored_with_subject"] as const;

const secretName = z
  .string()
  .check(z.regex(/^[0-9a-zA-Z-]{1,127}$/, "must be a name in Key Vault: letters, digits and hyphens"));

/** A further app registration of this deployment, beside the one of the setting `CLIENT_ID`. */
export const registrationSchema = z.strictObject({
  clientId: guid,
  /** Not set: `api://<clientId>`. */
  appIdUri: z.optional(
    z
      .string()
      .check(
        z.regex(/^(api|https):\/\/[\w.~-]+(\/[\w.~-]+)*$/, "must be an App ID URI: api:// or https://"),
        z.maxLength(255),
      ),
  ),
  /** Vault entry of its credential. Not set with `CLIENT_CREDENTIAL=managed-identity`, which needs none. */
  credential: z.optional(
    z.union(
      [z.strictObject({ secretName }), z.strictObject({ certificateName: secretName })],
      'must be { "secretName": … } or { "certificateName": … }',
    ),
  ),
});

export const limits = z.strictObject({
  /** Requests that bypass the token cache (claims, forceRefresh), per user and minute. */
  bypassPerMinute: z.optional(count(1, 1000)),
  /** Requests that the token cache cannot answer, per user, API and minute. */
  missesPerMinute: z.optional(count(1, 10_000)),
  /** Requests of one client that one instance works on or keeps waiting at once. */
  requestsAtOnce: z.optional(count(1, 1_000)),
  /** Requests of one client in a minute, on all instances. Not set: no limit. */
  requestsPerMinute: z.optional(count(1, 1_000_000)),
});

/**
 * RFC 9700 section 2.6 and RFC 8252 section 7.3: https, or http on this machine; no user, no fragment, no wildcard.
 * Only the normalized spelling is accepted, because the service compares redirect URIs character by character.
 */
function isRedirectUri(text: string): boolean {
  if (!URL.canParse(text) || /[#*\s]/.test(text)) return false;
  const { protocol, hostname, username, password, href } = new URL(text);
  const secure = protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
  return secure && username === "" && password === "" && (href === text || href === `${text}/`);
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const REDIRECT_URI_FORM =
  "must be an https URI, or http on localhost, in normalized spelling, without user, fragment and wildcard";

export const callerSchema = z.strictObject({
  name,
  displayName: z.optional(z.string().check(z.minLength(1), z.maxLength(120))),
  /** Why the application asks, in its administrator's words. */
  purpose: z.optional(z.string().check(z.minLength(1), z.maxLength(300))),
  kind: z.enum(["user", "application"]),
  /** Exactly one of `clientId` and `blueprint`. */
  clientId: z.optional(guid),
  /** Client id of an agent identity blueprint: the entry matches each of its agents without a separate entry. */
  blueprint: z.optional(guid),
  /** Name in `registrations`. Not set: the registration of the setting `CLIENT_ID`. */
  registration: z.optional(name),
  role: z.optional(z.string().check(z.minLength(1), z.maxLength(120))),
  requireConfidentialClient: z._default(z.boolean(), false),
  flows: z.array(z.enum(FLOW_NAMES)).check(z.minLength(1)),
  apis: z.record(name, z.array(scopeName).check(z.minLength(1))),
  offlineAccess: z._default(z.boolean(), false),
  /** Lifetime of a grant in days. Entra's refresh tokens expire after 90 days without use. */
  grantMaxDays: z._default(count(1, 365), 90),
  /** Grants of one person for this caller at a time. */
  maxGrantsPerUser: z._default(count(1, 1000), 20),
  /** After so many idle days the service redeems a grant itself, so that Entra does not end it. Not set: never. */
  keepAliveDays: z.optional(count(1, 60)),
  /** Grants that were allowed until this time are refused, from this time on. */
  grantsNotBefore: z.optional(time),
  unattended: z._default(z.boolean(), false),
  /** A sign-in link for this application may be made without `expectedUser` and `codeChallenge`. */
  anyPersonMayAllow: z._default(z.boolean(), false),
  /** Lifetime of a sign-in link that names its person. Other links: at most 10 minutes. */
  linkMinutes: z._default(count(1, 1440), 10),
  subjectClients: z.optional(z.array(guid)),
  /** The confirmation page comes before every code, also before one without `offline_access`. */
  requireConfirmation: z._default(z.boolean(), false),
  redirectUris: z._default(z.array(z.string().check(z.maxLength(512), z.refine(isRedirectUri, REDIRECT_URI_FORM))), []),
  /** `none`: the caller may use APIs through the relay and never gets a token or a header object. */
  release: z._default(z.enum(["token", "none"]), "token"),
  /** API name → requests that the relay may send for this caller. */
  downstream: z._default(z.record(name, z.array(downstreamRule).check(z.minLength(1))), {}),
  clientAuthentication: z._default(z.array(z.enum(CLIENT_AUTHENTICATIONS)), []),
  acceptSurplus: z._default(z.boolean(), false),
  cae: z._default(z.boolean(), false),
  importRefreshTokens: z._default(z.boolean(), false),
  limits: z._default(limits, {}),
});

export const policySchema = z.strictObject({
  /** Where editors find the JSON Schema. The service ignores it. */
  $schema: z.optional(z.string().check(z.maxLength(512))),
  apis: z.record(name, apiSchema),
  registrations: z._default(z.record(name, registrationSchema), {}),
  /** As in an entry, for the grants of every entry. */
  grantsNotBefore: z.optional(time),
  callers: z.array(callerSchema),
});

export type Policy = z.infer<typeof policySchema>;
export type ApiRule = Policy["apis"][string];
export type CallerRule = Policy["callers"][number];
export type RegistrationRule = Policy["registrations"][string];

/** The valid parts of a policy that has problems. An invalid member, or a missing one without a default, is absent. */
export interface PolicyDraft {
  /** Undefined if `apis` is not an object. */
  readonly apis: Readonly<Record<string, Partial<ApiRule>>> | undefined;
  /** Undefined if `registrations` is not an object. */
  readonly registrations: Readonly<Record<string, Partial<RegistrationRule>>> | undefined;
  /** One draft for each entry, so that every entry keeps its index. */
  readonly callers: readonly Partial<CallerRule>[];
}

/** What is wrong with a policy: the path, and what is allowed there. Contains no value except the right spelling of one. */
export interface PolicyProblem {
  readonly path: string;
  readonly problem: string;
  /** The right spelling, if the problem is probably a typing error. `problem` has it as well. */
  readonly suggestion?: string;
  /** The members of the object at `path` that the problem is about. */
  readonly members?: readonly string[];
}
