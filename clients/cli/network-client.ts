/** MSAL's requests through our bounded `send`: its own client would wait for ever. */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { jsonObject, send } from "./send.ts";

export interface RecordingNetwork extends INetworkModule {
  /** Why the last request failed; MSAL only says that there was a network error. */
  failure(): CliFailure | undefined;
  /** What Entra said in its last answer, if that was an error; MSAL overlooks it when a device code is asked for. */
  refusal(): string | undefined;
}

export function createNetworkClient(timeoutMs: number): RecordingNetwork {
  let failure: CliFailure | undefined;
  let refusal: string | undefined;
  const ask = async <T>(method: string, url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> => {
    failure = undefined;
    try {
      const { headers = {}, body } = options ?? {};
      const received = await send({ url, method, headers, timeoutMs, ...(body === undefined ? {} : { body }) });
      const parsed = jsonObject(received.text);
      if (parsed === undefined) throw noJson(received.status, url);
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
    sendGetRequestAsync: (url, options) => ask("GET", url, options),
    sendPostRequestAsync: (url, options) => ask("POST", url, options),
  };
}

/** A throttle of Entra's is plain text; so is whatever a proxy says. */
function noJson(status: number, url: string): CliFailure {
  return new CliFailure(EXIT.unavailable, "entra_unavailable", `${new URL(url).host} answered ${status} without JSON.`);
}
