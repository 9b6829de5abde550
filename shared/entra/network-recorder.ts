/**
 * The network module of MSAL for one call. It sends requests through `outbound/` (deadline, size limit, connection pool)
 * and records the response of Entra, because MSAL's errors contain neither the status nor `Retry-After`, and its result
 * contains no refresh token.
 */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import { parseJson } from "../core/json-text.ts";
import { ENTRA_ANSWER_MAX_BYTES } from "../core/limits.ts";
import { type RequestTrace, traceHeaders } from "../core/request-trace.ts";
import type { Outbound, OutboundFailure, OutboundResponse } from "../outbound/outbound.ts";
import { bodyForIdentity } from "./identity-scopes.ts";

export interface NetworkRecorderInput {
  readonly outbound: Outbound;
  readonly trace?: RequestTrace | undefined;
  /** For the whole exchange with Entra. */
  readonly deadlineMs: number;
  /** Ask only who the person is. */
  readonly identityOnly?: boolean | undefined;
}

export class NetworkRecorder implements INetworkModule {
  readonly #outbound: Outbound;
  readonly #trace: RequestTrace | undefined;
  readonly #deadlineMs: number;
  readonly #identityOnly: boolean;
  #answer: OutboundResponse | undefined;
  #failure: OutboundFailure | undefined;

  constructor({ outbound, trace, deadlineMs, identityOnly = false }: NetworkRecorderInput) {
    this.#outbound = outbound;
    this.#trace = trace;
    this.#deadlineMs = deadlineMs;
    this.#identityOnly = identityOnly;
  }

  /** The last response of Entra. */
  get answer(): OutboundResponse | undefined {
    return this.#answer;
  }

  /** Why there is no response. */
  get failure(): OutboundFailure | undefined {
    return this.#failure;
  }

  /** MSAL needs no discovery, because its configuration contains the metadata. An unexpected GET fails the call. */
  sendGetRequestAsync<T>(): Promise<NetworkResponse<T>> {
    return Promise.reject(new Error("unexpected discovery request"));
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const sent = await this.#outbound.send({
      method: "POST",
      url,
      headers: { ...options?.headers, ...traceHeaders(this.#trace) },
      ...(options?.body === undefined
        ? {}
        : { body: this.#identityOnly ? bodyForIdentity(options.body) : options.body }),
      deadlineMs: this.#deadlineMs,
      maxBytes: ENTRA_ANSWER_MAX_BYTES,
    });
    if (!sent.ok) {
      this.#failure = sent.failure;
      throw new Error(sent.failure.kind);
    }
    this.#answer = sent.value;
    const body = parseJson(sent.value.body);
    if (body === undefined) throw new Error("not_json");
    // MSAL's type T is not verified here: `entra-client.ts` checks the recorded response.
    return { status: sent.value.status, headers: { ...sent.value.headers }, body: body as T };
  }
}
