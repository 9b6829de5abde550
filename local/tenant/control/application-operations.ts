/**
 * Control operations for applications: secrets, certificates, registration settings and authorization codes.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { Directory, FederatedCredential, OptionalClaims, Registration } from "../directory/directory.ts";
import { randomSecret } from "../directory/seed.ts";
import { VAULT_SECRET_NAMES } from "../directory/seed-ids.ts";
import type { AuthorizationCodes } from "../oauth/authorization-codes.ts";
import type { Clock } from "../time/clock.ts";
import type { Vault } from "../vault/vault.ts";

export interface ApplicationTenant {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly codes: AuthorizationCodes;
  readonly vault: Vault;
}

export interface RotateSecretInput {
  /** Default: `service`. */
  app?: "service" | "narrow" | "appOnly";
  /** Default true: the old secret stays valid at Entra, as in a planned rotation. */
  keepOld?: boolean;
  /** Default true: a new secret is registered at Entra. */
  atEntra?: boolean;
  /** Default true: the new secret becomes the vault's newest version. */
  inVault?: boolean;
  /** Entra refuses the first uses of the new secret, this many times (E-82). */
  refusedUses?: number;
  /** The new secret's lifetime at Entra. A negative value: already expired (7000222). */
  lifetimeMs?: number;
}

export interface RegistrationChange {
  app: string;
  tokenVersion?: 1 | 2;
  disabled?: boolean;
  assignmentRequired?: boolean;
  allowPublicClientFlows?: boolean;
  optionalClaims?: Partial<OptionalClaims>;
  redirectUris?: string[];
  federatedCredentials?: FederatedCredential[];
}

export interface CodeInput {
  user: string;
  client: string;
  redirectUri: string;
  scope: string;
  nonce?: string;
  codeChallenge?: string;
  codeChallengeMethod?: "S256" | "plain";
  satisfied?: string[];
}

export function createApplicationOperations(tenant: ApplicationTenant) {
  const app = (key: string): Registration => {
    const registration = tenant.directory.registration(key);
    if (registration === undefined) throw new TypeError(`the local tenant has no application ${key}`);
    return registration;
  };
  return {
    rotateSecret: (input: RotateSecretInput = {}) => rotateSecret(tenant, app(input.app ?? "service"), input),
    /** Expires every secret of the application at Entra (7000222). */
    expireSecrets: (input: { app: string }) => {
      for (const secret of app(input.app).secrets) secret.expiresAtMs = tenant.clock.nowMs() - 1;
    },
    /** Registers a certificate (PEM) for `client_assertion`. */
    addCertificate: (input: { app: string; certificate: string }) => {
      const { raw, publicKey } = new X509Certificate(input.certificate);
      const hash = (algorithm: string) => createHash(algorithm).update(raw).digest("base64url");
      const thumbprintSha256 = hash("sha256");
      const publicKeyPem = publicKey.export({ type: "spki", format: "pem" }).toString();
      app(input.app).certificates.push({ thumbprintSha1: hash("sha1"), thumbprintSha256, publicKeyPem });
      return { thumbprintSha256 };
    },
    removeCertificates: (input: { app: string }) => {
      app(input.app).certificates.length = 0;
    },
    changeRegistration: ({ app: key, optionalClaims, redirectUris, ...change }: RegistrationChange) => {
      const registration = app(key);
      Object.assign(registration.optionalClaims, optionalClaims);
      if (redirectUris !== undefined) {
        registration.redirectUris.splice(0, registration.redirectUris.length, ...redirectUris);
      }
      Object.assign(registration, change);
    },
    /** Issues an authorization code as `/authorize` does. */
    issueCode: ({ user, client, satisfied = [], ...rest }: CodeInput): string => {
      const userOid = tenant.directory.user(user)?.oid ?? user;
      return tenant.codes.issue({ ...rest, userOid, clientId: app(client).clientId, satisfied });
    },
  };
}

const { clientSecret, narrowClientSecret, appOnlyClientSecret } = VAULT_SECRET_NAMES;
const SECRET_NAMES = new Map([
  ["service", clientSecret],
  ["narrow", narrowClientSecret],
  ["appOnly", appOnlyClientSecret],
]);

function rotateSecret(tenant: ApplicationTenant, registration: Registration, input: RotateSecretInput) {
  const { keepOld = true, atEntra = true, inVault = true, refusedUses = 0, lifetimeMs } = input;
  const secret = { ...randomSecret(tenant.clock.nowMs(), lifetimeMs), refusedUses };
  if (!keepOld) registration.secrets.length = 0;
  if (atEntra) registration.secrets.push(secret);
  if (inVault) tenant.vault.set(SECRET_NAMES.get(registration.name) ?? clientSecret, { value: secret.value });
  return { value: secret.value };
}
