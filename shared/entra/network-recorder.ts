/**
 * MSAL's way to the network, made for one call: it goes through `outbound/` (deadline, size limit, connection pool) and
 * remembers what Entra answered, because MSAL's errors hold neither the status nor `Retry-After`, and its result no
 * refresh token.
 */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import { ENTRA_ANSWER_MAX_BYTES, ENTRA_DEADLINE_MS } from "../core/limits.ts";
import { type RequestTrace, traceHeaders } from "../core/request-trace.ts";
import type { Outbound, OutboundFailure, OutboundResponse } from "../outbound/outbound.ts";

export class NetworkRecorder implements INetworkModule {
  readonly #outbound: Outbound;
  readonly #trace: RequestTrace | undefined;
  #answer: OutboundResponse | undefined;
  #failure: OutboundFailure | undefined;

  constructor(outbound: Outbound, trace?: RequestTrace) {
    this.#outbound = outbound;
    this.#trace = trace;
  }

  /** The last answer, if one came. */
  get answer(): OutboundResponse | undefined {
    return this.#answer;
  }

  /** Why no answer came, if none did. */
  get failure(): OutboundFailure | undefined {
    return this.#failure;
  }

  /** The authority's metadata is given, so MSAL has nothing to discover; a GET would be a surprise worth failing for. */
  sendGetRequestAsync<T>(): Promise<NetworkResponse<T>> {
    return Promise.reject(new Error("unexpected discovery request"));
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const sent = await this.#outbound.send({
      method: "POST",
      url,
      headers: { ...options?.headers, ...traceHeaders(this.#trace) },
      ...(options?.body === undefined ? {} : { body: options.body }),
      deadlineMs: ENTRA_DEADLINE_MS,
      maxBytes: ENTRA_ANSWER_MAX_BYTES,
    });
    if (!sent.ok) {
      this.#failure = sent.failure;
      throw new Error(sent.failure.kind);
    }
    this.#answer = sent.value;
    // MSAL's type says T, the wire says what it likes: the caller of MSAL checks the recorded answer itself.
    return { status: sent.value.status, headers: { ...sent.value.headers }, body: JSON.parse(sent.value.body) as T };
  }
}
