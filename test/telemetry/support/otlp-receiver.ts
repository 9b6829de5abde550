/** An OTLP/HTTP endpoint on loopback. It records exports and answers with the status that a test sets. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

interface Value {
  readonly stringValue?: string;
  readonly doubleValue?: number;
  readonly intValue?: number | string;
}
export interface Attribute {
  readonly key: string;
  readonly value: Value;
}
export interface Point {
  readonly attributes: readonly Attribute[];
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly count?: number | string;
  readonly sum?: number;
  readonly explicitBounds?: readonly number[];
}
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly aggregationTemporality: number };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}
export interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface Export {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly exports: Export[];
  /** Status of the responses. */
  status: number;
  /** True: the endpoint never answers. */
  silent: boolean;
  /** The metrics of the latest export. It contains all values, because metrics are cumulative. */
  metrics(): Metric[];
  spans(): Span[];
  resources(): Record<string, unknown>[];
  clear(): void;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const exports: Export[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      exports.push({
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      });
      if (!receiver.silent) {
        response.writeHead(receiver.status, { "content-type": "application/json" }).end("{}");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bodies = (path: string) => exports.filter((sent) => sent.path === path).map(({ body }) => JSON.parse(body));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    status: 200,
    silent: false,
    metrics: () => scopes(bodies("/v1/metrics").at(-1)?.resourceMetrics, "scopeMetrics", "metrics") as Metric[],
    spans: () => bodies("/v1/traces").flatMap((body) => scopes(body.resourceSpans, "scopeSpans", "spans")) as Span[],
    resources: () =>
      [...bodies("/v1/metrics"), ...bodies("/v1/traces")].flatMap((body) =>
        (body.resourceMetrics ?? body.resourceSpans).map((part: { resource: { attributes: Attribute[] } }) =>
          labels(part.resource.attributes),
        ),
      ),
    clear: () => void exports.splice(0),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}

export function labels(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

export function points(metrics: readonly Metric[], name: string): Point[] {
  return metrics
    .filter((metric) => metric.name === name)
    .flatMap(({ sum, gauge, histogram }) => [...((sum ?? gauge ?? histogram)?.dataPoints ?? [])]);
}

function scopes(resources: readonly Record<string, unknown>[] = [], scope: string, items: string): unknown[] {
  return resources.flatMap((resource) =>
    (resource[scope] as readonly Record<string, unknown>[]).flatMap((part) => part[items] as unknown[]),
  );
}
