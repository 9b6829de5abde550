/**
 * A minimal self-signed X.509 certificate, as Entra publishes one per signing key (`x5c`, E-20 and E-24). Clients read only
 * its form and its key, so it has no extensions.
 */
import { createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { bits, der, integer, objectId, sequence, set, tagged, utcTime, utf8 } from "../../tls/der.ts";

/** The name on Entra's signing certificates. */
const COMMON_NAME = "accounts.accesscontrol.windows.net";
const FIVE_YEARS_MS = 5 * 365 * 24 * 3_600_000;
const NULL_TAG = 0x05;

export function selfSignedCertificate(privateKey: KeyObject, notBeforeMs: number, commonName = COMMON_NAME): Buffer {
  const name = sequence(set(sequence(objectId("2.5.4.3"), utf8(commonName))));
  const sha256WithRsa = sequence(objectId("1.2.840.113549.1.1.11"), der(NULL_TAG));
  const version3 = tagged(0, integer(Buffer.from([2])));
  const toBeSigned = sequence(
    version3,
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sha256WithRsa,
    name,
    sequence(utcTime(new Date(notBeforeMs)), utcTime(new Date(notBeforeMs + FIVE_YEARS_MS))),
    name,
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
  );
  return sequence(toBeSigned, sha256WithRsa, bits(0, sign("sha256", toBeSigned, privateKey)));
}
