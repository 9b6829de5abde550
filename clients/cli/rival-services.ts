/**
 * One API, one service. Two services that name the same scope would get tokens that are good at both, so the second one
 * could use at the first what a person gave to it. Any server can name any scope in its metadata.
 */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { listSavedSettings, type SavedSettings } from "./saved-settings.ts";
import { jsonObject } from "./send.ts";
import type { Settings } from "./settings.ts";

/** The other services that tokens for this scope, or with this audience, are good at. */
export function rivalsOf({ home, service, scope }: Settings, audience?: string): string[] {
  const ours = namesOf({ scope, ...(audience === undefined ? {} : { audience }) });
  const rivals = listSavedSettings(home).filter((saved) => namesOf(saved).some((name) => ours.includes(name)));
  return rivals.flatMap((saved) => (saved.service === undefined || saved.service === service ? [] : saved.service));
}

export function rivalry({ service, clientId }: Settings, [rival]: readonly string[]): CliFailure {
  return new CliFailure(
    EXIT.usage,
    "service_conflict",
    `${service} asks for tokens of the API that ${rival} is saved for, and could use them there. Nothing was kept. Only if your administrator says that the service has moved: --replace forgets ${rival}.`,
    { run: `gte login --service ${service} --client-id ${clientId} --replace` },
  );
}

/** Read for this comparison only; a token that cannot be read has no audience. */
export function audienceOf(accessToken: string): string | undefined {
  const payload = Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString("utf8");
  const audience = jsonObject(payload)?.["aud"];
  return typeof audience === "string" ? audience : undefined;
}

/** Entra compares App ID URIs without their case. */
function namesOf({ scope, audience }: Pick<SavedSettings, "scope" | "audience">): string[] {
  const names = [scope?.replace(/\/[^/]*$/, ""), audience];
  return names.flatMap((name) => name?.toLowerCase() ?? []);
}
