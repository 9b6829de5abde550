/**
 * Builds v2.0 ID tokens. They are for the client and never for an API (TK-6, 240002).
 */
import { randomBytes } from "node:crypto";
import type { Registration, User } from "../directory/directory.ts";
import type { JsonObject } from "../keys/compact-jws.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import type { Clock } from "../time/clock.ts";
import { pairwiseSubject } from "./access-token.ts";
import { type Issuer, v2Issuer } from "./issuers.ts";

export interface IdTokenTenant extends Issuer {
  readonly clock: Clock;
}

export interface IdTokenInput {
  readonly client: Registration;
  readonly user: User;
  readonly oidc: ReadonlySet<string>;
  readonly nonce?: string | undefined;
}

const LIFETIME_SECONDS = 3_600;
const BACKDATE_SECONDS = 300;

export function buildIdToken(
  tenant: IdTokenTenant,
  { client, user, oidc, nonce }: IdTokenInput,
  key: SigningKey,
): { header: JsonObject; payload: JsonObject } {
  const issued = tenant.clock.nowSeconds() - BACKDATE_SECONDS;
  const payload: JsonObject = {
    aud: client.clientId,
    iss: v2Issuer(tenant),
    iat: issued,
    nbf: issued,
    exp: tenant.clock.nowSeconds() + LIFETIME_SECONDS,
    ...(user.idp === undefined ? {} : { idp: user.idp }),
    ...(oidc.has("profile") ? { name: user.displayName, oid: user.oid, preferred_username: user.username } : {}),
    ...(oidc.has("email") ? { email: user.username } : {}),
    ...(nonce === undefined ? {} : { nonce }),
    rh: `1.A${randomBytes(30).toString("base64url")}.`,
    sub: pairwiseSubject(user.oid, client.clientId),
    tid: tenant.tenantId,
    uti: randomBytes(16).toString("base64url"),
    ver: "2.0",
  };
  return { header: { typ: "JWT", alg: "RS256", kid: key.kid }, payload };
}
