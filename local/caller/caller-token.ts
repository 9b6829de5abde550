/**
 * Tokens that callers of the service bring, minted by the local tenant: a person's, through a client application
 * (the password grant: fit for a stand-in tenant, and the one way without a browser), or an application's own.
 */
import { readFileSync } from "node:fs";
import type { LocalEnvironment } from "./environment.ts";
import { localRequest } from "./local-request.ts";

/** What the tools need of the environment to mint a token. */
export type TokenSource = Pick<LocalEnvironment, "authority" | "caCertPath" | "service" | "callers" | "users">;

export async function userToken(environment: TokenSource, user: string, caller = "web"): Promise<string> {
  const { username, password } = known(environment.users, user, "user");
  return mint(environment, caller, {
    grant_type: "password",
    username,
    password,
    scope: `${environment.service.audience}/${environment.service.scope}`,
  });
}

export async function applicationToken(environment: TokenSource, caller: string): Promise<string> {
  return mint(environment, caller, {
    grant_type: "client_credentials",
    scope: `${environment.service.audience}/.default`,
  });
}

// ---------------------------------------------------------------------------------------------------------------

async function mint(environment: TokenSource, caller: string, form: Record<string, string>): Promise<string> {
  const { clientId, clientSecret } = known(environment.callers, caller, "caller");
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

function known<T>(entries: Readonly<Record<string, T>>, name: string, kind: string): T {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) {
    throw new Error(`There is no ${kind} "${name}" in the local tenant; there is ${Object.keys(entries).join(", ")}.`);
  }
  return entry;
}
