/**
 * The grammar of requests. A sentence is a valid request of one route, in which some parts are dropped, repeated, replaced or
 * added. So most sentences pass the first checks and reach the later ones.
 */
import fc from "fast-check";
import { REDIRECT_URI } from "../../sign-in/support/sign-in.ts";
import { ACCESS_TOKEN, CLIENT_ASSERTION, CLIENT_IDS, JWT_BEARER, TOKEN_EXCHANGE } from "../../support/callers.ts";
import type { Call } from "../../support/service-under-test.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface Sentence {
  readonly path: string;
  readonly call: Call;
}

type Pairs = readonly (readonly [string, string])[];

/** A body of 64 KB can be as deep as this. A function that calls itself for each level overflows the stack long before. */
const DEPTH_MAX = 30_000;

const FORM_NAMES = [
  ...["grant_type", "subject_token", "subject_token_type", "actor_token", "actor_token_type", "audience", "scope"],
  ...["resource", "client_id", "client_secret", "client_assertion", "client_assertion_type", "assertion"],
  ...["requested_token_use", "requested_token_type", "refresh_token", "code", "code_verifier", "redirect_uri"],
  ...["response_type", "code_challenge", "code_challenge_method", "state", "nonce", "prompt", "login_hint", "claims"],
  ...["token", "token_type_hint", "transaction", "decision", "username", "password", "access_token", "request_uri"],
  ...["force_refresh", "error", "error_description", "session_state", "grant", "optionsOverride.Scopes"],
];
const JSON_NAMES = [
  ...["api", "apis", "scopes", "grant", "forceRefresh", "claims", "minimumSeconds", "codeVerifier", "expectedUser"],
  ...[
    "caller",
    "codeChallenge",
    "flow",
    "registration",
    "call",
    "subject",
    "kind",
    "clientId",
    "__proto__",
    "toString",
  ],
];
const HEADER_NAMES = ["client-request-id", "traceparent", "accept", "accept-language", "x-grant", "x-grant-verifier"];
const OTHER_HEADERS = ["x-ms-client-principal", "host", "content-encoding", "sec-fetch-site", "origin", "if-match"];
const GRANT_TYPES = [
  TOKEN_EXCHANGE,
  JWT_BEARER,
  "refresh_token",
  "authorization_code",
  "client_credentials",
  "password",
];
const ODD_TEXTS = [
  "",
  "null",
  "true",
  "0",
  "-1",
  "__proto__",
  "constructor",
  "../..",
  "%00",
  "a,b",
  "\u202e",
  "gte_",
  "{}",
];
const WORDS = [
  ACCESS_TOKEN,
  CLIENT_ASSERTION,
  "graph",
  "orders",
  "User.Read",
  ".default",
  "offline_access",
  "S256",
  "allow",
];

/** `strangers`: sentences without anything that authenticates. */
export function sentences(vocabulary: Vocabulary, strangers = false): fc.Arbitrary<Sentence> {
  const text = texts(vocabulary, strangers);
  return fc.oneof(
    { weight: 5, arbitrary: formSentence(vocabulary, strangers, text) },
    { weight: 4, arbitrary: jsonSentence(vocabulary, strangers, text) },
    { weight: 2, arbitrary: getSentence(vocabulary, strangers, text) },
    { weight: 1, arbitrary: relaySentence(vocabulary, strangers, text) },
  );
}

// ---------------------------------------------------------------------------------------------------------------

function texts({ tokens, forged, handles, secrets, sealed }: Vocabulary, strangers: boolean): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...WORDS, ...ODD_TEXTS, ...Object.values(CLIENT_IDS)),
    fc.constantFrom(...forged),
    ...(strangers
      ? []
      : [fc.constantFrom(...tokens), fc.constantFrom(...handles, ...sealed), fc.constantFrom(...secrets)]),
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.tuple(fc.string({ minLength: 1, maxLength: 4 }), fc.nat(20_000)).map(([unit, times]) => unit.repeat(times)),
    deepJson(),
  );
}

/** Small JSON of great depth. */
function deepJson(): fc.Arbitrary<string> {
  const nested = (open: string, close: string) => (depth: number) => open.repeat(depth) + close.repeat(depth);
  const depth = fc.oneof(
    fc.integer({ min: 1, max: DEPTH_MAX }),
    fc.constant(DEPTH_MAX),
    fc.integer({ min: 1, max: 40 }),
  );
  const object = depth.map((levels) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);
  return fc.oneof(
    depth.map(nested("[", "]")),
    object,
    depth.map((levels) => "[".repeat(levels)),
  );
}

function headers({ tokens, forged, cookies }: Vocabulary, strangers: boolean): fc.Arbitrary<Record<string, string>> {
  // A request of undici takes no other characters in a header.
  const safe = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  const bearer = fc.constantFrom(...(strangers ? forged : tokens)).map((token) => `Bearer ${token}`);
  const authorization = fc.oneof(
    { weight: 5, arbitrary: strangers ? fc.constantFrom("", "Bearer x", "Bearer") : bearer },
    { weight: 2, arbitrary: fc.constantFrom(...forged).map((token) => `Bearer ${token}`) },
    { weight: 1, arbitrary: safe },
    { weight: 1, arbitrary: safe.map((value) => `Basic ${Buffer.from(value).toString("base64")}`) },
  );
  const others = fc.dictionary(fc.constantFrom(...HEADER_NAMES, ...OTHER_HEADERS), safe, { maxKeys: 3 });
  const cookie = fc.option(strangers ? safe : fc.oneof(fc.constantFrom(...cookies), safe), { nil: undefined });
  return fc.tuple(authorization, others, cookie).map(([value, more, sent]) => ({
    ...more,
    ...(value === "" ? {} : { authorization: value }),
    ...(sent === undefined ? {} : { cookie: sent }),
  }));
}

/** Drops, repeats, replaces and adds pairs. */
function edited(base: Pairs, names: readonly string[], text: fc.Arbitrary<string>): fc.Arbitrary<Pairs> {
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.nat(20),
    kind: fc.constantFrom("drop", "repeat", "replace", "add"),
    name: fc.constantFrom(...names),
    value: text,
  });
  return fc.array(edit, { maxLength: 4 }).map((edits) => edits.reduce(applyEdit, base));
}

interface Edit {
  readonly at: number;
  readonly kind: "drop" | "repeat" | "replace" | "add";
  readonly name: string;
  readonly value: string;
}

function applyEdit(pairs: Pairs, { at, kind, name, value }: Edit): Pairs {
  const index = pairs.length === 0 ? 0 : at % pairs.length;
  const [known = name] = pairs[index] ?? [];
  switch (kind) {
    case "drop":
      return pairs.toSpliced(index, 1);
    case "repeat":
      return [...pairs, [known, value]];
    case "replace":
      return pairs.toSpliced(index, 1, [known, value]);
    case "add":
      return [...pairs, [name, value]];
  }
}

function formBases({ tokens, handles, sealed, secrets }: Vocabulary): readonly (readonly [string, Pairs])[] {
  const [token = ""] = tokens;
  const [handle = ""] = handles;
  const [code = "", , , state = "", verifier = "", challenge = ""] = sealed;
  const [secret = ""] = secrets;
  const exchange: Pairs = [
    ["grant_type", TOKEN_EXCHANGE],
    ["subject_token", token],
    ["subject_token_type", ACCESS_TOKEN],
    ["audience", "graph"],
  ];
  const par: Pairs = [
    ["response_type", "code"],
    ["client_id", CLIENT_IDS.web],
    ["redirect_uri", REDIRECT_URI],
    ["scope", "User.Read"],
    ["audience", "graph"],
    ["state", state],
    ["code_challenge", challenge],
    ["code_challenge_method", "S256"],
  ];
  return [
    ["/oauth2/token", exchange],
    ["/oauth2/token", [...exchange, ["scope", "User.Read Mail.Read offline_access"]]],
    [
      "/oauth2/token",
      [
        ["grant_type", JWT_BEARER],
        ["assertion", token],
        ["requested_token_use", "on_behalf_of"],
        ["audience", "graph"],
      ],
    ],
    [
      "/oauth2/token",
      [
        ["grant_type", "refresh_token"],
        ["refresh_token", handle],
        ["scope", "User.Read"],
      ],
    ],
    [
      "/oauth2/token",
      [
        ["grant_type", "authorization_code"],
        ["code", code],
        ["redirect_uri", REDIRECT_URI],
        ["code_verifier", verifier],
      ],
    ],
    [
      "/oauth2/token",
      [
        ["grant_type", "client_credentials"],
        ["client_id", CLIENT_IDS.reports],
        ["client_secret", secret],
        ["scope", ".default"],
      ],
    ],
    ["/oauth2/token", GRANT_TYPES.map((type) => ["grant_type", type] as const)],
    ["/oauth2/par", par],
    ["/oauth2/revoke", [["token", handle]]],
    [
      "/signin/confirm",
      [
        ["transaction", state],
        ["token", challenge],
        ["decision", "allow"],
      ],
    ],
    [
      "/me",
      [
        ["grant", handle],
        ["token", challenge],
      ],
    ],
  ];
}

function formSentence(vocabulary: Vocabulary, strangers: boolean, text: fc.Arbitrary<string>): fc.Arbitrary<Sentence> {
  const known = strangers ? withoutCredentials(vocabulary) : vocabulary;
  return fc.constantFrom(...formBases(known)).chain(([path, base]) =>
    fc
      .tuple(edited(base, FORM_NAMES, text), headers(vocabulary, strangers), fc.boolean())
      .map(([form, sent, sameSite]) => ({
        path,
        call: { form, headers: { ...sent, ...(sameSite ? { "sec-fetch-site": "same-origin" } : {}) } },
      })),
  );
}

function jsonSentence(vocabulary: Vocabulary, strangers: boolean, text: fc.Arbitrary<string>): fc.Arbitrary<Sentence> {
  const [handle = ""] = vocabulary.handles;
  const bases: readonly Record<string, unknown>[] = [
    { scopes: ["User.Read"] },
    ...(strangers ? [] : [{ grant: handle, forceRefresh: true }]),
    { api: "graph", expectedUser: "a11ce000-0000-4000-8000-000000000001" },
    { caller: { kind: "user", clientId: CLIENT_IDS.web }, flow: "on-behalf-of", api: "graph" },
  ];
  const value = fc.oneof(text, fc.jsonValue({ maxDepth: 4 }), fc.array(text, { maxLength: 3 }));
  const more = fc.dictionary(fc.constantFrom(...JSON_NAMES), value, { maxKeys: 3 });
  const json = fc
    .tuple(fc.constantFrom(...bases), more)
    .map(([base, others]) => JSON.stringify({ ...base, ...others }));
  const member = fc
    .tuple(fc.constantFrom("claims", "scopes", "apis", ...JSON_NAMES), deepJson())
    .map(([name, deep]) => `{"${name}":${deep}}`);
  const repeated = fc.tuple(json, fc.constantFrom(...JSON_NAMES)).map(([one, name]) => `{"${name}":1,${one.slice(1)}`);
  const body = fc.oneof({ weight: 4, arbitrary: json }, member, repeated, deepJson(), text);
  const paths = [
    "/AuthorizationHeader/graph",
    "/AuthorizationHeaderUnauthenticated/graph",
    "/signin/links",
    "/policy/explain",
    "/Validate",
  ];
  const type = fc.oneof(
    { weight: 5, arbitrary: fc.constant("application/json") },
    fc.constantFrom("application/json; charset=utf-16", "text/plain", ""),
  );
  return fc
    .tuple(fc.constantFrom(...paths), body, type, headers(vocabulary, strangers))
    .map(([path, sent, kind, more]) => ({
      path,
      call: { body: sent, headers: { ...more, ...(kind === "" ? {} : { "content-type": kind }) } },
    }));
}

function getSentence(vocabulary: Vocabulary, strangers: boolean, text: fc.Arbitrary<string>): fc.Arbitrary<Sentence> {
  const [, link = "", requestUri = "", state = ""] = strangers ? [] : vocabulary.sealed;
  const bases: readonly (readonly [string, Pairs])[] = [
    ["/AuthorizationHeader/graph", [["optionsOverride.Scopes", "User.Read"]]],
    ["/AuthorizationHeaderUnauthenticated/graph", []],
    [
      "/oauth2/authorize",
      [
        ["client_id", CLIENT_IDS.web],
        ["request_uri", requestUri],
      ],
    ],
    [
      "/oauth2/callback",
      [
        ["code", "1.code"],
        ["state", state],
      ],
    ],
    [`/signin/${encodeURIComponent(link)}x`, []],
    ["/signin/confirm", [["transaction", state]]],
    ...["/grants", "/me", "/Validate", "/", "/healthz", "/ready"].map((path) => [path, []] as const),
    ...["oauth-protected-resource", "oauth-authorization-server", "openid-configuration", "jwks.json"].map(
      (name) => [`/.well-known/${name}`, []] as const,
    ),
  ];
  return fc.constantFrom(...bases).chain(([path, base]) =>
    fc.tuple(edited(base, FORM_NAMES, text), headers(vocabulary, strangers)).map(([query, sent]) => ({
      path: query.length === 0 ? path : `${path}?${toQuery(query)}`,
      call: { headers: sent },
    })),
  );
}

function relaySentence(vocabulary: Vocabulary, strangers: boolean, text: fc.Arbitrary<string>): fc.Arbitrary<Sentence> {
  const segment = fc.oneof(
    fc.constantFrom("v1.0", "me", "messages", "..", "%2e%2e", "$batch", "users:"),
    text.map(encode),
  );
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/DownstreamApi/graph/${segments.join("/")}`);
  const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE");
  const batch = fc.array(fc.record({ id: text, method, url: text, body: fc.jsonValue({ maxDepth: 3 }) }), {
    maxLength: 25,
  });
  const body = fc.oneof(
    batch.map((requests) => JSON.stringify({ requests })),
    deepJson(),
    text,
  );
  return fc.tuple(path, method, body, headers(vocabulary, strangers)).map(([target, verb, content, sent]) => {
    const hasBody = verb !== "GET" && verb !== "HEAD";
    const type = { "content-type": "application/json" };
    return {
      path: target,
      call: { method: verb, headers: { ...sent, ...type }, ...(hasBody ? { body: content } : {}) },
    };
  });
}

function withoutCredentials(vocabulary: Vocabulary): Vocabulary {
  const { forged } = vocabulary;
  return { ...vocabulary, tokens: forged, handles: [`gte_${"A".repeat(43)}`], sealed: [], secrets: ["x".repeat(40)] };
}

function toQuery(pairs: Pairs): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

/** Half of a surrogate pair cannot be encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
