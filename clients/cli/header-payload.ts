/** Requests the header object from the service and validates it. */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import type { ServiceClient } from "./service-client.ts";

export interface HeaderPayload {
  readonly headers: Readonly<Record<string, string>>;
  readonly accessToken: string;
  readonly expiresOn: unknown;
  readonly scopes: unknown;
}

export interface HeaderParameters {
  readonly scopes?: readonly string[];
  readonly claims?: string | undefined;
  readonly forceRefresh?: boolean;
}

export async function requestHeader(
  service: ServiceClient,
  api: string,
  parameters: HeaderParameters = {},
): Promise<HeaderPayload> {
  const { headers, expiresOn, scopes } = await service.request({
    path: `/AuthorizationHeader/${encodeURIComponent(api)}`,
    json: parameters,
  });
  const checked = isHeaders(headers) ? headers : {};
  const accessToken = /^Bearer ([\x21-\x7e]+)$/.exec(checked["Authorization"] ?? "")?.[1];
  if (accessToken === undefined) {
    throw new CliFailure(
      EXIT.unavailable,
      "answer_invalid",
      "The service's response contains no Authorization header.",
    );
  }
  return { headers: checked, accessToken, expiresOn, scopes };
}

function isHeaders(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}
