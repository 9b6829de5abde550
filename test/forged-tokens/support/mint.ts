/**
 * Mints tokens with node:crypto only, because JWT libraries refuse to make invalid ones. Each forged token is a valid token
 * with one change.
 */
import { createHmac, constants as cryptoConstants, sign as signBytes } from "node:crypto";
import {
  CLIENT_ID,
  entraKey,
  HOUR,
  MINUTE,
  NOW,
  SERVICE_ID,
  SERVICE_PRINCIPAL_ID,
  type SigningKey,
  TENANT_ID,
  USER_ID,
  V1_AUDIENCE,
  V1_ISSUER,
  V2_ISSUER,
} from "./tenant.ts";

export type Members = Readonly<Record<string, unknown>>;

/** The value of a member to remove. */
export const ABSENT = Symbol("absent");

export const validHeader: Members = { typ: "JWT", alg: "RS256", kid: entraKey.keyId };

/** A user's v2 token as Entra issues it (E-30 to E-35). */
export const userClaims: Members = {
  aud: SERVICE_ID,
  iss: V2_ISSUER,
  iat: NOW - 5 * MINUTE,
  nbf: NOW - 5 * MINUTE,
  exp: NOW + HOUR,
  aio: "AWQAm/8ZAAAAx",
  azp: CLIENT_ID,
  azpacr: "1",
  name: "Ada Lovelace",
  oid: USER_ID,
  preferred_username: "ada@contoso.example",
  rh: "1.AXkA",
  scp: "access_as_user",
  sub: "pairwise-pseudonym-of-ada",
  tid: TENANT_ID,
  uti: "uTi-0123456789",
  ver: "2.0",
};

/** An application's v2 token: the claims captured on 2026-08-13 (E-33) and the app role of the service. */
export const applicationClaims: Members = {
  aio: "k2RgYAAAA",
  aud: SERVICE_ID,
  azp: CLIENT_ID,
  azpacr: "2",
  exp: NOW + HOUR,
  iat: NOW - 5 * MINUTE,
  iss: V2_ISSUER,
  nbf: NOW - 5 * MINUTE,
  oid: SERVICE_PRINCIPAL_ID,
  rh: "1.AXkA",
  roles: ["Exchange.Call"],
  sub: SERVICE_PRINCIPAL_ID,
  tid: TENANT_ID,
  uti: "uTi-9876543210",
  ver: "2.0",
  xms_ftd: "x",
};

/** A user's v1 token: another issuer and audience, and other claims for the client (E-30 to E-34). */
export const v1UserClaims: Members = {
  ...change(userClaims, { azp: ABSENT, azpacr: ABSENT, preferred_username: ABSENT }),
  acr: "1",
  amr: ["pwd", "mfa"],
  appid: CLIENT_ID,
  appidacr: "0",
  aud: V1_AUDIENCE,
  iss: V1_ISSUER,
  upn: "ada@contoso.example",
  ver: "1.0",
};

export function change(members: Members, changes: Members): Members {
  return Object.fromEntries(Object.entries({ ...members, ...changes }).filter(([, value]) => value !== ABSENT));
}

export const userToken = (changes: Members = {}) => mint({ payload: change(userClaims, changes) });
export const applicationToken = (changes: Members = {}) => mint({ payload: change(applicationClaims, changes) });
export const v1UserToken = (changes: Members = {}) => mint({ payload: change(v1UserClaims, changes) });
/** A user token with a changed header. The valid signature covers the header. */
export const withHeader = (changes: Members) => mint({ header: change(validHeader, changes) });

export interface Parts {
  /** An object, or the exact text or bytes. */
  readonly header?: Members | string;
  readonly payload?: Members | string | Buffer;
  readonly key?: SigningKey;
  /** Signs `header.payload`. Default: RS256 with `key`. */
  readonly sign?: (input: string) => Buffer;
}

export function mint(parts: Parts = {}): string {
  const header = encode(parts.header ?? change(validHeader, { kid: (parts.key ?? entraKey).keyId }));
  const input = `${header}.${encode(parts.payload ?? userClaims)}`;
  const signature = (parts.sign ?? rs256(parts.key ?? entraKey))(input);
  return `${input}.${signature.toString("base64url")}`;
}

export const rs256 = (key: SigningKey) => (input: string) => signBytes("sha256", Buffer.from(input), key.privateKey);
export const rs512 = (key: SigningKey) => (input: string) => signBytes("sha512", Buffer.from(input), key.privateKey);
export const ps256 = (key: SigningKey) => (input: string) =>
  signBytes("sha256", Buffer.from(input), {
    key: key.privateKey,
    padding: cryptoConstants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });
export const hs256 = (secret: string | Buffer) => (input: string) =>
  createHmac("sha256", secret).update(input).digest();
export const noSignature = () => Buffer.alloc(0);

function encode(part: Members | string | Buffer): string {
  if (Buffer.isBuffer(part)) return part.toString("base64url");
  return Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
}

/** Replaces one of the three parts of a finished token. */
export function replacePart(token: string, index: 0 | 1 | 2, replace: (part: string) => string): string {
  const parts = token.split(".");
  parts[index] = replace(parts[index] ?? "");
  return parts.join(".");
}
