import type { HttpRequest } from "@azure/functions";
import { clearCookies } from "../../shared/authorize/cookies.ts";
import type { Failure } from "../../shared/failure.ts";
import { failureToWire } from "../../shared/http/failure-to-wire.ts";
import type { OutgoingResponse } from "../../shared/http/outgoing-response.ts";
import { readConfirmationForm, readConfirmationPage } from "../../shared/http/read-arrival.ts";
import type { KeptGrant } from "../../shared/keep-grant.ts";
import { confirmationPage } from "../../shared/pages/confirmation-page.ts";
import { handlePage } from "../../shared/pages/handle-page.ts";
import { pageResponse } from "../../shared/pages/layout.ts";
import { refusalResponse } from "../../shared/pages/refusal-page.ts";
import { type Result, succeed } from "../../shared/result.ts";
import { type Confirmation, confirmGrant, openConfirmation } from "../../shared/sign-in/confirm-grant.ts";
import type { SignInRooms } from "../../shared/sign-in/sign-in-rooms.ts";
import type { Route, RouteContext } from "../handle.ts";

/** `GET /signin/confirm` asks, `POST /signin/confirm` is the answer. Only here is a grant made for a link. */
export function signInConfirmRoute(rooms: SignInRooms): Route {
  return {
    name: "signin-confirm",
    template: "signin/confirm",
    methods: ["GET", "POST"],
    dialect: "page",
    audit: "answered",
    run: (request, context) =>
      request.method === "POST" ? answerForm(rooms, request, context) : showForm(rooms, request, context),
  };
}

async function showForm(
  rooms: SignInRooms,
  request: HttpRequest,
  { note }: RouteContext,
): Promise<Result<OutgoingResponse, Failure>> {
  const opened = await openConfirmation(rooms, readConfirmationPage(request), note);
  if (!opened.ok) {
    return opened;
  }
  const { correlationId } = opened.value.pending;
  return succeed(pageResponse(toQuestion(opened.value), { status: 200, correlationId }));
}

async function answerForm(
  rooms: SignInRooms,
  request: HttpRequest,
  { note }: RouteContext,
): Promise<Result<OutgoingResponse, Failure>> {
  const form = await readConfirmationForm(request, rooms.signIn.serviceUrl);
  if (!form.ok) {
    return form;
  }
  const { id, cookieHeader } = form.value;
  const opened = await openConfirmation(rooms, form.value, note);
  if (!opened.ok) {
    return opened;
  }
  const { correlationId } = opened.value.pending;
  const made = await confirmGrant(rooms, opened.value, form.value, note);
  const cookies = clearCookies(cookieHeader, "confirm", id);
  if (made.ok) {
    const page = toDone(rooms, opened.value, made.value);
    return succeed(pageResponse(page, { status: 200, correlationId, cookies }));
  }
  const wire = failureToWire(made.failure, { dialect: "page", understandsChallenge: false });
  // What may pass (the store is down) leaves the question open; a reload asks it again.
  const over = wire.action === "retry" ? [] : cookies;
  return succeed(refusalResponse(wire, correlationId, { cookies: over, refusal: made.failure }));
}

function toQuestion({ pending, entitlement, application, untilSeconds }: Confirmation) {
  const { target, person, id, formToken } = pending;
  const { api, scopes } = entitlement;
  return confirmationPage({
    application,
    clientId: target.clientId,
    person,
    api,
    scopes,
    untilSeconds,
    transaction: id,
    formToken,
  });
}

function toDone(rooms: SignInRooms, { application, entitlement }: Confirmation, made: KeptGrant) {
  return handlePage({
    application,
    handle: made.handle?.reveal() ?? "",
    api: entitlement.api.name,
    untilSeconds: made.expiresAtSeconds,
    serviceUrl: rooms.signIn.serviceUrl,
    serviceClientId: rooms.delegated.clientId,
  });
}
