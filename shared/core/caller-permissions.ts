/** What this service's registration publishes for its callers, and what it calls the two. */

/** The delegated permission that a user's token must have in `scp`. */
export const USER_SCOPE = "access_as_user";
/** The app role that an application's token must have in `roles`. */
export const APPLICATION_ROLE = "Exchange.Call";

/** What callers request from Entra. */
export interface CallerScopes {
  /** For a user, for example `api://…/access_as_user`. */
  readonly user: string;
  /** For an application, for example `api://…/.default`. */
  readonly application: string;
}

export function callerScopes(appIdUri: string): CallerScopes {
  return { user: `${appIdUri}/${USER_SCOPE}`, application: `${appIdUri}/.default` };
}
