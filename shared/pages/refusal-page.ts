/**
 * The page that explains a failure and what to do next. The text depends on the stable code of the failure. A code
 * without its own text shows the description of the failure, if that is in the language of the page. The page never contains a value from outside.
 */
import type { TextResponse } from "../http/outgoing-response.ts";
import type { Wire } from "../http/wire.ts";
import { html } from "./html.ts";
import type { Language } from "./language.ts";
import { type Page, type PageOptions, pageResponse } from "./layout.ts";
import { TEXTS } from "./texts/texts.ts";

interface RefusalOptions extends Pick<PageOptions, "cookies" | "refusal"> {
  readonly language: Language;
  /** The sign-in has ended, so reloading the page does not help. */
  readonly fromStart?: boolean;
}

/** The response with the page. A browser sends no token, so there is no challenge, and 401 becomes 403. */
export function refusalResponse(
  wire: Wire,
  correlationId: string,
  { language, fromStart, ...options }: RefusalOptions,
): TextResponse {
  const status = wire.status === 401 ? 403 : wire.status;
  const response = pageResponse(refusalPage(wire, language, fromStart), { status, correlationId, ...options });
  const headers = {
    ...(wire.allow === undefined ? {} : { Allow: wire.allow.join(", ") }),
    ...(wire.retryAfterSeconds === undefined ? {} : { "Retry-After": String(wire.retryAfterSeconds) }),
  };
  return { ...response, headers: { ...response.headers, ...headers } };
}

export function refusalPage(wire: Wire, language: Language, fromStart = false): Page {
  const texts: Readonly<Record<string, RefusalText>> = TEXTS[language].refusals;
  const own = Object.hasOwn(texts, wire.code) ? texts[wire.code] : undefined;
  const { title, reason, advice } = own ?? otherRefusal(wire, language, fromStart);
  return { language, title, main: html`<h1>${title}</h1>\n<p>${reason}</p>\n<p>${advice}</p>` };
}

// ------------------------------------------------------------------------------------------------------------------

interface RefusalText {
  readonly title: string;
  readonly reason: string;
  readonly advice: string;
}

function otherRefusal({ description, status, action }: Wire, language: Language, fromStart: boolean): RefusalText {
  const { failed, impossible, reason, reload, openAgain, askAdmin } = TEXTS[language].otherRefusal;
  const retryAdvice = fromStart ? openAgain : reload;
  return {
    title: status >= 500 || action === "retry" ? failed : impossible,
    reason: reason(description),
    advice: action === "retry" ? retryAdvice : askAdmin,
  };
}
