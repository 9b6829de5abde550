/**
 * The photo of a user and the content of files: bytes in both directions. It stores nothing: an upload is answered with
 * its size and hash.
 *
 * Source: https://learn.microsoft.com/graph/api/profilephoto-get, https://learn.microsoft.com/graph/api/driveitem-get-content
 */
import { createHash } from "node:crypto";
import { scopesOf } from "../oauth/bearer.ts";
import { type GraphAnswer, graphBytes, graphError, graphSuccess } from "./graph-answer.ts";
import type { GraphCall } from "./graph-request.ts";
import { accessDenied, everyByte, notAllowed } from "./messages.ts";

export function answerPhoto({ context, request, claims }: GraphCall): GraphAnswer {
  const allows = (prefix: string) => scopesOf(claims).some((scope) => scope.startsWith(prefix));
  switch (request.method) {
    case "GET":
      return allows("User.Read") ? graphBytes(context, 200, "image/jpeg", everyByte(1_024)) : accessDenied(context);
    case "PUT":
      return allows("User.ReadWrite") ? { ...graphSuccess(context, undefined), status: 204 } : accessDenied(context);
    default:
      return notAllowed(context);
  }
}

/** `path` is what follows `/me/drive`: `/items/{id}/content` or `/root:/{path}:/content`. */
export function answerDrive({ context, request, claims }: GraphCall, path: string): GraphAnswer {
  const scopes = scopesOf(claims);
  const [, name] = /^\/(?:items\/([^/]+)|root:(?:\/[^/:]+)+:)\/content$/i.exec(path) ?? [];
  if (!/\/content$/i.test(path)) return graphError(context, 400, "BadRequest", "Resource not found for the segment.");
  if (request.method === "GET") {
    if (!scopes.some((scope) => scope.startsWith("Files.Read"))) return accessDenied(context);
    // The address of the content works without a token.
    const location = `https://files.contoso.local/download/${name ?? "file"}?tempauth=v1.local`;
    const answer = graphSuccess(context, undefined);
    return { ...answer, status: 302, headers: { ...answer.headers, Location: location } };
  }
  if (request.method !== "PUT") return notAllowed(context);
  if (!scopes.includes("Files.ReadWrite")) return accessDenied(context);
  const sha256 = createHash("sha256").update(request.body).digest("hex");
  const answer = graphSuccess(context, {
    id: "local-file-1",
    size: request.body.byteLength,
    file: { hashes: { sha256 } },
  });
  const location = `${context.url}/v1.0/me/drive/items/local-file-1`;
  return { ...answer, status: 201, headers: { ...answer.headers, Location: location } };
}
