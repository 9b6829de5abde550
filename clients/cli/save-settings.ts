/** Saves what `login`, or a service that named another scope, determined, so that later commands need no options. */
import { writeServiceSettings } from "./saved-settings.ts";
import type { Settings } from "./settings.ts";

/** `audience`: of the token that Entra issued for the scope. Undefined: the token is not a JWT. */
export function saveSettings(settings: Settings, audience: string | undefined): void {
  const { home, service, clientId, authority, scope, caFile, apis } = settings;
  writeServiceSettings(home, {
    service,
    clientId,
    authority,
    scope,
    ...(audience === undefined ? {} : { audience }),
    ...(caFile === undefined ? {} : { caFile }),
    apis,
  });
}
