/** A token for the person or for the application itself, and requests without a token. */
import type { Flow, Play } from "./flow.ts";
import { bearer, callerInQuestion, callGraph, headerRequest, refusalOf } from "./shared-steps.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const MESSAGES = "/DownstreamApi/graph/v1.0/me/messages";

const explainExchange = (play: Play) =>
  play.explain({
    caller: callerInQuestion(play, play.caller.unattended ? "application" : "user"),
    ...(play.caller.unattended ? { flow: "client-credentials" } : { flow: "on-behalf-of" }),
    api: "graph",
  });

export const tokenFlows: readonly Flow[] = [
  {
    id: "header",
    group: "token",
    title: "A header object",
    about: "One GET: the caller’s token in, the headers for Graph out.",
    run: async (play) => {
      await play.signIn();
      const answer = await play.send(headerRequest(play));
      const outcome = await callGraph(play, answer);
      await explainExchange(play);
      return outcome;
    },
  },
  {
    id: "on-behalf-of",
    group: "token",
    title: "A token, as a standard",
    about: "The OAuth token endpoint with Microsoft’s on-behalf-of grant.",
    callers: ["web", "public", "cli", "intranet", "assistant", "stranger"],
    run: async (play) => {
      await play.signIn();
      const answer = await play.send({
        target: "/oauth2/token",
        main: true,
        form: {
          grant_type: JWT_BEARER,
          requested_token_use: "on_behalf_of",
          assertion: "{{TOKEN}}",
          scope: "https://graph.microsoft.com/User.Read",
        },
      });
      const outcome = await callGraph(play, answer);
      await explainExchange(play);
      return outcome;
    },
  },
  {
    id: "token-exchange",
    group: "token",
    title: "A backend for its user",
    about: "Token exchange (RFC 8693): the backend authenticates with its own token and presents the person’s.",
    callers: ["web"],
    run: async (play) => {
      await play.signIn({ as: "application" });
      await play.signIn({ as: "person", variable: "SUBJECT" });
      const answer = await play.send({
        target: "/oauth2/token",
        headers: bearer,
        main: true,
        form: {
          grant_type: TOKEN_EXCHANGE,
          subject_token: "{{SUBJECT}}",
          subject_token_type: ACCESS_TOKEN,
          audience: "graph",
        },
      });
      const outcome = await callGraph(play, answer);
      const caller = callerInQuestion(play, "application");
      await play.explain({ caller, flow: "on-behalf-of", api: "graph", subject: callerInQuestion(play, "user") });
      return outcome;
    },
  },
  {
    id: "relay",
    group: "token",
    title: "A call through the relay",
    about: "The caller never holds a token: the service sends the request that a rule of its entry allows.",
    callers: ["assistant"],
    run: async (play) => {
      await play.signIn();
      const answer = await play.send({ target: `${MESSAGES}?$select=subject&$top=2`, headers: bearer, main: true });
      await play.explain({
        caller: callerInQuestion(play, "user"),
        flow: "on-behalf-of",
        api: "graph",
        call: { method: "GET", path: "/v1.0/me/messages" },
      });
      const text = "The service called Graph itself. The caller got Graph’s answer and no token.";
      return refusalOf(answer) ?? { text, succeeded: true };
    },
  },
  {
    id: "client-credentials",
    group: "token",
    title: "An application as itself",
    about: "Client credentials: the application’s own permissions, from a registration that has nothing else.",
    callers: ["reports", "daemon"],
    run: async (play) => {
      await play.signIn({ as: "application" });
      const answer = await play.send({
        target: "/oauth2/token",
        headers: bearer,
        main: true,
        form: { grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" },
      });
      const outcome = await callGraph(play, answer, "/v1.0/users");
      await play.explain({
        caller: callerInQuestion(play, "application"),
        flow: "client-credentials",
        api: "graph",
        scopes: ["https://graph.microsoft.com/.default"],
      });
      return outcome;
    },
  },
];
