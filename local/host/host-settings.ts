/** What the host itself reads in the app's settings. */
import type { HostJson } from "./host-json.ts";

export interface HostSettings {
  /** `AzureWebJobsDisableHomepage`: `/` is 204 instead of a page. */
  readonly homepageDisabled: boolean;
  /** `APPLICATIONINSIGHTS_CONNECTION_STRING`: requests have a trace context. */
  readonly insights: boolean;
  /** `LOCAL_PLAYGROUND_URL`: the server that answers `/` and `/playground/…` in place of the app. */
  readonly playgroundUrl: string | undefined;
}

export function readHostSettings(environment: NodeJS.ProcessEnv): HostSettings {
  return {
    homepageDisabled: environment["AzureWebJobsDisableHomepage"]?.toLowerCase() === "true",
    insights: Boolean(environment["APPLICATIONINSIGHTS_CONNECTION_STRING"]),
    playgroundUrl: environment["LOCAL_PLAYGROUND_URL"] || undefined,
  };
}

/** With Application Insights the host adds a header to every answer. Without a connection to it, the value is empty. */
export function withRequestContext(hostJson: HostJson, { insights }: HostSettings): HostJson {
  return insights
    ? { ...hostJson, customHeaders: [...hostJson.customHeaders, ["request-context", "appId="]] }
    : hostJson;
}
