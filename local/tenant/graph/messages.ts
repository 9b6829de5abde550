/**
 * The mailbox: three messages for each user, with the query options that Graph's clients use most, ETags and paging.
 *
 * Source: https://learn.microsoft.com/graph/api/user-list-messages, https://learn.microsoft.com/graph/paging
 */
import type { User } from "../directory/directory.ts";
import { scopesOf } from "../oauth/bearer.ts";
import { type GraphAnswer, type GraphContext, graphBytes, graphError, graphSuccess } from "./graph-answer.ts";
import type { GraphCall } from "./graph-request.ts";

interface Message {
  readonly id: string;
  readonly subject: string;
  readonly isRead: boolean;
}

const SUBJECTS = ["Welcome", "Travel", "Invoice"];

/** `path` is what follows `/me/messages`, without a slash at its end. */
export function answerMessages({ context, request, claims }: GraphCall, user: User, path: string): GraphAnswer {
  const writes = request.method !== "GET";
  const needed = writes ? ["Mail.ReadWrite"] : ["Mail.Read", "Mail.ReadWrite"];
  if (!scopesOf(claims).some((scope) => needed.includes(scope))) return accessDenied(context);
  const [, id, part, attachmentId, value] = path.split("/");
  if (id === undefined) return writes ? notAllowed(context) : listMessages(context, request.query, user);
  const message = messagesOf(user).find((one) => one.id === id);
  if (message === undefined) {
    return graphError(context, 404, "ErrorItemNotFound", "The specified object was not found in the store.");
  }
  if (part === undefined) return answerMessage(context, request, message);
  const size = /^bytes-(\d{1,8})$/.exec(attachmentId ?? "")?.[1];
  if (part.toLowerCase() !== "attachments" || value?.toLowerCase() !== "$value" || size === undefined) {
    return graphError(context, 400, "BadRequest", `Resource not found for the segment '${part}'.`);
  }
  return graphBytes(context, 200, "application/octet-stream", everyByte(Number(size)));
}

const BYTES = Uint8Array.from({ length: 256 }, (_, index) => index);

/** Bytes of every value in turn, so that a change of any of them shows. */
export function everyByte(size: number): Uint8Array {
  return new Uint8Array(Buffer.alloc(size, BYTES));
}

export function accessDenied(context: GraphContext): GraphAnswer {
  return graphError(context, 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");
}

export function notAllowed(context: GraphContext): GraphAnswer {
  return graphError(context, 405, "Request_BadRequest", "Specified HTTP method is not allowed.");
}

// ---------------------------------------------------------------------------------------------------------------

function messagesOf(user: User): Message[] {
  return SUBJECTS.map((subject, index) => ({
    id: `local-${user.name}-${index + 1}`,
    subject: index === 0 ? `${subject}, ${user.givenName}` : subject,
    isRead: index > 0,
  }));
}

function etagOf({ id }: Message): string {
  return `W/"${Buffer.from(id).toString("base64")}"`;
}

function answerMessage(context: GraphContext, { method, header }: GraphCall["request"], message: Message): GraphAnswer {
  const etag = etagOf(message);
  if (method === "GET") {
    if (header("if-none-match") === etag) return { ...graphSuccess(context, undefined), status: 304 };
    const body = { "@odata.etag": etag, ...message };
    return withHeaders(graphSuccess(context, body), { ETag: etag });
  }
  const condition = header("if-match");
  if (condition !== undefined && condition !== "*" && condition !== etag) {
    return graphError(
      context,
      412,
      "ErrorIrresolvableConflict",
      "The change key passed in the request is out of date.",
    );
  }
  if (method === "DELETE") return { ...graphSuccess(context, undefined), status: 204 };
  return method === "PATCH" ? graphSuccess(context, { "@odata.etag": etag, ...message }) : notAllowed(context);
}

function withHeaders(answer: GraphAnswer, headers: Record<string, string>): GraphAnswer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function listMessages(context: GraphContext, query: URLSearchParams, user: User): GraphAnswer {
  const option = (name: string) => query.get(`$${name}`) ?? query.get(name);
  const filter = /^isRead eq (true|false)$/.exec(option("filter") ?? "isRead eq any")?.[1];
  const all = messagesOf(user).filter(({ isRead }) => filter === undefined || String(isRead) === filter);
  const skip = Number(option("skip") ?? 0);
  const top = Number(option("top") ?? 10);
  const fields = option("select")?.split(",");
  const value = all
    .slice(skip, skip + top)
    .map((message) => select({ "@odata.etag": etagOf(message), ...message }, fields));
  const next = new URLSearchParams(query);
  next.set("$skip", String(skip + top));
  return graphSuccess(context, {
    "@odata.context": `${context.url}/v1.0/$metadata#users('${user.oid}')/messages`,
    value,
    ...(skip + top < all.length ? { "@odata.nextLink": `${context.url}/v1.0/me/messages?${next}` } : {}),
  });
}

function select(message: Readonly<Record<string, unknown>>, fields: readonly string[] | undefined): object {
  return Object.fromEntries(
    Object.entries(message).filter(([name]) => fields === undefined || ["@odata.etag", "id", ...fields].includes(name)),
  );
}
