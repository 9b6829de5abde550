/**
 * The sign-in pages, like Entra's, for people and for browser tests.
 *
 * `GET|POST /{tenant}/oauth2/v2.0/authorize` checks the request and shows the first page that is needed, if any.
 * `POST /{tenant}/login` receives the answer of each page. `GET|POST /devicelogin` receives the user code of a device.
 *
 * Element ids, for tests:
 *
 *   account picker    #account-alice (… one per local user), #username with #next
 *   password          #password, #sign-in, #other-account; #signing-in-as
 *   second factor     #approve, #deny
 *   consent           #accept, #cancel; #app-name, #scopes > li
 *   device            #user-code with #next; #continue, #cancel; then #device-approved or #device-declined
 *   form_post         #form-post posts itself (#continue without scripts)
 *   errors            #error (role alert) on the page itself; on an error page also #error-code, #error-message
 *   signed out        #signed-out
 */
import { EntraError, entraError } from "../errors/entra-error.ts";
import { DEVICE_LOGIN_PATH } from "../oauth/device-code-endpoint.ts";
import { resolveTenantSegment } from "../oauth/tenant-segment.ts";
import type { Form } from "../oauth/token-request.ts";
import { nextStep, type Step, type StepTenant } from "./next-step.ts";
import { errorPage, plainText } from "./pages/error-page.ts";
import {
  accountPage,
  confirmDevicePage,
  consentPage,
  type FormPage,
  passwordPage,
  secondFactorPage,
  userCodePage,
} from "./pages/sign-in-pages.ts";
import { accountOf, readSession, type Session, type SessionTenant, sessionCookie, withAccount } from "./session.ts";
import { type AnswerTenant, applyAnswer } from "./sign-in-answer.ts";
import { type FlowTenant, type SignInFlow, sealFlow, startFlow, unsealFlow } from "./sign-in-flow.ts";
import { type OpenTarget, openTarget, type TargetTenant } from "./sign-in-target.ts";

/** The union of what the pages read and change. */
export interface SignInTenant extends AnswerTenant, FlowTenant, SessionTenant, StepTenant, TargetTenant {}

export interface BrowserRequest {
  /** The parsed query or form, without repeated parameters. */
  readonly form: Form;
  /** The session cookie's value. */
  readonly cookie: string | undefined;
}

/** Shows errors on a page as long as they must not go to the client. */
export function withErrorPage(tenant: SignInTenant, answer: () => Response): Response {
  try {
    return answer();
  } catch (failure) {
    if (failure instanceof EntraError) return errorPage(tenant, failure);
    throw failure;
  }
}

export function answerAuthorize(tenant: SignInTenant, segment: string, { form, cookie }: BrowserRequest): Response {
  if (resolveTenantSegment(segment) === "consumers") throw entraError(9001023);
  const flow = startFlow(tenant, { kind: "authorize", params: [...form] });
  return proceed(tenant, { flow, session: readSession(tenant, cookie) });
}

export function answerLogin(tenant: SignInTenant, { form, cookie }: BrowserRequest): Response {
  const flow = unsealFlow(tenant, form.get("flow"));
  const session = readSession(tenant, cookie);
  const target = openTarget(tenant, flow.target);
  if (target instanceof Response) return target;
  const step = nextStep(tenant, target.subject, flow.progress, session);
  try {
    const answered = applyAnswer(tenant, target.subject, flow.progress, step, form);
    if (answered.kind === "cancelled") return target.refuse(answered.failure);
    const next = { ...flow, progress: answered.progress };
    return proceed(tenant, { flow: next, session, ...(answered.confirmed && { confirmed: true }) });
  } catch (failure) {
    if (!(failure instanceof EntraError)) throw failure;
    return show(tenant, { target, flow, session, step, error: plainText(failure) });
  }
}

export function answerDeviceLogin(tenant: SignInTenant, { form, cookie }: BrowserRequest): Response {
  const userCode = form.get("user-code");
  if (userCode === undefined) return userCodePage(DEVICE_LOGIN_PATH, undefined);
  if (tenant.deviceCodes.pendingByUserCode(userCode) === undefined) {
    return userCodePage(DEVICE_LOGIN_PATH, "That code didn't work. Check the code and try again.");
  }
  const flow = startFlow(tenant, { kind: "device", userCode });
  return proceed(tenant, { flow, session: readSession(tenant, cookie) });
}

// ---------------------------------------------------------------------------------------------------------------

interface SignInState {
  readonly flow: SignInFlow;
  readonly session: Session;
  readonly confirmed?: boolean;
}

function proceed(tenant: SignInTenant, { flow, session, confirmed }: SignInState): Response {
  const target = openTarget(tenant, flow.target);
  if (target instanceof Response) return target;
  const step = nextStep(tenant, target.subject, flow.progress, session);
  if (step.kind !== "done") return show(tenant, { target, flow, session: withEnteredPassword(session, flow), step });
  const { user, atMs, satisfied } = step;
  const signedIn = withAccount(session, { oid: user.oid, atMs, satisfied });
  const needsConfirmation = target.confirms && confirmed !== true;
  const response = needsConfirmation
    ? confirmDevicePage(formPage(tenant, target, flow), user)
    : target.done(user, satisfied, signedIn.id);
  response.headers.append("Set-Cookie", sessionCookie(tenant, signedIn));
  return response;
}

/** Stores the entered password in the session, even if the user stops at the next page. */
function withEnteredPassword(session: Session, { progress }: SignInFlow): Session {
  const { userOid, passwordAtMs, satisfied } = progress;
  if (userOid === undefined || passwordAtMs === undefined) return session;
  const earlier = accountOf(session, userOid)?.satisfied ?? [];
  return withAccount(session, {
    oid: userOid,
    atMs: passwordAtMs,
    satisfied: [...new Set([...earlier, ...satisfied])],
  });
}

interface PageState {
  readonly target: OpenTarget;
  readonly flow: SignInFlow;
  readonly session: Session;
  readonly step: Step;
  readonly error?: string;
}

function show(tenant: SignInTenant, shown: PageState): Response {
  const response = pageOf(tenant, shown);
  if (shown.session.accounts.length > 0) response.headers.append("Set-Cookie", sessionCookie(tenant, shown.session));
  return response;
}

function pageOf(tenant: SignInTenant, { target, flow, session, step, error }: PageState): Response {
  const page = formPage(tenant, target, flow, error);
  switch (step.kind) {
    case "account": {
      const users = tenant.directory.users.map((user) => ({
        user,
        signedIn: accountOf(session, user.oid) !== undefined,
      }));
      return accountPage(page, users);
    }
    case "password":
      return passwordPage(page, step.user);
    case "second-factor":
      return secondFactorPage(page, step.user);
    case "consent":
      return consentPage(page, step.user, [...step.need.names, ...step.need.oidc]);
    case "blocked":
      return errorPage(tenant, step.failure);
    case "refused":
      return target.refuse(step.failure);
    case "done":
      return confirmDevicePage(page, step.user);
  }
}

function formPage(tenant: SignInTenant, { subject }: OpenTarget, flow: SignInFlow, error?: string): FormPage {
  const action = `/${tenant.tenantId}/login`;
  return { action, flow: sealFlow(tenant, flow), appName: subject.client.displayName, error };
}
