/** The validation of callers as the service runs it, with the real validator and key store and a fake network. */
import type { Caller } from "../../../shared/caller/caller.ts";
import type { CallerSettings } from "../../../shared/caller/caller-rules.ts";
import { createIssuerKeys } from "../../../shared/caller/issuer-keys.ts";
import { createCallerValidator } from "../../../shared/caller/validate-caller.ts";
import { createVerifiedTokens } from "../../../shared/caller/verified-tokens.ts";
import { succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { TokenRefusal } from "../../../shared/core/token-refusal.ts";
import type { Outbound, OutboundRequest } from "../../../shared/outbound/outbound.ts";
import {
  AUTHORITY_HOST,
  NOW,
  publishedKeySet,
  SERVICE_ID,
  TENANT_ID,
  V1_AUDIENCE,
  V1_ISSUER_BASE,
  V2_ISSUER,
} from "./tenant.ts";

export const KEY_SET_URL = `${AUTHORITY_HOST}/${TENANT_ID}/discovery/v2.0/keys`;

export const strictSettings: CallerSettings = {
  tenantId: TENANT_ID,
  registrations: [{ clientId: SERVICE_ID, appIdUri: `api://${SERVICE_ID}` }],
  authorityHost: AUTHORITY_HOST,
  v1IssuerBase: V1_ISSUER_BASE,
  v1Audiences: [],
  allowGuests: false,
  graphResources: ["https://graph.microsoft.com"],
};

export interface Service {
  /** "accepted", or the code of the refusal. */
  judge(token: string): Promise<"accepted" | "keys_unavailable" | TokenRefusal>;
  /** The caller of a valid token. Throws for any other. */
  caller(token: string): Promise<Caller>;
  /** All requests to the fake network. */
  readonly requests: readonly OutboundRequest[];
}

export function createService(settings: Partial<CallerSettings> = {}, keySet: unknown = publishedKeySet): Service {
  const requests: OutboundRequest[] = [];
  const outbound: Outbound = {
    async send(request) {
      requests.push(request);
      return succeed({ status: 200, headers: {}, body: JSON.stringify(keySet) });
    },
  };
  const keys = createIssuerKeys({
    keySetUrl: KEY_SET_URL,
    tenantId: TENANT_ID,
    tenantIssuer: V2_ISSUER,
    outbound,
    now: () => NOW * 1000,
    onProblem: () => undefined,
  });
  const validator = createCallerValidator({
    ...strictSettings,
    ...settings,
    keys: { find: (keyId, _registration, trace) => keys.find(keyId, trace) },
    verified: createVerifiedTokens({ keys }),
  });
  const validate = (token: string) => validator.validate(new SecretValue(token), NOW);
  return {
    requests,
    async judge(token) {
      const result = await validate(token);
      if (result.ok) return "accepted";
      return result.failure.kind === "token_refused" ? result.failure.reason : result.failure.kind;
    },
    async caller(token) {
      const result = await validate(token);
      if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.failure)}`);
      return result.value;
    },
  };
}

/** The default of a deployment: v2 tokens only and no guests. */
export const strictService = createService();
/** Also accepts v1 tokens for one `api://` audience. */
export const v1Service = createService({ v1Audiences: [V1_AUDIENCE] });
/** Also accepts guests. */
export const guestService = createService({ allowGuests: true });

/** One row of a table: a token, described by `what`, and the required verdict. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly token: string;
  readonly verdict: "accepted" | TokenRefusal;
  /** The verdict in words, for the title. */
  readonly outcome: string;
  readonly service?: Service;
}

export function row(id: string, what: string, token: string, verdict: Row["verdict"], service?: Service): Row {
  const outcome = verdict === "accepted" ? "is accepted" : `is refused (${verdict})`;
  return { id, what, token, verdict, outcome, ...(service === undefined ? {} : { service }) };
}
