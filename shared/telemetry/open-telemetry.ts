/**
 * The metrics and spans of the service. Only this file imports the OpenTelemetry SDK, and the service loads it only if
 * telemetry is on. It registers nothing globally, patches nothing and reads no environment variables.
 */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
  ValueType,
} from "@opentelemetry/api";
import { JsonMetricsSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TelemetryConfig } from "../config/config.ts";
import { TELEMETRY_DEADLINE_MS } from "../core/limits.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { createLabels, type LabelNames } from "./labels.ts";
import type { OtlpSender } from "./otlp-sender.ts";
import type { Recorder } from "./telemetry.ts";

export interface OpenTelemetryInput {
  readonly config: TelemetryConfig;
  /** Distinguishes the time series of the instances. */
  readonly instanceId: string;
  /** The names in the current policy. */
  readonly names: () => LabelNames;
  readonly sender: OtlpSender;
  readonly gauges: Gauges;
}

/** Values that the SDK reads at each export of metrics. */
export interface Gauges {
  /** Days until the credential of a registration expires. Without credentials that do not expire or were not read yet. */
  credentials(): Promise<readonly { readonly registration: string; readonly days: number }[]>;
  tokenCache(): { readonly entries: number; readonly bytes: number };
}

/** The default of the SDK. */
const METRICS_EVERY_MS = 60_000;
/** Seconds. A cache hit takes less than 1 ms, a call to Entra 50 to 500 ms; the deadline of a request is 10 s. */
const DURATION_BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SCOPE = "graph-token-exchange";

export function createOpenTelemetry(input: OpenTelemetryInput): Recorder {
  const labelsOf = createLabels(input.names);
  const metrics = createMetrics(input);
  const spans = createSpans(input);
  return {
    record(route, observation) {
      const labels = labelsOf(route, observation);
      metrics.record(labels, (observation.endedMs - observation.startedMs) / 1_000);
      spans.record(`exchange ${route}`, labels, observation);
    },
    async stop() {
      await Promise.allSettled([metrics.stop(), spans.stop()]);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function createMetrics({ config, instanceId, sender, gauges }: OpenTelemetryInput) {
  const exporter: PushMetricExporter = {
    export: (metrics, done) =>
      void sender.send("metrics", JsonMetricsSerializer.serializeRequest(metrics)).then(toExportResult(done)),
    selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: METRICS_EVERY_MS,
    exportTimeoutMillis: TELEMETRY_DEADLINE_MS,
  });
  const provider = new MeterProvider({ resource: resourceOf(config, instanceId), readers: [reader] });
  const meter = provider.getMeter(SCOPE);
  const count = meter.createCounter("gte.exchanges", {
    unit: "{exchange}",
    valueType: ValueType.INT,
    description: "Requests with a decision, one for each audit event.",
  });
  const duration = meter.createHistogram("gte.exchange.duration", {
    unit: "s",
    description: "Time from the request to the response in the service.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });
  meter
    .createObservableGauge("gte.credential.days_to_expiry", {
      unit: "d",
      description: "Days until the current client credential expires.",
    })
    .addCallback(async (result) => {
      for (const { registration, days } of await gauges.credentials()) {
        result.observe(days, { "gte.registration": registration });
      }
    });
  meter
    .createObservableGauge("gte.token_cache.entries", {
      unit: "{token}",
      valueType: ValueType.INT,
      description: "Tokens in the cache of this instance.",
    })
    .addCallback((result) => result.observe(gauges.tokenCache().entries));
  meter
    .createObservableGauge("gte.token_cache.size", {
      unit: "By",
      valueType: ValueType.INT,
      description: "Memory of the tokens in the cache of this instance.",
    })
    .addCallback((result) => result.observe(gauges.tokenCache().bytes));
  return {
    record(labels: Attributes, seconds: number) {
      count.add(1, labels);
      duration.record(seconds, labels);
    },
    stop: () => provider.shutdown(),
  };
}

function createSpans({ config, instanceId, sender }: OpenTelemetryInput) {
  const exporter: SpanExporter = {
    export: (spans, done) =>
      void sender.send("traces", JsonTraceSerializer.serializeRequest(spans)).then(toExportResult(done)),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const random = new RandomIdGenerator();
  /** The id of the next span. The request to Entra already contained it. */
  let nextSpanId: string | undefined;
  const provider = new TracerProvider({
    resource: resourceOf(config, instanceId),
    sampler: samplerOf(config),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: TELEMETRY_DEADLINE_MS })],
    idGenerator: {
      generateTraceId: () => random.generateTraceId(),
      generateSpanId: () => nextSpanId ?? random.generateSpanId(),
    },
  });
  const tracer = provider.getTracer(SCOPE);
  return {
    record(name: string, attributes: Attributes, { startedMs, endedMs, trace: requestTrace }: SpanTimes) {
      nextSpanId = requestTrace?.spanId;
      const startTime = new Date(startedMs);
      // Not SERVER: the host creates the server span, and it is the parent of this one.
      const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime, attributes }, parentOf(requestTrace));
      if (attributes["gte.outcome"] === "failed") {
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end(new Date(endedMs));
    },
    stop: () => provider.shutdown(),
  };
}

interface SpanTimes {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly trace: RequestTrace | undefined;
}

function parentOf(requestTrace: RequestTrace | undefined): Context {
  if (requestTrace === undefined) return ROOT_CONTEXT;
  const { traceId, parentSpanId, sampled } = requestTrace;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentSpanId, traceFlags, isRemote: true });
}

function samplerOf({ sampler, samplerRatio }: TelemetryConfig): Sampler {
  switch (sampler) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(samplerRatio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(samplerRatio) });
  }
}

function resourceOf({ serviceName }: TelemetryConfig, instanceId: string) {
  return resourceFromAttributes({ "service.name": serviceName, "service.instance.id": instanceId });
}

/** Calls the SDK back with its result code: 0 for success, 1 for failure. */
function toExportResult(done: (result: { code: 0 | 1 }) => void): (sent: boolean) => void {
  return (sent) => done({ code: sent ? 0 : 1 });
}
