/**
 * Validates `client_assertion`: an assertion signed with a registered certificate, or a token that matches a federated
 * identity credential. In the first case `iss` is the client; in the second it is another issuer.
 */
import { constants, createPublicKey, verify } from "node:crypto";
import type { Directory, Registration } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";
import { type DecodedJws, decodeCompact, verifyRs256 } from "../keys/compact-jws.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { Clock } from "../time/clock.ts";
import { toLongTimestamp } from "../time/timestamps.ts";
import { type Issuer, v2Issuer } from "./issuers.ts";

export interface AssertionTenant extends Issuer {
  readonly clock: Clock;
  readonly keys: KeyRing;
  readonly directory: Directory;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export function checkClientAssertion(
  tenant: AssertionTenant,
  client: Registration,
  assertion: string,
  type: string | undefined,
): void {
  if (type !== ASSERTION_TYPE) throw entraError(900144, { parameter: "client_assertion_type" });
  const jws = decodeCompact(assertion);
  if (jws === undefined) throw entraError(50027);
  const federated = jws.payload["iss"] !== client.clientId;
  if (federated) checkFederated(tenant, client, jws);
  else checkCertificate(tenant, client, jws);
  checkTimes(tenant, jws);
}

function checkCertificate(tenant: AssertionTenant, client: Registration, jws: DecodedJws): void {
  if (jws.payload["sub"] !== client.clientId) throw entraError(700021);
  const found = client.certificates.find(
    (one) => one.thumbprintSha256 === jws.header["x5t#S256"] || one.thumbprintSha1 === jws.header["x5t"],
  );
  const reason = (text: string) => entraError(700027, { app: client.clientId, reason: text });
  if (found === undefined) throw reason("The key was not found.");
  const key = createPublicKey(found.publicKeyPem);
  const { alg } = jws.header;
  const options = alg === "PS256" ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : { key };
  const allowed = alg === "PS256" || alg === "RS256";
  if (!allowed || !verify("sha256", Buffer.from(jws.signedText), options, jws.signature)) {
    throw reason("Key was found, but use of the key to verify the signature failed.");
  }
  const base = `${tenant.url}/${tenant.tenantId}`;
  const audiences: unknown[] = [`${base}/oauth2/v2.0/token`, `${base}/oauth2/token`, v2Issuer(tenant)];
  if (!audiences.includes(jws.payload["aud"])) throw entraError(700023);
}

/** The only supported other issuer is the tenant itself, for its managed identities. */
function checkFederated(tenant: AssertionTenant, client: Registration, jws: DecodedJws): void {
  const [issuer, subject, audience] = ["iss", "sub", "aud"].map((claim) => String(jws.payload[claim]));
  const values = { issuer: issuer ?? "", subject: subject ?? "", audience: audience ?? "" };
  const fromIssuer = client.federatedCredentials.filter((one) => one.issuer === issuer);
  if (fromIssuer.length === 0) throw entraError(700211, values);
  const forAudience = fromIssuer.filter((one) => sameAudience(tenant, one.audience, audience));
  if (forAudience.length === 0) throw entraError(700212, values);
  if (!forAudience.some((one) => one.subject === subject)) throw entraError(700213, values);
  const key = tenant.keys.find(String(jws.header["kid"]));
  if (key === undefined || !verifyRs256(jws, key.publicKey)) {
    throw entraError(700027, { app: client.clientId, reason: "The key was not found." });
  }
}

/** A v2.0 token has the GUID of its audience, the credential has the URI (E-31). */
function sameAudience(tenant: AssertionTenant, expected: string, presented: string | undefined): boolean {
  return presented === expected || presented === tenant.directory.resource(expected)?.clientId;
}

function checkTimes(tenant: AssertionTenant, jws: DecodedJws): void {
  const now = tenant.clock.nowSeconds();
  const [from, expiry] = [Number(jws.payload["nbf"] ?? 0), Number(jws.payload["exp"] ?? 0)];
  if (from <= now + 300 && expiry > now) return;
  throw entraError(700024, {
    now: toLongTimestamp(now * 1000),
    from: toLongTimestamp(from * 1000),
    expiry: toLongTimestamp(expiry * 1000),
  });
}
