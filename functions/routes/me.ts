import type { HttpRequest } from "@azure/functions";
import type { AuditTrail } from "../../shared/audit/audit-trail.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { type Result, succeed } from "../../shared/core/result.ts";
import type { OutgoingResponse } from "../../shared/http/outgoing-response.ts";
import { readMyAccess, readMyAccessForm } from "../../shared/http/read-browser-request.ts";
import { redirect } from "../../shared/http/write-redirect.ts";
import { endMyAccess, leave, listMyAccess, openSession } from "../../shared/my-access/my-access.ts";
import type { MyAccessContext } from "../../shared/my-access/my-access-context.ts";
import { beginVisit } from "../../shared/my-access/sign-in-for-visit.ts";
import { type Page, pageResponse } from "../../shared/pages/layout.ts";
import { leftPage, type MyAccessPageInput, myAccessPage, noAccessPage } from "../../shared/pages/my-access-page.ts";
import { loadPermissionWords } from "../../shared/pages/permission-words.ts";
import type { Session } from "../../shared/sealed-state/sealed-state.ts";
import type { Route, RouteContext } from "../handle.ts";

/**
 * `GET /me`: a person sees what acts on their behalf; without a session, answers a redirect to Entra. `POST /me`: ends one
 * grant, or the session. `context` is undefined without a grant store.
 */
export function meRoute(context: MyAccessContext | undefined): Route {
  return {
    name: "me",
    template: "me",
    methods: ["GET", "POST"],
    dialect: "page",
    audit: "answered",
    async run(request, { audit, correlationId, trace, language }) {
      const visit = { audit, correlationId, language };
      if (context === undefined) return succeed(toResponse(noAccessPage(language), visit));
      const traced = { ...context, trace };
      return request.method === "POST" ? answerForm(traced, request, visit) : show(traced, request, visit);
    },
  };
}

// ------------------------------------------------------------------------------------------------------------------

type Visit = Pick<RouteContext, "audit" | "correlationId" | "language">;

async function show(
  context: MyAccessContext,
  request: HttpRequest,
  visit: Visit,
): Promise<Result<OutgoingResponse, Failure>> {
  const { after, ...browser } = readMyAccess(request);
  const session = await openSession(context, browser.cookieHeader);
  if (session.ok) return showAccess(context, session.value, { visit, after, outcome: undefined });
  if (!isEnded(session.failure)) return session;
  const departure = await beginVisit(context, { ...browser, correlationId: visit.correlationId });
  return departure.ok ? succeed(redirect(departure.value.location, departure.value.cookies)) : departure;
}

async function answerForm(
  context: MyAccessContext,
  request: HttpRequest,
  visit: Visit,
): Promise<Result<OutgoingResponse, Failure>> {
  const form = await readMyAccessForm(request, context.signIn.serviceUrl);
  if (!form.ok) return form;
  const { cookieHeader, formToken, grantId } = form.value;
  const session = await openSession(context, cookieHeader);
  if (!session.ok) return session;
  recordPerson(visit.audit, session.value);
  if (grantId === undefined) {
    const cookies = leave(session.value, formToken, cookieHeader);
    return cookies.ok ? succeed({ ...toResponse(leftPage(visit.language), visit), cookies: cookies.value }) : cookies;
  }
  const ended = await endMyAccess(context, session.value, { formToken, grantId }, visit.audit);
  if (!ended.ok) return ended;
  return showAccess(context, session.value, { visit, after: undefined, outcome: ended.value ? "ended" : "notFound" });
}

interface Shown extends Pick<MyAccessPageInput, "outcome"> {
  readonly visit: Visit;
  readonly after: string | undefined;
}

async function showAccess(
  context: MyAccessContext,
  session: Session,
  { visit, after, outcome }: Shown,
): Promise<Result<OutgoingResponse, Failure>> {
  recordPerson(visit.audit, session);
  const listed = await listMyAccess(context, session, after);
  if (!listed.ok) return listed;
  const { accesses, next } = listed.value;
  const { language } = visit;
  const inWords = await loadPermissionWords(
    language,
    accesses.flatMap(({ apis }) => apis),
  );
  const page = myAccessPage({
    language,
    organisation: context.signIn.tenantDisplayName,
    person: session.person,
    accesses: accesses.map((access) => ({
      ...access,
      apis: access.apis.map((api) => ({ name: api.name, resource: api.resource, scopes: inWords(api, api.scopes) })),
    })),
    next,
    formToken: session.formToken,
    outcome,
  });
  return succeed(toResponse(page, visit));
}

function recordPerson(audit: AuditTrail, { user }: Session): void {
  audit.add({ subjectObjectId: user.objectId });
}

function isEnded(failure: Failure): boolean {
  return failure.kind === "sign_in_refused" && failure.reason === "session_ended";
}

function toResponse(page: Page, { correlationId }: Visit) {
  return pageResponse(page, { status: 200, correlationId });
}
