/**
 * Each API belongs to one saved service. A token for a scope is valid at every service that uses this scope, and any
 * server can name any scope in its metadata. A hostile second service could therefore use the person's token at the first.
 */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { listSavedSettings, type SavedSettings } from "./saved-settings.ts";
import { parseJsonObject } from "./send.ts";
import type { Settings } from "./settings.ts";

/** The other saved services that accept tokens with this scope or this audience. */
export function conflictingServices({ home, service, scope }: Settings, audience?: string): string[] {
  const names = namesOf({ scope, ...(audience === undefined ? {} : { audience }) });
  const others = listSavedSettings(home).filter((saved) => namesOf(saved).some((name) => names.includes(name)));
  return others.flatMap((saved) => (saved.service === undefined || saved.service === service ? [] : saved.service));
}

export function serviceConflict({ service, clientId }: Settings, [other]: readonly string[]): CliFailure {
  return new CliFailure(
    EXIT.usage,
    "service_conflict",
    `${service} uses the same API as ${other}, which is already saved, so it could use your tokens there. Nothing was saved. If your administrator says that the service has moved, use --replace, which deletes ${other}.`,
    { run: `gte login --service ${service} --client-id ${clientId} --replace` },
  );
}

/** Used only for this comparison. Undefined if the token is not a JWT. */
export function audienceOf(accessToken: string): string | undefined {
  const payload = Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString("utf8");
  const audience = parseJsonObject(payload)?.["aud"];
  return typeof audience === "string" ? audience : undefined;
}

/** Entra compares App ID URIs case-insensitively. */
function namesOf({ scope, audience }: Pick<SavedSettings, "scope" | "audience">): string[] {
  const names = [scope?.replace(/\/[^/]*$/, ""), audience];
  return names.flatMap((name) => name?.toLowerCase() ?? []);
}
