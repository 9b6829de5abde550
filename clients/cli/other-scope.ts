/**
 * A service with several registrations answers 401 with the scope of the registration that it expects of this caller. The
 * service is not trusted to name any scope: as at login, the scope must be an `access_as_user` of an API that is not
 * Microsoft's, and the API must not belong to another saved service.
 */
import { parseChallenge } from "./claims.ts";
import { isOwnScope } from "./discover-service.ts";
import { parseJsonObject, type Received } from "./send.ts";
import { audienceOf, conflictingServices, serviceConflict } from "./service-conflicts.ts";
import type { Settings } from "./settings.ts";

/** The scope to request instead of the saved one. Undefined: the response names no other scope that is acceptable. */
export function readOtherScope({ status, headers, text }: Received, settings: Settings): string | undefined {
  // A token that is not verifiable gets a generic answer, which names the scope of the default registration.
  if (status !== 401 || parseJsonObject(text)?.["code"] === "caller_refused") return undefined;
  const scope = parseChallenge(headers.get("www-authenticate") ?? "").get("scope");
  if (scope === undefined || scope === settings.scope || !isOwnScope(scope)) return undefined;
  return conflictingServices({ ...settings, scope }).length === 0 ? scope : undefined;
}

/** Throws if the token for another scope belongs to an API of another saved service. */
export function checkAudience(settings: Settings, accessToken: string): void {
  const others = conflictingServices(settings, audienceOf(accessToken));
  if (others.length > 0) throw serviceConflict(settings, others);
}
