/** Grants and the links with which people allow them. */
import { ALICE, EXAMPLE } from "./example-values.ts";
import { type Paths, PUBLIC } from "./operation.ts";
import {
  content,
  FORM_TYPE,
  guid,
  JSON_TYPE,
  list,
  object,
  type Part,
  type Parts,
  query,
  schemaRef,
  text,
  time,
} from "./schema.ts";
import { CLIENT_PARAMETERS } from "./token-paths.ts";

const scopesByApi = (description: string): Part => ({
  type: "object",
  description,
  additionalProperties: { type: "array", items: { type: "string" } },
});

/** `LINK_MEMBERS` of the reader. */
const linkRequest = object({
  "api?": text("One API by its name in the policy."),
  "scopes?": { type: ["array", "string"], items: { type: "string" }, description: "Scopes of `api`." },
  "apis?": scopesByApi("In place of `api` and `scopes`: scopes by API."),
  "caller?": text("Name of the policy entry. Required from a person; not set, it is the calling application's own."),
  "expectedUser?": guid("Object id of the only person who may allow it."),
  "claims?": { description: "The claims challenge that the sign-in must satisfy.", type: ["object", "string"] },
  "codeChallenge?": text("S256 challenge of the application's session.", { pattern: "^[A-Za-z0-9_-]{43}$" }),
});

const link = object(
  {
    url: text("For the person who is to allow it.", { format: "uri" }),
    expiresOn: time("When the link ends."),
    grant: text("The handle. It works when the person has allowed it."),
  },
  {
    description: "A sign-in link and the handle of its grant.",
    examples: [
      {
        url: "https://func-gte-contoso.azurewebsites.net/signin/eyJhbGciOi...",
        expiresOn: "2026-11-22T11:40:00Z",
        grant: "gte_…",
      },
    ],
  },
);

const grantMembers = {
  id: text("Not secret.", { pattern: "^[0-9a-f]{64}$" }),
  kind: text("Who redeems the grant.", { enum: ["user", "application"] }),
  clientId: guid("Client id of the caller."),
  "application?": text("Name of the application, if one redeems the grant."),
  userObjectId: guid("Object id of the person."),
  apis: scopesByApi("Scopes by API."),
  createdOn: time("When it was made."),
  expiresOn: time("When it ends."),
  requestedBy: object({
    clientId: guid("Client id of who asked for it."),
    "userObjectId?": guid("Object id of the person who asked for it. Absent: the application itself."),
  }),
  "lastRedeemedOn?": time("When it was last redeemed."),
  "lastRenewedOn?": time("When Entra last returned a newer refresh token for it."),
  "lastError?": object({
    code: text("Code of its last redemption, if that failed."),
    on: time("When it failed."),
  }),
};

const grant = object(grantMembers);

/** Also what only administrators see. */
const managedGrant = object({
  ...grantMembers,
  entry: text("Name of the policy entry."),
  allowedOn: time("When the person allowed it last."),
});

export const grantSchemas: Parts = {
  LinkRequest: linkRequest,
  Link: link,
  Grant: grant,
  ManagedGrant: managedGrant,
};

export const CLIENTS = [{ entra_user: [] }, { entra_application: [] }, { client_secret_basic: [] }, ...PUBLIC];
export const grantPaths: Paths = {
  "/signin/links": {
    post: {
      id: "createLink",
      tag: "Grants",
      summary: "Create a link with which a person allows a grant",
      description: "For an application itself, or for a person with the app role `Grant.Create`.",
      dialect: "problem",
      body: {
        required: true,
        ...content(JSON_TYPE, schemaRef("LinkRequest"), {
          examples: { onePerson: { value: { api: "graph", expectedUser: ALICE } } },
        }),
      },
      answers: { "201": { description: "The link and the handle.", ...content(JSON_TYPE, schemaRef("Link")) } },
    },
  },
  "/grants": {
    get: {
      id: "listGrants",
      tag: "Grants",
      summary: "List the caller's grants",
      description: "A person also gets the grants that applications hold on their behalf. Never a handle.",
      dialect: "problem",
      parameters: [
        query("after", text("`next` of the previous page.")),
        query(
          "expiringWithinDays",
          text("Only grants that end within this many days.", { pattern: "^[1-9]\\d{0,2}$" }),
        ),
      ],
      answers: {
        "200": {
          description: "A page of grants.",
          ...content(
            JSON_TYPE,
            object({ grants: list(schemaRef("Grant"), "Grants."), "next?": text("`after` of the next page.") }),
          ),
        },
      },
    },
  },
  "/oauth2/revoke": {
    post: {
      id: "revokeGrant",
      tag: "Grants",
      summary: "End a grant (RFC 7009)",
      dialect: "oauth",
      security: CLIENTS,
      body: {
        required: true,
        ...content(FORM_TYPE, object({ token: text("Handle or id of the grant."), ...CLIENT_PARAMETERS }), {
          examples: { handle: { value: { token: EXAMPLE.handle } } },
        }),
      },
      answers: {
        "200": {
          description: "The grant does not work, now or as before.",
          ...content(JSON_TYPE, object({ revoked: { type: "boolean", description: "A grant was ended." } })),
        },
      },
    },
  },
};
