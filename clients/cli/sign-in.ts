/**
 * The person's sign-in at Entra, by MSAL Node as a public client: silently from the cache where that works, with a
 * device code or this machine's browser where a person is needed and may be asked.
 */
import {
  type AccountInfo,
  type AuthenticationResult,
  InteractionRequiredAuthError,
  PublicClientApplication,
  ServerError,
} from "@azure/msal-node";
import { encodeClaims } from "./claims.ts";
import { CliFailure, oneLine } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { isLoopback } from "./loopback.ts";
import { createNetworkClient } from "./network-client.ts";
import { openBrowser } from "./open-browser.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { createTokenCache } from "./token-cache.ts";

export interface SignInOptions {
  readonly browser: boolean;
  /** May a person be asked now? */
  readonly mayAsk: boolean;
}

export interface Wanted {
  /** JSON text of a challenge that the token must meet. */
  readonly claims?: string | undefined;
  /** The token in the cache was refused. */
  readonly forceRefresh?: boolean;
}

export interface SignIn {
  /** A token for the service; asks the person only if allowed. */
  acquire(wanted?: Wanted): Promise<AuthenticationResult>;
  /** Always asks the person. */
  ask(claims: string | undefined): Promise<AuthenticationResult>;
  account(): Promise<AccountInfo | undefined>;
}

/** A person looks for the password, the phone, the right window. Device codes have Entra's own limit of 15 minutes. */
const BROWSER_PATIENCE_MS = 5 * 60_000;

export function createSignIn(settings: Settings, options: SignInOptions, terminal: Terminal): SignIn {
  const network = createNetworkClient(settings.timeoutMs);
  const application = createApplication(settings, network);
  const scopes = [settings.scope];
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, network.failure(), settings.login);
    }
  };
  const account = async () => (await application.getTokenCache().getAllAccounts())[0];
  const ask = (claims: string | undefined) => {
    const request = claims === undefined ? { scopes } : { scopes, claims };
    return explained(async () => {
      const known = await account();
      const result = options.browser
        ? await inTime(
            application.acquireTokenInteractive({
              ...request,
              openBrowser: (url) => openBrowser(url, terminal),
              successTemplate: "You are signed in. You can close this window.",
              errorTemplate: "The sign-in did not work. The terminal says why.",
              ...(known === undefined ? {} : { loginHint: known.username }),
            }),
          )
        : await application.acquireTokenByDeviceCode({
            ...request,
            deviceCodeCallback: ({ userCode, message }) => {
              if (typeof userCode !== "string") throw entraRefused(network.refusal() ?? "no device code");
              terminal.note(oneLine(message));
            },
          });
      if (result === null) throw new CliFailure(EXIT.signIn, "sign_in_cancelled", "The sign-in was called off.");
      await keepOnly(application, result.account);
      return result;
    });
  };
  return {
    account,
    ask,
    acquire: async ({ claims, forceRefresh = false } = {}) => {
      const known = await explained(account);
      if (known === undefined) return askIfAllowed("You are not signed in.", undefined);
      try {
        const request = { scopes, account: known, forceRefresh, ...(claims === undefined ? {} : { claims }) };
        return await application.acquireTokenSilent(request);
      } catch (error) {
        if (!needsPerson(error)) throw explain(error, network.failure(), settings.login);
        return askIfAllowed("Entra wants you to sign in again.", error.claims || claims);
      }
    },
  };

  function askIfAllowed(why: string, claims: string | undefined): Promise<AuthenticationResult> {
    if (!options.mayAsk) throw signInNeeded(settings.login, why, claims);
    terminal.note(why);
    return ask(claims);
  }
}

export function signInNeeded(login: string, why: string, claims: string | undefined): CliFailure {
  const run = claims === undefined ? login : `${login} --claims ${encodeClaims(claims)}`;
  return new CliFailure(EXIT.signIn, "sign_in_required", why, { run });
}

/** MSAL's own class leaves out some of Entra's `invalid_grant` answers, such as a sign-in frequency that has passed. */
function needsPerson(error: unknown): error is ServerError & { claims?: string } {
  return (
    error instanceof InteractionRequiredAuthError ||
    (error instanceof ServerError && error.errorCode === "invalid_grant")
  );
}

// ---------------------------------------------------------------------------------------------------------------

function createApplication(
  { clientId, authority, folder }: Settings,
  networkClient: ReturnType<typeof createNetworkClient>,
) {
  const url = new URL(authority);
  return new PublicClientApplication({
    auth: {
      clientId,
      authority,
      // A tenant on this machine is not in Microsoft's list of clouds.
      knownAuthorities: isLoopback(url) ? [url.host] : [],
      // With this the service and Graph send challenges that can be answered.
      clientCapabilities: ["cp1"],
    },
    cache: { cachePlugin: createTokenCache(folder) },
    system: { networkClient, loggerOptions: { piiLoggingEnabled: false, loggerCallback: () => undefined } },
  });
}

/** One person at a time: whoever signs in replaces who was there. */
async function keepOnly(application: PublicClientApplication, account: AccountInfo | null): Promise<void> {
  const cache = application.getTokenCache();
  for (const other of await cache.getAllAccounts()) {
    if (other.homeAccountId !== account?.homeAccountId) await cache.removeAccount(other);
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new CliFailure(EXIT.signIn, "sign_in_timeout", "Nobody finished the sign-in in the browser.");
  const timer = setTimeout(() => reject(late), BROWSER_PATIENCE_MS);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

/** MSAL's errors in the words of this program. Its texts hold no token; Entra's may hold the person's name. */
function explain(error: unknown, network: CliFailure | undefined, login: string): unknown {
  if (error instanceof CliFailure) return error;
  if (network !== undefined) return network;
  if (!(error instanceof Error)) return error;
  const { message } = error;
  const found = OUTCOMES.find(([pattern]) => pattern.test(message));
  if (found !== undefined) {
    return new CliFailure(EXIT.signIn, found[1], found[2], { run: login, cause: error });
  }
  return entraRefused(message, error);
}

function entraRefused(message: string, cause?: unknown): CliFailure {
  return new CliFailure(EXIT.refused, "entra_refused", `Entra refused: ${oneLine(message)}`, { cause });
}

const OUTCOMES: readonly (readonly [RegExp, string, string])[] = [
  [/authorization_declined|access_denied/, "sign_in_declined", "The sign-in was declined."],
  [/expired_token|device_code_expired|code_expired/, "sign_in_expired", "The code expired before anybody signed in."],
];
