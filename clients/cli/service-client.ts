/**
 * Requests to the service with the person's token. After a 401 or a claims challenge, it gets a new token and repeats the
 * request once. A claims challenge is answered with the cached refresh token, or by the person. If a 401 names another
 * scope of the service, the new token is for it, and later commands use it too.
 */
import { readClaimsChallenge } from "./claims.ts";
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { checkAudience, readOtherScope } from "./other-scope.ts";
import { saveSettings } from "./save-settings.ts";
import { parseJsonObject, type Received, send } from "./send.ts";
import { audienceOf } from "./service-conflicts.ts";
import type { Settings } from "./settings.ts";
import { type SignIn, signInRequired, type TokenOptions } from "./sign-in.ts";

export interface ServiceRequest {
  readonly path: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
}

export interface ServiceClient {
  /** Returns the JSON object of the response. Throws a `CliFailure` if there is none. */
  request(request: ServiceRequest): Promise<Record<string, unknown>>;
}

export function createServiceClient(saved: Settings, signIn: SignIn): ServiceClient {
  let settings = saved;
  const sendOnce = async (request: ServiceRequest, options: TokenOptions = {}): Promise<Received> => {
    const { scope } = settings;
    const { accessToken } = await signIn.acquireToken({ scope, ...options });
    if (options.scope === undefined) return sendWith(settings, request, accessToken);
    const changed = { ...settings, scope: options.scope };
    checkAudience(changed, accessToken);
    const answer = await sendWith(changed, request, accessToken);
    if (answer.status !== 401) {
      saveSettings(changed, audienceOf(accessToken));
      settings = changed;
    }
    return answer;
  };
  return {
    request: async (request) => {
      const first = await sendOnce(request);
      const retry = retryOptions(first, settings);
      const answer = retry === undefined ? first : await sendOnce(request, retry);
      if (answer.status >= 200 && answer.status < 300) return parseBody(answer);
      throw refusalToFailure(answer, settings.login);
    },
  };
}

/** A 401 means that the token is not accepted (RFC 6750 section 3.1). Claims can also come with 400 or 403. */
function retryOptions(answer: Received, settings: Settings): TokenOptions | undefined {
  const claims = readClaimsChallenge(answer);
  if (claims !== undefined) return { claims };
  const scope = readOtherScope(answer, settings);
  if (scope !== undefined) return { scope };
  return answer.status === 401 ? { forceRefresh: true } : undefined;
}

function sendWith({ service, network }: Settings, request: ServiceRequest, token: string): Promise<Received> {
  return send({ url: service + request.path, network, ...toHttp(request, token) });
}

function toHttp({ json, form }: ServiceRequest, token: string) {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  if (form !== undefined) {
    const type = "application/x-www-form-urlencoded";
    return {
      method: "POST",
      headers: { ...headers, "content-type": type },
      body: new URLSearchParams(form).toString(),
    };
  }
  if (json === undefined) return { method: "GET", headers };
  return { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(json) };
}

function parseBody({ text }: Received): Record<string, unknown> {
  const body = parseJsonObject(text);
  if (body === undefined)
    throw new CliFailure(EXIT.unavailable, "answer_invalid", "The service's response is not a JSON object.");
  return body;
}

/** Uses the members `code` and `action` and the message of the service's error (RFC 9457 or RFC 6749). */
function refusalToFailure(answer: Received, login: string): CliFailure {
  const body = parseJsonObject(answer.text) ?? {};
  const member = (name: string) => (typeof body[name] === "string" ? body[name] : undefined);
  const text = member("detail") ?? member("error_description") ?? "";
  const message = `The service refused (${answer.status} ${member("code") ?? member("error") ?? ""}): ${text}`;
  const correlationId = member("correlation_id");
  const detail = correlationId === undefined ? {} : { correlationId };
  const action = member("action");
  if (action === "retry" || answer.status === 429 || answer.status >= 500) {
    return new CliFailure(EXIT.unavailable, member("code") ?? "service_unavailable", message, detail);
  }
  if (action === "sign_in" || action === "new_caller_token") {
    const { run = login } = signInRequired(login, "", readClaimsChallenge(answer));
    return new CliFailure(EXIT.signIn, member("code") ?? "sign_in_required", message, { ...detail, run });
  }
  return new CliFailure(EXIT.refused, member("code") ?? "refused", message, detail);
}
