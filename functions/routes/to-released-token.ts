import type { ExchangeRequest } from "../../shared/core/exchange-request.ts";
import type { Exchange, ExchangeContext } from "../../shared/exchange/exchange-token.ts";
import type { ReleasedToken } from "../../shared/http/write-answer.ts";

/** The part of an exchange that a response may contain. */
export function toReleasedToken(
  exchange: Exchange,
  { correlationId }: ExchangeRequest,
  exchangeContext: ExchangeContext,
): ReleasedToken {
  return {
    token: exchange.token,
    usableUntilSeconds: exchange.usableUntilSeconds,
    api: exchange.entitlement.api,
    scopes: exchange.scopes,
    handle: exchange.grant?.handle,
    grantExpiresAtSeconds: exchange.grant?.expiresAtSeconds,
    correlationId,
    nowSeconds: exchangeContext.nowSeconds(),
  };
}
