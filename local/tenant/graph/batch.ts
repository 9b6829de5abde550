/**
 * JSON batching: up to 20 requests in one.
 *
 * Source: https://learn.microsoft.com/graph/json-batching
 */
import { type GraphAnswer, type GraphContext, graphError, graphSuccess } from "./graph-answer.ts";
import type { GraphRequest } from "./graph-request.ts";

interface BatchedRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `answer` handles one request. `version` is `/v1.0` or `/beta`. */
export function answerBatch(
  context: GraphContext,
  request: GraphRequest,
  version: string,
  answer: (request: GraphRequest) => GraphAnswer,
): GraphAnswer {
  const requests = readBatch(request.body);
  if (requests === undefined) return graphError(context, 400, "BadRequest", "Invalid batch payload format.");
  if (requests.length > 20) {
    return graphError(
      context,
      400,
      "MaximumValueExceeded",
      "Number of batch request steps exceeds the maximum value of 20.",
    );
  }
  const responses = requests.map(({ id, method, url, headers = {}, body }) => {
    const { pathname, searchParams } = new URL(`${version}/${url.replace(/^\//, "")}`, context.url);
    const sent = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const inner = answer({
      method,
      path: pathname,
      query: searchParams,
      authorization: sent.get("authorization") ?? request.authorization,
      clientRequestId: request.clientRequestId,
      header: (name) => sent.get(name),
      body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
    });
    return { id, status: inner.status, headers: inner.headers, body: toJson(inner.body) };
  });
  return graphSuccess(context, { responses });
}

// ---------------------------------------------------------------------------------------------------------------

function readBatch(body: Uint8Array): readonly BatchedRequest[] | undefined {
  try {
    const { requests } = JSON.parse(Buffer.from(body).toString("utf8")) as { requests?: BatchedRequest[] };
    return Array.isArray(requests) ? requests : undefined;
  } catch {
    return undefined;
  }
}

function toJson(body: GraphAnswer["body"]): unknown {
  return body instanceof Uint8Array ? Buffer.from(body).toString("base64") : body;
}
