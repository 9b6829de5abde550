/**
 * Requests to the service with the person's token. A refused token is renewed once; a claims challenge is answered once,
 * by the cache's refresh token or by the person; what is refused after that stays refused.
 */
import { demandedClaims } from "./claims.ts";
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { jsonObject, type Received, send } from "./send.ts";
import type { Settings } from "./settings.ts";
import { type SignIn, signInNeeded, type Wanted } from "./sign-in.ts";

export interface ServiceRequest {
  readonly path: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
}

export interface ServiceClient {
  /** The answer's JSON object; throws what stands in its way. */
  ask(request: ServiceRequest): Promise<Record<string, unknown>>;
}

export function createServiceClient(settings: Settings, signIn: SignIn): ServiceClient {
  const once = async (request: ServiceRequest, wanted?: Wanted): Promise<Received> => {
    const { accessToken } = await signIn.acquire(wanted);
    return send({
      url: settings.service + request.path,
      timeoutMs: settings.timeoutMs,
      ...toHttp(request, accessToken),
    });
  };
  return {
    ask: async (request) => {
      const first = await once(request);
      const again = wantedBy(first);
      const answer = again === undefined ? first : await once(request, again);
      if (answer.status >= 200 && answer.status < 300) return objectOf(answer);
      throw toFailure(answer, settings.login);
    },
  };
}

/** RFC 6750 section 3.1: a 401 is about the token. Claims may also come with 400 and 403, for older callers. */
function wantedBy(answer: Received): Wanted | undefined {
  const claims = demandedClaims(answer);
  if (claims !== undefined) return { claims };
  return answer.status === 401 ? { forceRefresh: true } : undefined;
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

function objectOf({ text }: Received): Record<string, unknown> {
  const body = jsonObject(text);
  if (body === undefined) throw new CliFailure(EXIT.unavailable, "answer_invalid", "The service gave no JSON answer.");
  return body;
}

/** The service's own `code`, `action` and words (RFC 9457 and RFC 6749 carry the same members). */
function toFailure(answer: Received, login: string): CliFailure {
  const body = jsonObject(answer.text) ?? {};
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
    const { run = login } = signInNeeded(login, "", demandedClaims(answer));
    return new CliFailure(EXIT.signIn, member("code") ?? "sign_in_required", message, { ...detail, run });
  }
  return new CliFailure(EXIT.refused, member("code") ?? "refused", message, detail);
}
