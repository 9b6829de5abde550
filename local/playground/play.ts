/** Runs one flow: fills in placeholders, sends the requests, records them, and makes the trace of the page. */
import { readFileSync } from "node:fs";
import { userToken } from "../caller/caller-token.ts";
import type { LocalEnvironment } from "../caller/environment.ts";
import { type LocalResponse, localRequest } from "../caller/local-request.ts";
import {
  type Caller,
  type Flow,
  type GrantState,
  NotYet,
  type Outcome,
  type Person,
  type Play,
  type PlaygroundTenant,
  type SendInput,
  type SignInOptions,
} from "./flows/flow.ts";
import { fill } from "./snippets/placeholders.ts";
import type { SnippetRequest, Variable } from "./snippets/snippet-types.ts";
import { toSnippets } from "./snippets/snippets.ts";
import { createRecorder, type Recorder } from "./trace/recorder.ts";
import type { Decision, Message, Party, Trace } from "./trace/trace.ts";

export interface PlayInput {
  readonly environment: LocalEnvironment;
  readonly tenant: PlaygroundTenant;
  readonly flow: Flow;
  readonly person: Person;
  readonly caller: Caller;
  readonly skipCache: boolean;
  readonly grant: GrantState;
}

export async function playFlow(input: PlayInput): Promise<Trace> {
  const { environment, tenant, flow, person, caller } = input;
  const recorder = createRecorder({ url: environment.graphUrl, requests: () => tenant.requests() });
  const state: PlayState = { input, recorder, values: new Map(), variables: new Map() };
  const outcome = await runFlow(flow, toPlay(state));
  return {
    flow: flow.id,
    title: flow.title,
    person: person.name,
    caller: caller.name,
    events: recorder.events,
    main: state.main?.message,
    decision: withRemark(state),
    snippets: state.main === undefined ? [] : toSnippets(state.main.request, [...state.variables.values()]),
    outcome: outcome.text,
    succeeded: outcome.succeeded,
  };
}

// ---------------------------------------------------------------------------------------------------------------

interface PlayState {
  readonly input: PlayInput;
  readonly recorder: Recorder;
  readonly values: Map<string, string>;
  readonly variables: Map<string, Variable>;
  main?: { readonly request: SnippetRequest; readonly message: Message };
  decision?: Decision;
}

/** The policy does not know whether a person is a guest: Entra's token says so, and the service refuses it earlier. */
function withRemark({ decision, main }: PlayState): Decision | undefined {
  if (decision?.allowed !== true || !main?.message.response.body.includes('"guest_not_allowed"')) return decision;
  return { ...decision, remark: "The policy would allow it. The refusal came earlier: the token is a guest’s." };
}

async function runFlow(flow: Flow, play: Play): Promise<Outcome> {
  try {
    return await flow.run(play);
  } catch (error) {
    if (error instanceof NotYet || error instanceof SignInRefused) return { text: error.message, succeeded: false };
    throw error;
  }
}

function toPlay(state: PlayState): Play {
  const { environment, tenant, person, caller, skipCache, grant } = state.input;
  return {
    environment,
    tenant,
    person,
    caller,
    skipCache,
    grant,
    note: state.recorder.note,
    signIn: (options) => signIn(state, options),
    define: ({ value, ...variable }) => {
      state.values.set(variable.name, value);
      state.variables.set(variable.name, variable);
    },
    send: (input) => send(state, input),
    explain: (question) => explain(state, question),
  };
}

/** Entra refused the caller itself. */
class SignInRefused extends Error {}

async function signIn(state: PlayState, options: SignInOptions = {}): Promise<string> {
  const { environment, person, caller: chosen } = state.input;
  const { caller = chosen.name, variable = "TOKEN", claims } = options;
  const asPerson = (options.as ?? (chosen.unattended ? "application" : "person")) === "person";
  const { clientId = "", clientSecret, audience = environment.service.audience } = environment.callers[caller] ?? {};
  const { username = "", password = "" } = environment.users[person.name] ?? {};
  const grant = asPerson
    ? { grant_type: "password", username, password, scope: `${audience}/${environment.service.scope}` }
    : { grant_type: "client_credentials", scope: `${audience}/.default` };
  const title = asPerson ? `${person.givenName} signs in to the caller` : "the caller’s own token for the service";
  const response = await send(state, {
    target: `${environment.authority}/oauth2/v2.0/token`,
    title,
    form: {
      ...grant,
      client_id: clientId,
      ...(clientSecret && { client_secret: clientSecret }),
      ...(claims && { claims }),
    },
  });
  const token = response.json()["access_token"];
  if (typeof token !== "string")
    throw new SignInRefused(`Entra refused the caller: ${String(response.json()["error"])}.`);
  const command = asPerson
    ? `npm run -s token -- ${person.name}${caller === "web" ? "" : ` --caller ${caller}`}`
    : `npm run -s token -- --app ${caller}`;
  state.values.set(variable, token);
  state.variables.set(variable, { name: variable, command });
  return token;
}

async function send(state: PlayState, input: SendInput): Promise<LocalResponse> {
  const { environment } = state.input;
  const request = toRequest(environment, input);
  const filled = fillRequest(request, state.values);
  const { url, method, headers, form, json } = filled;
  const to = partyOf(environment, input.target);
  const { response, message } = await state.recorder.record(
    { from: input.from ?? "caller", to, request: filled, ...(input.title && { title: input.title }) },
    () =>
      localRequest(url, {
        method,
        headers,
        ...(form && { form }),
        ...(json && { json }),
        ca: readFileSync(environment.caCertPath, "utf8"),
      }),
  );
  if (input.main) state.main = { request, message };
  return response;
}

function toRequest(
  { serviceUrl }: LocalEnvironment,
  { target, method, headers = {}, form, json }: SendInput,
): SnippetRequest {
  const url = target.startsWith("/") ? serviceUrl + target : target;
  const body = { ...(form && { form }), ...(json && { json }) };
  return { method: method ?? (form || json ? "POST" : "GET"), url, headers, ...body };
}

function fillRequest({ method, url, headers, form, json }: SnippetRequest, values: ReadonlyMap<string, string>) {
  const fillAll = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text, values)]));
  const filledJson =
    json &&
    Object.entries(json).map(([name, value]) => [name, typeof value === "string" ? fill(value, values) : value]);
  return {
    method,
    url: fill(url, values),
    headers: fillAll(headers),
    ...(form && { form: fillAll(form) }),
    ...(filledJson && { json: Object.fromEntries(filledJson) as Record<string, unknown> }),
  };
}

function partyOf({ serviceUrl, graphUrl }: LocalEnvironment, target: string): Party {
  if (target.startsWith("/") || target.startsWith(serviceUrl)) return "service";
  return new RegExp(`^${graphUrl}/(v1\\.0|beta|orders)`).test(target) ? "graph" : "entra";
}

/** Not a part of the flow, so it is not recorded. */
async function explain(state: PlayState, question: Readonly<Record<string, unknown>>): Promise<void> {
  const { environment } = state.input;
  const response = await localRequest(`${environment.serviceUrl}/policy/explain`, {
    headers: { authorization: `Bearer ${await userToken(environment, "erin")}` },
    json: question,
  });
  const answer = response.json();
  state.decision = {
    question: JSON.stringify(question, undefined, 2),
    allowed: answer["allowed"] === true,
    answer: JSON.stringify(answer, undefined, 2),
  };
}
