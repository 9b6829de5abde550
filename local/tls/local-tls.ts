/**
 * TLS for the local tenant: a new certificate authority at each start, and one server certificate from it. The key of the
 * authority never leaves `createLocalTls`. Critical name constraints limit the authority to localhost, 127.0.0.1 and ::1.
 * It may not have another authority below it and is valid for two weeks. Trusting `.local/ca.pem` therefore
 * affects no other name.
 *
 * OpenSSL, and therefore Node, enforces the constraints: a certificate for another name fails with "permitted subtree
 * violation" (a test proves it). The certificates are written in DER with node:crypto. @peculiar/x509 has no name
 * constraints, is asynchronous and would add 120 ms to the start.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { bits, type Der, integer, objectId, sequence, set, tagged, utcTime, utf8 } from "./der.ts";
import * as extensions from "./extensions.ts";

export interface LocalTls {
  caPem: string;
  serverKeyPem: string;
  serverCertPem: string;
}

export const loopbackNames: extensions.ServerNames = { dns: ["localhost"], ip: ["127.0.0.1", "::1"] };

const dayMs = 24 * 60 * 60 * 1000;
/** Long enough for a stack that keeps running; short, in case a machine keeps trusting the authority. */
const lifetimeMs = 14 * dayMs;
/** A client whose clock is slow must accept the certificate. */
const backdateMs = dayMs;

/** Clients refuse a certificate for names other than the loopback names. Only tests request one. */
export function createLocalTls(names: extensions.ServerNames = loopbackNames): LocalTls {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = "Graph Token Exchange local authority";
  const caCertificate = certify(
    { issuer, issuerKey: authority.privateKey, subject: issuer, key: authority.publicKey },
    [
      extensions.authorityConstraints(),
      extensions.authorityKeyUsage(),
      extensions.permittedNames(loopbackNames),
      extensions.subjectKeyId(authority.publicKey),
    ],
  );
  const subject = names.dns[0] ?? names.ip[0] ?? "localhost";
  const serverCertificate = certify({ issuer, issuerKey: authority.privateKey, subject, key: server.publicKey }, [
    extensions.serverConstraints(),
    extensions.serverKeyUsage(),
    extensions.serverAuthentication(),
    extensions.alternativeNames(names),
    extensions.subjectKeyId(server.publicKey),
    extensions.authorityKeyId(authority.publicKey),
  ]);
  return {
    caPem: toPem(caCertificate),
    serverCertPem: toPem(serverCertificate),
    serverKeyPem: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

// ---------------------------------------------------------------------------------------------------------------

interface Certification {
  issuer: string;
  issuerKey: KeyObject;
  subject: string;
  key: KeyObject;
}

const ecdsaWithSha256 = () => sequence(objectId("1.2.840.10045.4.3.2"));

function certify({ issuer, issuerKey, subject, key }: Certification, extensionList: readonly Der[]): Der {
  const now = Date.now();
  const version3 = tagged(0, integer(Buffer.from([2])));
  const toBeSigned = sequence(
    version3,
    serialNumber(),
    ecdsaWithSha256(),
    commonName(issuer),
    sequence(utcTime(new Date(now - backdateMs)), utcTime(new Date(now + lifetimeMs))),
    commonName(subject),
    key.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensionList)),
  );
  return sequence(toBeSigned, ecdsaWithSha256(), bits(0, sign("sha256", toBeSigned, issuerKey)));
}

/** A positive number without a leading zero byte. */
function serialNumber(): Der {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return integer(bytes);
}

function commonName(name: string): Der {
  return sequence(set(sequence(objectId("2.5.4.3"), utf8(name))));
}

function toPem(certificate: Der): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
