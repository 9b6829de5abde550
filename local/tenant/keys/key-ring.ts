/**
 * The tenant's signing keys: several published at once, one of them signing, rotated on order (E-20 to E-22).
 */
import type { Clock } from "../time/clock.ts";
import {
  CONSUMERS_TENANT_ID,
  createSigningKey,
  createSigningKeySync,
  type PublishedJwk,
  type SigningKey,
} from "./signing-key.ts";

/** Which key signs a minted token: one of these, or a `kid` of the ring. */
export type KeyChoice = "active" | "consumers" | "unpublished" | "other-tenant" | "weak" | (string & {});

/** The tenant that is not ours, for keys and tokens of somebody else (TK-1). */
export const OTHER_TENANT_ID = "07e40000-0000-4000-8000-000000000000";

export interface KeyRing {
  /** The key new tokens are signed with. */
  active(): SigningKey;
  /** The published key usable for personal accounts only (E-21). */
  readonly consumers: SigningKey;
  /** A key that was never published. */
  readonly unpublished: SigningKey;
  published(): PublishedJwk[];
  /** A key of the ring whether or not it is still published. */
  find(kid: string): SigningKey | undefined;
  /** `other-tenant` and `weak` (1024 bits) are made on first use and not published. */
  choose(choice: KeyChoice): SigningKey;
  /** Whether Entra itself would accept this key on a token of this tenant, still published or not. */
  signsForTenant(key: SigningKey): boolean;
  /** A new key; by default published at once and used for signing from now on. */
  add(options?: { publish?: boolean; activate?: boolean }): Promise<SigningKey>;
  publish(kid: string): void;
  activate(kid: string): void;
  /** Takes a key out of the key set; if it was the signing key, another published one takes over. */
  remove(kid: string): void;
}

export async function createKeyRing(url: string, clock: Clock): Promise<KeyRing> {
  const issuer = `${url}/{tenantid}/v2.0`;
  const make = (of = issuer) => createSigningKey({ issuer: of, notBeforeMs: clock.nowMs() - 86_400_000 });
  const [first, second, consumers, unpublished] = await Promise.all([
    make(),
    make(),
    make(`${url}/${CONSUMERS_TENANT_ID}/v2.0`),
    make(),
  ]);
  const all = new Map<string, SigningKey>([first, second, consumers, unpublished].map((key) => [key.kid, key]));
  const listed = new Set<string>([first.kid, second.kid, consumers.kid]);
  let active = first;
  const rare = new Map<string, SigningKey>();
  const makeOnce = (name: string, of: string, modulusLength: number) => {
    const key = rare.get(name) ?? createSigningKeySync({ issuer: of, notBeforeMs: clock.nowMs(), modulusLength });
    rare.set(name, key);
    all.set(key.kid, key);
    return key;
  };
  const choose = (choice: KeyChoice): SigningKey => {
    if (choice === "active") return active;
    if (choice === "consumers") return consumers;
    if (choice === "unpublished") return unpublished;
    if (choice === "weak") return makeOnce(choice, issuer, 1024);
    if (choice === "other-tenant") return makeOnce(choice, `${url}/${OTHER_TENANT_ID}/v2.0`, 2048);
    const key = all.get(choice);
    if (key === undefined) throw new TypeError(`the local tenant has no key ${choice}`);
    return key;
  };
  return {
    choose,
    active: () => active,
    consumers,
    unpublished,
    published: () => [...listed].flatMap((kid) => all.get(kid)?.jwk ?? []),
    find: (kid) => all.get(kid),
    signsForTenant: (key) => key !== unpublished && key.jwk.issuer === issuer,
    add: async ({ publish = true, activate = true } = {}) => {
      const key = await make();
      all.set(key.kid, key);
      if (publish) listed.add(key.kid);
      if (activate) active = key;
      return key;
    },
    publish: (kid) => {
      if (all.has(kid)) listed.add(kid);
    },
    activate: (kid) => {
      active = all.get(kid) ?? active;
    },
    remove: (kid) => {
      listed.delete(kid);
      const next = [...listed].find((other) => other !== consumers.kid);
      if (active.kid === kid && next !== undefined) active = all.get(next) ?? active;
    },
  };
}
