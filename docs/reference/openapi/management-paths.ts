/** What an administrator lists and revokes. */
import { ALICE } from "./example-values.ts";
import type { Paths } from "./operation.ts";
import { content, guid, JSON_TYPE, list, object, type Parts, query, schemaRef, text, time } from "./schema.ts";

const ROLE = "Requires the app role `Grant.Admin`.";
const entryName = text("Name of the policy entry.", { pattern: "^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$" });
const apiName = text("Name of the API in the policy.", { pattern: "^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$" });
const grantId = text("Id of a grant.", { pattern: "^[0-9a-f]{64}$" });

/** `REVOCATION_KINDS`: exactly one of them. */
const target = {
  "person?": guid("Object id of the person."),
  "caller?": guid("Client id of the caller."),
  "entry?": entryName,
  "api?": apiName,
  "grant?": grantId,
  "everything?": { type: "boolean", const: true, description: "Every grant and every cached token." },
};

const revocationRequest = object({
  ...target,
  reason: text("Why, in one line.", { minLength: 1, maxLength: 200 }),
  dryRun: { type: "boolean", description: "`true`: only count." },
});

const revocation = object({
  dryRun: { type: "boolean", description: "As requested." },
  ...target,
  "grants?": { type: "integer", description: "How many grants it concerns. Absent: they could not be counted." },
  "more?": { type: "boolean", description: "`true`: at least so many." },
  "id?": guid("Id of the revocation. Absent after a dry run."),
  "allowedUntil?": time("What was allowed or acquired until then no longer counts."),
  "effectiveOn?": time("When it is in effect on every instance."),
});

const listedRevocation = object({
  id: guid("Id of the revocation."),
  ...target,
  allowedUntil: time("What was allowed or acquired until then no longer counts."),
  reason: text("Why, in the administrator's words."),
  createdOn: time("When it was made."),
  byClientId: guid("Client id of the administrator's token."),
  byObjectId: guid("Object id of the administrator."),
});

export const managementSchemas: Parts = {
  RevocationRequest: revocationRequest,
  Revocation: revocation,
  ListedRevocation: listedRevocation,
};

export const managementPaths: Paths = {
  "/manage/grants": {
    get: {
      id: "listManagedGrants",
      tag: "Management",
      summary: "List the grants of a person, caller, policy entry or API",
      description: `At most one of the filters. ${ROLE} Never a handle.`,
      dialect: "problem",
      parameters: [
        query("person", guid("Object id of the person.")),
        query("caller", guid("Client id of the caller.")),
        query("entry", entryName),
        query("api", apiName),
        query("grant", grantId),
        query("everything", text("`true`: all of them, as without a filter.", { enum: ["true"] })),
        query("after", text("`next` of the previous page.", { pattern: "^[0-9a-f]{64}$" })),
      ],
      answers: {
        "200": {
          description: "A page of grants.",
          ...content(
            JSON_TYPE,
            object({ grants: list(schemaRef("ManagedGrant"), "Grants."), "next?": text("`after` of the next page.") }),
          ),
        },
      },
    },
  },
  "/manage/revocations": {
    get: {
      id: "listRevocations",
      tag: "Management",
      summary: "List the revocations in effect",
      description: ROLE,
      dialect: "problem",
      answers: {
        "200": {
          description: "The revocations.",
          ...content(JSON_TYPE, object({ revocations: list(schemaRef("ListedRevocation"), "Revocations.") })),
        },
      },
    },
    post: {
      id: "revokeAccess",
      tag: "Management",
      summary: "Revoke grants and cached tokens",
      description: `Exactly one of \`person\`, \`caller\`, \`entry\`, \`api\`, \`grant\` and \`everything\`. ${ROLE}`,
      dialect: "problem",
      body: {
        required: true,
        ...content(JSON_TYPE, schemaRef("RevocationRequest"), {
          examples: { leaver: { value: { person: ALICE, reason: "Alice left.", dryRun: true } } },
        }),
      },
      answers: {
        "200": { description: "What was revoked, or would be.", ...content(JSON_TYPE, schemaRef("Revocation")) },
      },
    },
  },
};
