/**
 * Finds the token that authenticates a request, before anything is checked, only to recognise a caller whose token the
 * service has verified before. The readers of the routes decide what is accepted. Never refuses and never throws.
 */
import { BODY_MAX_BYTES } from "../core/limits.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { hasTooManyParameters } from "./read-body.ts";

type CloneableRequest = IncomingRequest & { clone(): IncomingRequest };

const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i;
/** A client assertion authenticates before the token to exchange does. */
const PARAMETERS = ["client_assertion", "assertion", "subject_token"];

/** Undefined: there is none, or a client secret authenticates the request. */
export function readPresentedToken(
  request: CloneableRequest,
): SecretValue | undefined | Promise<SecretValue | undefined> {
  const header = request.headers.get("authorization");
  if (header !== null) return toToken(BEARER.exec(header)?.[1]);
  const type = request.headers.get("content-type") ?? "";
  const bytes = Number(request.headers.get("content-length") ?? 0);
  const isForm = request.method === "POST" && type.toLowerCase().startsWith("application/x-www-form-urlencoded");
  return isForm && bytes <= BODY_MAX_BYTES ? readFromForm(request.clone()) : undefined;
}

// ---------------------------------------------------------------------------------------------------------------

async function readFromForm(request: IncomingRequest): Promise<SecretValue | undefined> {
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > BODY_MAX_BYTES) return undefined;
  const text = Buffer.from(bytes).toString("latin1");
  if (hasTooManyParameters(text)) return undefined;
  const form = new URLSearchParams(text);
  if (form.has("client_secret")) return undefined;
  const name = PARAMETERS.find((parameter) => form.has(parameter));
  return toToken(name === undefined ? undefined : (form.get(name) ?? undefined));
}

function toToken(text: string | undefined): SecretValue | undefined {
  return text === undefined || text === "" ? undefined : new SecretValue(text);
}
