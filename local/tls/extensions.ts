/**
 * The X.509 extensions of the local authority and its server certificate (RFC 5280, section 4.2.1).
 */
import { createHash, type KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";
import { bits, boolean, type Der, implicit, integer, objectId, octets, sequence, tagged } from "./der.ts";

export interface ServerNames {
  dns: readonly string[];
  ip: readonly string[];
}

/** A CA that may not have another CA below it. */
export const authorityConstraints = () =>
  extension("2.5.29.19", true, sequence(boolean(true), integer(Buffer.from([0]))));

/** keyCertSign and cRLSign. */
export const authorityKeyUsage = () => extension("2.5.29.15", true, bits(1, Buffer.from([0x06])));

export const serverConstraints = () => extension("2.5.29.19", true, sequence());

/** digitalSignature. */
export const serverKeyUsage = () => extension("2.5.29.15", true, bits(7, Buffer.from([0x80])));

export const serverAuthentication = () => extension("2.5.29.37", false, sequence(objectId("1.3.6.1.5.5.7.3.1")));

export const subjectKeyId = (key: KeyObject) => extension("2.5.29.14", false, octets(keyId(key)));

export const authorityKeyId = (key: KeyObject) => extension("2.5.29.35", false, sequence(implicit(0, keyId(key))));

export function alternativeNames({ dns, ip }: ServerNames): Der {
  return extension("2.5.29.17", false, sequence(...dns.map(dnsName), ...ip.map((address) => ipName(ipBytes(address)))));
}

/** Restricts certificates of the authority to these names. An address is permitted with a mask of all ones. */
export function permittedNames({ dns, ip }: ServerNames): Der {
  const addresses = ip.map(ipBytes).map((bytes) => ipName(Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)])));
  const subtrees = [...dns.map(dnsName), ...addresses].map((name) => sequence(name));
  return extension("2.5.29.30", true, sequence(tagged(0, ...subtrees)));
}

// ---------------------------------------------------------------------------------------------------------------

function extension(id: string, critical: boolean, value: Der): Der {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value));
}

const dnsName = (name: string) => implicit(2, Buffer.from(name, "ascii"));
const ipName = (bytes: Uint8Array) => implicit(7, bytes);

function keyId(key: KeyObject): Uint8Array {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);
}

function ipBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const left = groups(head);
  const right = groups(tail);
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
