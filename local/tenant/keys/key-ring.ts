/**
 * The tenant's signing keys. Several keys are published at a time and one of them signs. A control operation rotates them
 * (E-20 to E-22).
 */
import type { Clock } from "../time/clock.ts";
import {
  CONSUMERS_TENANT_ID,
  createSigningKeySync,
  type NewPrivateKey,
  type PublishedJwk,
  type SigningKey,
  toSigningKey,
} from "./signing-key.ts";

/** The key that signs a minted token: one of these names, or a `kid` of the ring. */
export type KeyChoice = "active" | "consumers" | "unpublished" | "other-tenant" | "weak" | (string & {});

/** Another tenant, for its keys and tokens (TK-1). */
export const OTHER_TENANT_ID = "07e40000-0000-4000-8000-000000000000";

export interface KeyRing {
  /** The key that signs new tokens. */
  active(): SigningKey;
  /** The published key that is valid for personal accounts only (E-21). */
  readonly consumers: SigningKey;
  /** A key that is not published. */
  readonly unpublished: SigningKey;
  /** The key set. For an application with keys of its own (claims mapping): only those (E-7). */
  published(clientId?: string): PublishedJwk[];
  /** The key that signs tokens for this resource: the active one, or the resource's own. */
  signerFor(resourceId: string): SigningKey;
  /** Gives the application a key of its own, which signs every token for it from now on. `false`: takes it away. */
  setOwnKey(clientId: string, own: boolean): void;
  /** Finds a key of the ring, published or not. */
  find(kid: string): SigningKey | undefined;
  /** `other-tenant` and `weak` (1024 bits) are created on first use and are not published. */
  choose(choice: KeyChoice): SigningKey;
  /** True if Entra would accept this key on a token of this tenant, published or not. */
  signsForTenant(key: SigningKey): boolean;
  /** Adds a new key. By default it is published and signs from now on. */
  add(options?: { publish?: boolean; activate?: boolean }): Promise<SigningKey>;
  publish(kid: string): void;
  activate(kid: string): void;
  /** Removes a key from the key set. If it was the signing key, another published key signs. */
  remove(kid: string): void;
}

export async function createKeyRing(url: string, clock: Clock, newPrivateKey: NewPrivateKey): Promise<KeyRing> {
  const issuer = `${url}/{tenantid}/v2.0`;
  const make = async (of = issuer) =>
    toSigningKey(await newPrivateKey(), { issuer: of, notBeforeMs: clock.nowMs() - 86_400_000 });
  const [first, second, consumers, unpublished] = await Promise.all([
    make(),
    make(),
    make(`${url}/${CONSUMERS_TENANT_ID}/v2.0`),
    make(),
  ]);
  const keys = new Map<string, SigningKey>([first, second, consumers, unpublished].map((key) => [key.kid, key]));
  const publishedKids = new Set<string>([first.kid, second.kid, consumers.kid]);
  let active = first;
  const createOnce = createOnFirstUse(keys, clock);
  const applications = createApplicationKeys((clientId) => createOnce(`of ${clientId}`, issuer, 2048));
  const choose = (choice: KeyChoice): SigningKey => {
    if (choice === "active") return active;
    if (choice === "consumers") return consumers;
    if (choice === "unpublished") return unpublished;
    if (choice === "weak") return createOnce(choice, issuer, 1024);
    if (choice === "other-tenant") return createOnce(choice, `${url}/${OTHER_TENANT_ID}/v2.0`, 2048);
    const key = keys.get(choice);
    if (key === undefined) throw new TypeError(`the local tenant has no key ${choice}`);
    return key;
  };
  return {
    choose,
    active: () => active,
    consumers,
    unpublished,
    published: (clientId) => {
      const own = applications.find(clientId);
      return own === undefined ? [...publishedKids].flatMap((kid) => keys.get(kid)?.jwk ?? []) : [own.jwk];
    },
    signerFor: (resourceId) => applications.find(resourceId) ?? active,
    setOwnKey: applications.setOwnKey,
    find: (kid) => keys.get(kid),
    signsForTenant: (key) => key !== unpublished && key.jwk.issuer === issuer && !applications.has(key),
    add: async ({ publish = true, activate = true } = {}) => {
      const key = await make();
      keys.set(key.kid, key);
      if (publish) publishedKids.add(key.kid);
      if (activate) active = key;
      return key;
    },
    publish: (kid) => {
      if (keys.has(kid)) publishedKids.add(kid);
    },
    activate: (kid) => {
      active = keys.get(kid) ?? active;
    },
    remove: (kid) => {
      publishedKids.delete(kid);
      const next = [...publishedKids].find((other) => other !== consumers.kid);
      if (active.kid === kid && next !== undefined) active = keys.get(next) ?? active;
    },
  };
}

/** The keys that sign only the tokens for one application. */
function createApplicationKeys(create: (clientId: string) => SigningKey) {
  const own = new Map<string, SigningKey>();
  return {
    find: (clientId = "") => own.get(clientId.toLowerCase()),
    has: (key: SigningKey) => [...own.values()].includes(key),
    setOwnKey(clientId: string, hasOwn: boolean): void {
      if (hasOwn) own.set(clientId, create(clientId));
      else own.delete(clientId);
    },
  };
}

/** Creates keys that most tests do not need, each at its first use. */
function createOnFirstUse(keys: Map<string, SigningKey>, clock: Clock) {
  const created = new Map<string, SigningKey>();
  return (name: string, issuer: string, modulusLength: number): SigningKey => {
    const key = created.get(name) ?? createSigningKeySync({ issuer, notBeforeMs: clock.nowMs() }, modulusLength);
    created.set(name, key);
    keys.set(key.kid, key);
    return key;
  };
}
