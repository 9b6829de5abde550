/**
 * Limits how often Entra is asked about credentials that it does not accept: for one client and method, and for all clients
 * of a method together. Each client has a share of its own, so that a stranger with the ids of some clients stops no other. A request that is running counts until its result is known, so that many guesses at once do not
 * pass the limit. Fixed windows of one minute. Only clients that the policy lists come here, so the memory is bounded.
 */
import type { OwnCredential } from "./listed-methods.ts";

const WINDOW_SECONDS = 60;
/**
 * Refusals in a minute for one client. A secret of Entra has about 200 bits, so five guesses a minute find none. A
 * signature cannot be guessed at all: its limit only keeps forged assertions from flooding Entra, and it is higher,
 * because each genuine assertion is new and so cannot pass it.
 */
const PER_CLIENT: Readonly<Record<OwnCredential, number>> = { entra_secret: 5, entra_assertion: 60 };
/** Of those, the first of a client are its own, whatever the others spend. */
const OWN_SHARE: Readonly<Record<OwnCredential, number>> = { entra_secret: 2, entra_assertion: 20 };
/** Refusals in a minute for all clients of a method together, beyond their own shares. */
const BEYOND_SHARES = 200;

export interface GuessBudget {
  /** Counts one question to Entra. Returns the seconds to wait if the budget is used up. */
  take(clientId: string, method: OwnCredential): number | undefined;
  /** Entra accepted the credential: the question does not count. */
  giveBack(clientId: string, method: OwnCredential): void;
}

interface Window {
  endsAtSeconds: number;
  taken: number;
}

export function createGuessBudget(nowSeconds: () => number): GuessBudget {
  const windows = new Map<string, Window>();
  const windowOf = (key: string): Window => {
    const known = windows.get(key);
    if (known !== undefined && known.endsAtSeconds > nowSeconds()) return known;
    const fresh = { endsAtSeconds: nowSeconds() + WINDOW_SECONDS, taken: 0 };
    windows.set(key, fresh);
    return fresh;
  };
  const windowsOf = (clientId: string, method: OwnCredential) => ({
    own: windowOf(`${method} ${clientId}`),
    shared: windowOf(`${method} all`),
  });
  const waitFor = ({ endsAtSeconds }: Window) => Math.max(1, Math.ceil(endsAtSeconds - nowSeconds()));
  return {
    take(clientId, method) {
      const { own, shared } = windowsOf(clientId, method);
      if (own.taken >= PER_CLIENT[method]) return waitFor(own);
      const isBeyond = own.taken >= OWN_SHARE[method];
      if (isBeyond && shared.taken >= BEYOND_SHARES) return waitFor(shared);
      own.taken += 1;
      if (isBeyond) shared.taken += 1;
      return undefined;
    },
    giveBack(clientId, method) {
      const { own, shared } = windowsOf(clientId, method);
      if (own.taken > OWN_SHARE[method]) shared.taken = Math.max(0, shared.taken - 1);
      own.taken = Math.max(0, own.taken - 1);
    },
  };
}
