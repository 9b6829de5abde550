/** The service's header payload, checked: what goes into the next request, and the token in it. */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import type { ServiceClient } from "./service-client.ts";

export interface HeaderPayload {
  readonly headers: Readonly<Record<string, string>>;
  readonly accessToken: string;
  readonly expiresOn: unknown;
  readonly scopes: unknown;
}

export interface HeaderWish {
  readonly scopes?: readonly string[];
  readonly claims?: string | undefined;
  readonly forceRefresh?: boolean;
}

export async function askForHeader(service: ServiceClient, api: string, wish: HeaderWish = {}): Promise<HeaderPayload> {
  const { headers, expiresOn, scopes } = await service.ask({
    path: `/AuthorizationHeader/${encodeURIComponent(api)}`,
    json: wish,
  });
  const checked = isHeaders(headers) ? headers : {};
  const accessToken = /^Bearer ([\x21-\x7e]+)$/.exec(checked["Authorization"] ?? "")?.[1];
  if (accessToken === undefined) {
    throw new CliFailure(EXIT.unavailable, "answer_invalid", "The service gave no header to use.");
  }
  return { headers: checked, accessToken, expiresOn, scopes };
}

function isHeaders(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}
