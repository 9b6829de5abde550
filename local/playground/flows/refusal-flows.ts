/** Requests that end otherwise: what the service refuses, and what a demand of Entra becomes. */
import type { Flow } from "./flow.ts";
import { bearer, callerInQuestion, callGraph, headerRequest, refusalOf } from "./shared-steps.ts";

/** A scope that no entry of the local policy allows. */
const SURPLUS = { client: "service", resource: "graph", scopes: ["Files.Read"] };
const CP1 = { xms_cc: { values: ["cp1"] } };

export const refusalFlows: readonly Flow[] = [
  {
    id: "relay-only",
    group: "refusal",
    title: "A caller without tokens",
    about: "The assistant asks for a token. Its entry has “release: none”, so the answer is relay_only.",
    callers: ["assistant"],
    run: async (play) => {
      await play.signIn();
      const answer = await play.send(headerRequest(play));
      await play.explain({ caller: callerInQuestion(play, "user"), flow: "on-behalf-of", api: "graph" });
      return refusalOf(answer) ?? { text: "The caller got a token.", succeeded: true };
    },
  },
  {
    id: "surplus",
    group: "refusal",
    title: "More than allowed",
    about:
      "Entra puts every consented scope into a token. A scope that the entry does not allow: the token is not released.",
    callers: ["web", "public", "cli"],
    run: async (play) => {
      await play.signIn();
      play.note(
        "An administrator consents to Files.Read for the service. The policy does not allow it to this caller.",
      );
      play.tenant.addConsent(SURPLUS);
      try {
        const answer = await play.send({ ...headerRequest(play), json: { forceRefresh: true } });
        await play.explain({
          caller: callerInQuestion(play, "user"),
          flow: "on-behalf-of",
          api: "graph",
          scopes: ["User.Read", "Mail.Read", "Files.Read"],
        });
        return refusalOf(answer) ?? { text: "The caller got a token.", succeeded: true };
      } finally {
        play.tenant.withdrawConsent(SURPLUS);
        play.note("The administrator withdraws the consent.");
      }
    },
  },
  {
    id: "challenge",
    group: "refusal",
    title: "A second factor",
    about:
      "Entra demands a second factor. The service passes the demand on, the person answers it, the same request succeeds.",
    callers: ["web", "public", "cli"],
    run: async (play) => {
      play.note(`An administrator demands a second factor of ${play.person.givenName} for Graph.`);
      const demanded = play.tenant.requireClaims({ user: play.person.name });
      try {
        await play.signIn({ claims: JSON.stringify({ access_token: CP1 }) });
        const refused = await play.send({
          target: "/AuthorizationHeader/graph",
          headers: bearer,
          json: { forceRefresh: true },
        });
        const demand = claimsOf(String(refused.headers["www-authenticate"] ?? ""));
        if (demand === undefined) return refusalOf(refused) ?? { text: "Entra demanded nothing.", succeeded: false };
        play.note(`${play.person.givenName} signs in again with these claims and approves the second factor.`);
        const { access_token } = JSON.parse(demand) as { access_token: object };
        await play.signIn({ claims: JSON.stringify({ access_token: { ...access_token, ...CP1 } }) });
        const answer = await play.send({ ...headerRequest(play), json: { forceRefresh: true } });
        const outcome = await callGraph(play, answer);
        const { givenName } = play.person;
        const text = `Entra demanded a second factor. After ${givenName} approved it, the same request succeeded.`;
        return outcome.succeeded ? { ...outcome, text } : outcome;
      } finally {
        play.tenant.clearRequirements(demanded);
      }
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** The claims of a challenge, JSON text. */
function claimsOf(challenge: string): string | undefined {
  const encoded = /claims="([^"]+)"/.exec(challenge)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
}
