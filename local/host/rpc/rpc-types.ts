/**
 * The data that a Functions host exchanges with `@azure/functions`, with the names of FunctionRpc.proto. Types only. The
 * package publishes no types for `@azure/functions-core`, so this file declares the members that the package reads and
 * writes.
 */

export type LogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";
export type LogCategory = "user" | "system" | "customMetric";
export type InvocationState = "preInvocationHooks" | "postInvocationHooks" | "invocation";

export interface NullableString {
  value: string;
}

/** A request for the app. Header names are in lower case; repeated values are already joined. */
export interface RpcHttpRequest {
  method: string;
  url: string;
  nullableHeaders: Record<string, NullableString>;
  nullableQuery: Record<string, NullableString>;
  nullableParams: Record<string, NullableString>;
  body?: { bytes: Uint8Array };
}

export interface RpcTypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: RpcHttpRequest | RpcHttpResponse;
}

/** `sameSite: "none"` means that the attribute is not set; "explicitNone" writes `SameSite=None`. */
export interface RpcHttpCookie {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds: number } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  maxAge?: { value: number };
  sameSite: "none" | "lax" | "strict" | "explicitNone";
}

export interface RpcHttpResponse {
  statusCode: string;
  headers: Record<string, string>;
  cookies: RpcHttpCookie[];
  enableContentNegotiation: boolean;
  body?: RpcTypedData | null;
}

export interface Binding {
  type: string;
  direction: "in" | "out";
  name?: string;
  methods?: string[];
  route?: string;
  authLevel?: string;
}

export interface FunctionMetadata {
  name: string;
  functionId?: string;
  bindings: Record<string, Binding>;
}

export interface TraceContext {
  traceParent: string;
  traceState: string;
  attributes: Record<string, string>;
}

export interface InvocationRequest {
  invocationId: string;
  functionId: string;
  inputData: { name: string; data: RpcTypedData }[];
  triggerMetadata: Record<string, RpcTypedData>;
  traceContext: TraceContext;
  retryContext: null;
}

export interface InvocationResponse {
  invocationId: string;
  outputData: { name: string; data: RpcTypedData }[];
  returnValue?: { http?: RpcHttpResponse } | null;
}

export type FunctionCallback = (...args: unknown[]) => unknown;
export type HookData = Record<string, unknown>;
export type HookCallback = (context: unknown) => unknown;

/** The argument of `getInvocationModel`, one per invocation. */
export interface CoreInvocationContext {
  invocationId: string;
  request: InvocationRequest;
  metadata: FunctionMetadata;
  state: InvocationState | undefined;
  log(level: LogLevel, category: LogCategory, message: string): void;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities(defaults: Record<string, string>): Promise<Record<string, string>>;
}
