/** Names of registrations for people: in the policy, audit events, logs and metrics. Code compares client ids. */

/** The registration of the setting `CLIENT_ID`. */
export const DEFAULT_REGISTRATION = "default";
/** The registration of the setting `APP_ONLY_CLIENT_ID`. */
export const APP_ONLY_REGISTRATION = "app-only";
