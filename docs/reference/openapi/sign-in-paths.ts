/** The sign-in of people, with a browser: pushed requests, links, the confirmation and `/me`. */
import { PROMPTS } from "../../../shared/http/read-pushed-request.ts";
import { CODE_CHALLENGE, EXAMPLE, WEB_CLIENT } from "./example-values.ts";
import { CLIENTS } from "./grant-paths.ts";
import { type Paths, PUBLIC } from "./operation.ts";
import {
  content,
  FORM_TYPE,
  guid,
  HTML_TYPE,
  JSON_TYPE,
  object,
  type Parts,
  query,
  schemaRef,
  text,
} from "./schema.ts";
import { CLIENT_PARAMETERS, REQUESTED_TOKEN } from "./token-paths.ts";

/** `PUSHED_PARAMETERS` of the reader, without those that it refuses. */
const pushedRequest = object({
  client_id: guid("Client id of the application."),
  response_type: { const: "code" },
  redirect_uri: text("One of the policy entry's.", { format: "uri" }),
  code_challenge: text("PKCE challenge.", { pattern: "^[A-Za-z0-9_-]{43}$" }),
  code_challenge_method: { const: "S256" },
  "response_mode?": { const: "query" },
  "state?": text("Returned unchanged."),
  "nonce?": text("Has no effect: the service issues no ID token."),
  "prompt?": text("As in OpenID Connect.", { enum: PROMPTS }),
  "login_hint?": text("User name for Entra's page."),
  "domain_hint?": text("Domain for Entra's page."),
  ...Object.fromEntries(Object.entries(CLIENT_PARAMETERS).filter(([name]) => name !== "client_id?")),
  ...REQUESTED_TOKEN,
});

const pushed = object({
  request_uri: text("For `GET /oauth2/authorize`."),
  expires_in: { type: "integer", description: "Seconds." },
});

export const signInSchemas: Parts = { PushedRequest: pushedRequest };

const page = { "200": { description: "A page.", ...content(HTML_TYPE, { type: "string" }) } };
const redirect = {
  "303": { description: "A redirect.", headers: { Location: { schema: { type: "string", format: "uri" } } } },
};
const LINK = {
  name: "link",
  in: "path",
  required: true,
  description: "From `url` of `POST /signin/links`.",
  example: EXAMPLE.link,
  schema: { type: "string" },
};

export const signInPaths: Paths = {
  "/oauth2/par": {
    post: {
      id: "pushAuthorizationRequest",
      tag: "Sign-in",
      summary: "Push an authorization request (RFC 9126)",
      dialect: "oauth",
      security: CLIENTS,
      body: {
        required: true,
        ...content(FORM_TYPE, schemaRef("PushedRequest"), {
          examples: {
            code: {
              value: {
                client_id: WEB_CLIENT,
                response_type: "code",
                redirect_uri: "http://localhost:9999/callback",
                scope: "https://graph.microsoft.com/User.Read",
                code_challenge: CODE_CHALLENGE,
                code_challenge_method: "S256",
              },
            },
          },
        }),
      },
      answers: { "201": { description: "The request was stored.", ...content(JSON_TYPE, pushed) } },
    },
  },
  "/oauth2/authorize": {
    get: {
      id: "authorize",
      tag: "Sign-in",
      summary: "Begin the sign-in of a pushed request, in a browser",
      dialect: "page",
      security: PUBLIC,
      parameters: [
        query("client_id", guid("As in the pushed request."), { required: true, example: WEB_CLIENT }),
        query("request_uri", text("From the pushed request."), { required: true, example: EXAMPLE.requestUri }),
      ],
      answers: redirect,
    },
  },
  "/oauth2/callback": {
    get: {
      id: "finishSignIn",
      tag: "Sign-in",
      summary: "Take Entra's answer: the redirect URI of the registration",
      dialect: "page",
      security: PUBLIC,
      parameters: [
        query("state", text("From the redirect to Entra."), { required: true, example: "unknown" }),
        query("code", text("Entra's code."), { example: "1.AXoA" }),
        query("error", text("Entra's error.")),
        query("error_description", text("Entra's description.")),
        query("error_subcode", text("Entra's subcode.")),
      ],
      answers: redirect,
    },
  },
  "/signin/{link}": {
    get: {
      id: "openLink",
      tag: "Sign-in",
      summary: "Open a sign-in link, in a browser",
      dialect: "page",
      security: PUBLIC,
      parameters: [LINK],
      answers: redirect,
    },
    head: {
      id: "checkLink",
      tag: "Sign-in",
      summary: "Answer programs that check the links of a mail",
      description: "Reads nothing and begins nothing.",
      dialect: "page",
      security: PUBLIC,
      parameters: [LINK],
      answers: { "200": { description: "Always." } },
    },
  },
  "/signin/confirm": {
    get: {
      id: "showConfirmation",
      tag: "Sign-in",
      summary: "Show the page on which a person allows a grant",
      dialect: "page",
      security: PUBLIC,
      parameters: [query("transaction", text("Id of the confirmation."))],
      answers: page,
    },
    post: {
      id: "confirmGrant",
      tag: "Sign-in",
      summary: "Take the form of that page",
      dialect: "page",
      security: PUBLIC,
      body: {
        required: true,
        ...content(
          FORM_TYPE,
          object({
            decision: text("The person's decision.", { enum: ["allow", "deny"] }),
            transaction: text("Id of the confirmation."),
            token: text("Proof that the form is from the page."),
          }),
          { examples: { withoutPage: { value: { decision: "allow", transaction: "unknown", token: "unknown" } } } },
        ),
      },
      answers: page,
    },
  },
  "/me": {
    get: {
      id: "showMyAccess",
      tag: "Sign-in",
      summary: "Show a person what acts on their behalf",
      dialect: "page",
      security: PUBLIC,
      parameters: [query("after", text("The next page."))],
      answers: { ...page, ...redirect },
    },
    post: {
      id: "endMyAccess",
      tag: "Sign-in",
      summary: "End a grant or the session, from that page",
      dialect: "page",
      security: PUBLIC,
      body: {
        required: true,
        ...content(
          FORM_TYPE,
          object({
            action: text("What to end.", { enum: ["end", "leave"] }),
            "grant?": text("Id of the grant to end."),
            token: text("Proof that the form is from the page."),
          }),
          { examples: { withoutPage: { value: { action: "leave", token: "unknown" } } } },
        ),
      },
      answers: page,
    },
  },
};
