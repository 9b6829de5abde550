/**
 * The person's sign-in at Entra with MSAL Node as a public client: silently from the token cache if possible, otherwise
 * with a device code or this machine's browser if interaction is allowed.
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
import { checkWritable } from "./private-file.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { createTokenCache } from "./token-cache.ts";

export interface SignInOptions {
  readonly browser: boolean;
  /** Whether a sign-in with the person may start. */
  readonly interactive: boolean;
}

export interface TokenOptions {
  /** Default: the scope of the settings. */
  readonly scope?: string;
  /** The claims of a challenge, as JSON text. */
  readonly claims?: string | undefined;
  /** Ignore the cached access token, because it was refused. */
  readonly forceRefresh?: boolean;
}

export interface SignIn {
  /** Gets a token for the service. Starts an interactive sign-in only if that is allowed. */
  acquireToken(options?: TokenOptions): Promise<AuthenticationResult>;
  /** Always starts an interactive sign-in. */
  acquireTokenInteractive(claims: string | undefined, scope?: string): Promise<AuthenticationResult>;
  account(): Promise<AccountInfo | undefined>;
}

/** Time for a person to enter a password and complete MFA. For device codes, Entra's own limit of 15 minutes applies. */
const BROWSER_SIGN_IN_TIMEOUT_MS = 5 * 60_000;

export function createSignIn(settings: Settings, options: SignInOptions, terminal: Terminal): SignIn {
  const network = createNetworkClient(settings.network);
  const application = createApplication(settings, network);
  const withCliFailures = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toCliFailure(error, network.failure(), settings.login);
    }
  };
  const account = async () => (await application.getTokenCache().getAllAccounts())[0];
  const acquireTokenInteractive = (claims: string | undefined, scope = settings.scope) => {
    const request = { scopes: [scope], ...(claims === undefined ? {} : { claims }) };
    return withCliFailures(async () => {
      checkWritable(settings.folder);
      const known = await account();
      const result = options.browser
        ? await withTimeout(
            application.acquireTokenInteractive({
              ...request,
              openBrowser: (url) => openBrowser(url, terminal),
              successTemplate: "You are signed in. You can close this window.",
              errorTemplate: "The sign-in failed. The terminal shows the reason.",
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
      if (result === null) throw new CliFailure(EXIT.signIn, "sign_in_cancelled", "The sign-in was cancelled.");
      await removeOtherAccounts(application, result.account);
      return result;
    });
  };
  return {
    account,
    acquireTokenInteractive,
    acquireToken: async ({ claims, forceRefresh = false, scope = settings.scope } = {}) => {
      const known = await withCliFailures(account);
      if (known === undefined) return signInIfAllowed("You are not signed in.", undefined, scope);
      try {
        const request = { scopes: [scope], account: known, forceRefresh, ...(claims === undefined ? {} : { claims }) };
        return await application.acquireTokenSilent(request);
      } catch (error) {
        if (!needsInteraction(error)) throw toCliFailure(error, network.failure(), settings.login);
        return signInIfAllowed("Entra requires you to sign in again.", error.claims || claims, scope);
      }
    },
  };

  function signInIfAllowed(why: string, claims: string | undefined, scope: string): Promise<AuthenticationResult> {
    if (!options.interactive) throw signInRequired(settings.login, why, claims);
    terminal.note(why);
    return acquireTokenInteractive(claims, scope);
  }
}

export function signInRequired(login: string, why: string, claims: string | undefined): CliFailure {
  const run = claims === undefined ? login : `${login} --claims ${encodeClaims(claims)}`;
  return new CliFailure(EXIT.signIn, "sign_in_required", why, { run });
}

/**
 * MSAL's `InteractionRequiredAuthError` does not cover every `invalid_grant` of Entra, for example when the sign-in
 * frequency has elapsed.
 */
function needsInteraction(error: unknown): error is ServerError & { claims?: string } {
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
      // The local tenant is not in Microsoft's list of clouds.
      knownAuthorities: isLoopback(url) ? [url.host] : [],
      // Declares that this client handles claims challenges, so that the service and Graph send them.
      clientCapabilities: ["cp1"],
    },
    cache: { cachePlugin: createTokenCache(folder) },
    system: { networkClient, loggerOptions: { piiLoggingEnabled: false, loggerCallback: () => undefined } },
  });
}

/** Only one account is signed in at a time: a new sign-in replaces the old account. */
async function removeOtherAccounts(application: PublicClientApplication, account: AccountInfo | null): Promise<void> {
  const cache = application.getTokenCache();
  for (const other of await cache.getAllAccounts()) {
    if (other.homeAccountId !== account?.homeAccountId) await cache.removeAccount(other);
  }
}

function withTimeout<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new CliFailure(EXIT.signIn, "sign_in_timeout", "The sign-in in the browser was not finished in time.");
  const timer = setTimeout(() => reject(late), BROWSER_SIGN_IN_TIMEOUT_MS);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

/** Converts MSAL's errors. MSAL's messages contain no token; Entra's may contain the person's name. */
function toCliFailure(error: unknown, network: CliFailure | undefined, login: string): unknown {
  if (error instanceof CliFailure) return error;
  if (network !== undefined) return network;
  if (!(error instanceof Error)) return error;
  const { message } = error;
  const found = SIGN_IN_ERRORS.find(([pattern]) => pattern.test(message));
  if (found !== undefined) return new CliFailure(EXIT.signIn, found[1], found[2], { run: login, cause: error });
  return entraRefused(message, error);
}

function entraRefused(message: string, cause?: unknown): CliFailure {
  return new CliFailure(EXIT.refused, "entra_refused", `Entra refused: ${oneLine(message)}`, { cause });
}

const SIGN_IN_ERRORS: readonly (readonly [RegExp, string, string])[] = [
  [/authorization_declined|access_denied/, "sign_in_declined", "The sign-in was declined."],
  [/expired_token|device_code_expired|code_expired/, "sign_in_expired", "The code expired before the sign-in."],
];
