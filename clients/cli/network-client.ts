/** Sends MSAL's requests with `send`, because MSAL's own network client has no timeout. */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import type { Network } from "./network.ts";
import { parseJsonObject, send } from "./send.ts";

export interface RecordingNetwork extends INetworkModule {
  /** Why the last request failed. MSAL only reports "network error". */
  failure(): CliFailure | undefined;
  /** The error of Entra's last response, if any. MSAL ignores errors of the device code endpoint. */
  refusal(): string | undefined;
}

export function createNetworkClient(network: Network): RecordingNetwork {
  let failure: CliFailure | undefined;
  let refusal: string | undefined;
  const request = async <T>(
    method: string,
    url: string,
    options?: NetworkRequestOptions,
  ): Promise<NetworkResponse<T>> => {
    failure = undefined;
    try {
      const { headers = {}, body } = options ?? {};
      const received = await send({ url, method, headers, network, ...(body === undefined ? {} : { body }) });
      const parsed = parseJsonObject(received.text);
      if (parsed === undefined) throw notJsonFailure(received.status, url);
      const { error, error_description: description = error } = parsed;
      refusal = typeof error === "string" ? String(description) : undefined;
      return { status: received.status, headers: Object.fromEntries(received.headers), body: parsed as T };
    } catch (error) {
      failure = error instanceof CliFailure ? error : undefined;
      throw error;
    }
  };
  return {
    failure: () => failure,
    refusal: () => refusal,
    sendGetRequestAsync: (url, options) => request("GET", url, options),
    sendPostRequestAsync: (url, options) => request("POST", url, options),
  };
}

/** Entra throttles with plain text, and proxies report errors as text. */
function notJsonFailure(status: number, url: string): CliFailure {
  return new CliFailure(EXIT.unavailable, "entra_unavailable", `${new URL(url).host} returned ${status} without JSON.`);
}
