/** The life of a grant: asked for with a link, allowed, redeemed, dead, healed by one click, revoked. */
import type { LocalResponse } from "../../caller/local-request.ts";
import { type Flow, NotYet, type Outcome, type Play } from "./flow.ts";
import { allowByLink } from "./open-in-browser.ts";
import { bearer, callerInQuestion, callGraph, jsonOf, refusalOf } from "./shared-steps.ts";

const callers = ["daemon"];

export const grantFlows: readonly Flow[] = [
  {
    id: "grant-link",
    group: "grant",
    title: "Ask with a link",
    about:
      "Nightly Job makes a link for the person. It gets the handle now; the handle works once the person allows it.",
    callers,
    run: async (play) => {
      await play.signIn({ as: "application" });
      const json = { api: "graph", expectedUser: play.person.oid };
      const answer = await play.send({ target: "/signin/links", headers: bearer, json, main: true });
      await play.explain({ link: { caller: "daemon", apis: { graph: [] } } });
      const refused = refusalOf(answer);
      if (refused !== undefined) return refused;
      const { url, grant } = jsonOf(answer);
      Object.assign(play.grant, { status: "asked", handle: String(grant), link: String(url) });
      return { text: `The link is ready. It is for ${play.person.givenName} only.`, succeeded: true };
    },
  },
  {
    id: "grant-allow",
    group: "grant",
    title: "Allow it",
    about: "The person opens the link, signs in at Entra, reads the question and allows.",
    callers,
    run: async (play) => {
      const outcome = await allowByLink(play, linkOf(play));
      if (outcome.isAllowed) Object.assign(play.grant, { status: "live", link: undefined });
      return outcome;
    },
  },
  {
    id: "grant-redeem",
    group: "grant",
    title: "Use it",
    about:
      "The person is away. Nightly Job presents its own token and the handle, and gets the person’s token for Graph.",
    callers,
    run: async (play) => {
      const answer = await redeem(play);
      const scopes = ["User.Read", "Mail.Read"];
      const caller = callerInQuestion(play, "application");
      await play.explain({ caller, flow: "refresh-token", grant: [{ api: "graph", scopes }] });
      const refused = noteEnd(play, answer);
      if (refused !== undefined) return refused;
      Object.assign(play.grant, { status: "live", link: undefined });
      return callGraph(play, answer);
    },
  },
  {
    id: "grant-kill",
    group: "grant",
    title: "Let it die",
    about:
      "An administrator ends the person’s sessions at Entra. The next use finds out, and the refusal has a new link.",
    callers,
    run: async (play) => {
      handleOf(play);
      play.note(`An administrator revokes the sessions of ${play.person.displayName} at Entra.`);
      play.tenant.revokeSessions({ user: play.person.name });
      const answer = await redeem(play, true);
      return noteEnd(play, answer) ?? { text: "The grant still works.", succeeded: true };
    },
  },
  {
    id: "grant-heal",
    group: "grant",
    title: "Heal it",
    about:
      "The person opens the link of the refusal and allows again. The same handle works, so Nightly Job changes nothing.",
    callers,
    run: async (play) => {
      const allowed = await allowByLink(play, linkOf(play));
      if (!allowed.succeeded) return allowed;
      const answer = await redeem(play);
      const refused = noteEnd(play, answer);
      if (refused !== undefined) return refused;
      Object.assign(play.grant, { status: "live", link: undefined });
      const outcome = await callGraph(play, answer);
      return outcome.succeeded
        ? { ...outcome, text: "The same handle works again. Nightly Job changed nothing." }
        : outcome;
    },
  },
  {
    id: "grant-revoke",
    group: "grant",
    title: "End it",
    about: "The person ends what Nightly Job holds on their behalf. The handle is refused from now on.",
    callers,
    run: async (play) => {
      handleOf(play);
      await play.signIn({ as: "person", caller: "web" });
      const listed = await play.send({ from: "person", target: "/grants", headers: bearer });
      const ids = grantsOfCaller(listed, play.caller.clientId);
      if (ids.length === 0) return { text: "The person has no grant of Nightly Job.", succeeded: false };
      for (const id of ids) {
        play.define({ name: "GRANT_ID", value: id, source: "id of the grant in the answer of GET /grants" });
        const form = { token: "{{GRANT_ID}}" };
        const ended = await play.send({ from: "person", target: "/oauth2/revoke", headers: bearer, main: true, form });
        const refused = refusalOf(ended);
        if (refused !== undefined) return refused;
      }
      Object.assign(play.grant, { status: "revoked", link: undefined });
      return { text: "The grant has ended. The handle is refused from now on.", succeeded: true };
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** While the grant is dead, only Entra knows whether it has been healed: a cached token says nothing about that. */
async function redeem(
  play: Play,
  forceRefresh = play.skipCache || play.grant.status === "dead",
): Promise<LocalResponse> {
  play.define({ name: "GRANT", value: handleOf(play), source: "grant in the answer of POST /signin/links" });
  await play.signIn({ as: "application" });
  return play.send({
    target: "/AuthorizationHeader/graph",
    headers: bearer,
    json: { grant: "{{GRANT}}", ...(forceRefresh && { forceRefresh }) },
    main: true,
  });
}

/** Remembers that the grant is dead, with the link that heals it, or that it has ended. */
function noteEnd(play: Play, answer: LocalResponse): Outcome | undefined {
  const refused = refusalOf(answer);
  const { code, signin_url: link } = jsonOf(answer);
  if (refused !== undefined && typeof link === "string") {
    Object.assign(play.grant, { status: code === "grant_pending" ? "asked" : "dead", link });
  } else if (code === "grant_revoked" || code === "grant_invalid") {
    Object.assign(play.grant, { status: "revoked", link: undefined });
  }
  return refused;
}

function handleOf({ grant }: Play): string {
  if (grant.status === "none") throw new NotYet("Nightly Job has no handle yet. Press “Ask with a link” first.");
  return grant.handle;
}

function linkOf({ grant }: Play): string {
  if (grant.link === undefined) throw new NotYet("There is no link to open. “Ask with a link” makes one.");
  return grant.link;
}

function grantsOfCaller(listed: LocalResponse, clientId: string): readonly string[] {
  const { grants = [] } = jsonOf(listed) as { grants?: readonly { id: string; clientId?: string }[] };
  return grants.filter((grant) => grant.clientId === clientId).map(({ id }) => id);
}
