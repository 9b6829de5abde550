/** A person signs in: at a terminal with a device code, or in a browser through the service. */
import { createHash, randomBytes } from "node:crypto";
import { localPolicy } from "../../stack/policy.ts";
import type { Flow, Outcome, Play } from "./flow.ts";
import { openInBrowser } from "./open-in-browser.ts";
import { bearer, callerInQuestion, callGraph, headerRequest, jsonOf, refusalOf } from "./shared-steps.ts";

const REDIRECT_URI = redirectUri();

export const signInFlows: readonly Flow[] = [
  {
    id: "device-code",
    group: "sign-in",
    title: "Device code",
    about: "A script at a terminal: the person enters a code on any device, as with “gte login”.",
    callers: ["cli"],
    run: async (play) => {
      const { authority, service } = play.environment;
      const scope = `${service.audience}/${service.scope}`;
      const client_id = play.caller.clientId;
      const started = await play.send({
        target: `${authority}/oauth2/v2.0/devicecode`,
        title: "asks for a device code",
        form: { client_id, scope },
      });
      const { device_code, user_code } = jsonOf(started);
      play.note(`${play.person.givenName} enters the code ${String(user_code)} on a phone and signs in.`);
      play.tenant.approveDeviceCode({ userCode: String(user_code), user: play.person.name });
      play.define({ name: "DEVICE_CODE", value: String(device_code), source: "device_code of the answer" });
      const polled = await play.send({
        target: `${authority}/oauth2/v2.0/token`,
        title: "asks whether the person has signed in",
        form: { grant_type: "urn:ietf:params:oauth:grant-type:device_code", client_id, device_code: "{{DEVICE_CODE}}" },
      });
      if (polled.status !== 200) return { text: "The person cannot sign in to this client.", succeeded: false };
      const command = `npm run -s token -- ${play.person.name} --caller cli`;
      play.define({ name: "TOKEN", value: String(jsonOf(polled)["access_token"]), source: "", command });
      const answer = await play.send(headerRequest(play));
      await play.explain({ caller: callerInQuestion(play, "user"), flow: "on-behalf-of", api: "graph" });
      return callGraph(play, answer);
    },
  },
  {
    id: "code",
    group: "sign-in",
    title: "Code flow",
    about:
      "A backend signs a person in through the service: pushed request, PKCE, code. It needs no client secret for Graph.",
    callers: ["web"],
    run: async (play) => {
      const verifier = randomBytes(32).toString("base64url");
      const code = await authorize(play, createHash("sha256").update(verifier).digest("base64url"));
      if (typeof code !== "string") return code;
      play.define({ name: "CODE", value: code, source: "code in the address to which the browser returned" });
      play.define({ name: "VERIFIER", value: verifier, source: "the PKCE verifier of this sign-in" });
      const answer = await play.send({
        target: "/oauth2/token",
        headers: bearer,
        main: true,
        form: {
          grant_type: "authorization_code",
          code: "{{CODE}}",
          redirect_uri: REDIRECT_URI,
          code_verifier: "{{VERIFIER}}",
        },
      });
      await play.explain({
        caller: callerInQuestion(play, "application"),
        flow: "authorization-code",
        api: "graph",
        redirectUri: REDIRECT_URI,
      });
      return callGraph(play, answer);
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** The code, or how the sign-in ended without one. */
async function authorize(play: Play, challenge: string): Promise<string | Outcome> {
  await play.signIn({ as: "application" });
  const client_id = play.caller.clientId;
  const pushed = await play.send({
    target: "/oauth2/par",
    headers: bearer,
    form: {
      response_type: "code",
      client_id,
      redirect_uri: REDIRECT_URI,
      scope: "https://graph.microsoft.com/User.Read",
      state: randomBytes(8).toString("hex"),
      code_challenge: challenge,
      code_challenge_method: "S256",
    },
  });
  const refused = refusalOf(pushed);
  if (refused !== undefined) return refused;
  const query = new URLSearchParams({ client_id, request_uri: String(jsonOf(pushed)["request_uri"]) });
  const browser = openInBrowser(play);
  const atEntra = await browser.open(`/oauth2/authorize?${query}`);
  const returned = await browser.signInAtEntra(atEntra);
  const back = await browser.open(returned);
  const code = new URL(String(back.headers["location"] ?? "about:blank")).searchParams.get("code");
  return code ?? { text: "The sign-in ended without a code.", succeeded: false };
}

function redirectUri(): string {
  const backend = localPolicy.callers.find(({ name }) => name === "web-backend");
  if (backend === undefined || !("redirectUris" in backend)) throw new Error("web-backend has no redirect URI");
  return backend.redirectUris[0];
}
