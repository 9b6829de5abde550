/**
 * The values of the examples. What is between angle brackets is a token, a handle or an id of one deployment: a test
 * replaces each of them with a real one of the local stack and sends the example.
 */
export const EXAMPLE = {
  userToken: "<the user's token for this service>",
  handle: "<grant handle, gte_…>",
  requestUri: "<request_uri of the pushed request>",
  link: "<the link of POST /signin/links>",
} as const;

/** Of the local tenant. */
export const ALICE = "a11ce000-0000-4000-8000-000000000001";
export const WEB_CLIENT = "ca11e400-0000-4000-8000-000000000001";
export const DAEMON_CLIENT = "ca11e400-0000-4000-8000-000000000003";

/** RFC 7636 appendix B. */
export const CODE_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
