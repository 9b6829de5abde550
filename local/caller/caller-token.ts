/**
 * Requests the tokens that callers present to the service from the local tenant: a user's token through a client
 * application, or an application's token. The user's token uses the password grant, the only grant without a browser.
 */
import { readFileSync } from "node:fs";
import type { LocalEnvironment } from "./environment.ts";
import { localRequest } from "./local-request.ts";

/** The members of the environment that a token request needs. */
export type TokenSource = Pick<LocalEnvironment, "authority" | "caCertPath" | "service" | "callers" | "users">;

export async function userToken(environment: TokenSource, user: string, caller = "web"): Promise<string> {
  const { username, password } = entryOf(environment.users, user, "user");
  return requestToken(environment, caller, {
    grant_type: "password",
    username,
    password,
    scope: `${audienceFor(environment, caller)}/${environment.service.scope}`,
  });
}

export async function applicationToken(environment: TokenSource, caller: string): Promise<string> {
  return requestToken(environment, caller, {
    grant_type: "client_credentials",
    scope: `${audienceFor(environment, caller)}/.default`,
  });
}

// ---------------------------------------------------------------------------------------------------------------

/** A token is for the registration that the caller's policy entry names. */
function audienceFor({ service, callers }: TokenSource, caller: string): string {
  return entryOf(callers, caller, "caller").audience ?? service.audience;
}

async function requestToken(environment: TokenSource, caller: string, form: Record<string, string>): Promise<string> {
  const { clientId, clientSecret } = entryOf(environment.callers, caller, "caller");
  const response = await localRequest(`${environment.authority}/oauth2/v2.0/token`, {
    form: { ...form, client_id: clientId, ...(clientSecret === undefined ? {} : { client_secret: clientSecret }) },
    ca: readFileSync(environment.caCertPath, "utf8"),
  });
  const body = response.json();
  const token = body["access_token"];
  if (response.status !== 200 || typeof token !== "string") {
    throw new Error(
      `The local tenant refused: ${String(body["error_description"] ?? body["error"] ?? response.status)}`,
    );
  }
  return token;
}

function entryOf<T>(entries: Readonly<Record<string, T>>, name: string, kind: string): T {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) {
    throw new Error(`The local tenant has no ${kind} "${name}". It has ${Object.keys(entries).join(", ")}.`);
  }
  return entry;
}
