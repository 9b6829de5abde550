/** The start of the service: with a policy from the settings, or with the versions of a policy in a blob. */
import type { Config, PolicyLocation } from "../../shared/config/config.ts";
import type { PolicySource } from "../../shared/policy-source/policy-source.ts";
import { composeService, type Service } from "./compose.ts";
import type { Foundation } from "./foundation.ts";
import { once } from "./once.ts";
import { outboundFor } from "./outbound-for.ts";
import { createPolicyVersions, type PolicyVersions } from "./policy-versions.ts";

/** The managed identity's token for the storage of every cloud. */
const STORAGE_SCOPE = "https://storage.azure.com/.default";

type BlobLocation = Extract<PolicyLocation, { kind: "blob" }>;

/** The versions of the service under a policy in a blob. The first read begins at once, in the background. */
export function composeVersions<Version>(
  foundation: Foundation,
  { url, configFor }: BlobLocation,
  toVersion: (service: Service, isLoaded: boolean) => Version,
): PolicyVersions<Version> {
  const { fixed, nowMs, operatorLog } = foundation;
  const unloaded: Config = {
    ...fixed,
    registrations: [fixed.delegated],
    policy: { apis: {}, registrations: {}, callers: [] },
    policyHash: undefined,
  };
  return createPolicyVersions({
    source: createSource(foundation, url),
    configFor,
    create: (config, state) => toVersion(composeService(foundation, config ?? unloaded, state), config !== undefined),
    nowMs,
    operatorLog,
  });
}

// ---------------------------------------------------------------------------------------------------------------

/** The code that reads the blob is a lazy chunk, because most deployments have their policy in a setting. */
function createSource({ azure, outbound }: Foundation, url: string): PolicySource {
  const accessToken = async () => {
    const token = await (await azure.identity()).getToken(STORAGE_SCOPE);
    if (token === null) throw new Error("The managed identity returned no token.");
    return token.token;
  };
  const source = once(async () => {
    const [{ createBlobPolicySource }, outboundForUrl] = await Promise.all([
      import("../../shared/policy-source/blob-policy-source.ts"),
      outboundFor(outbound, url),
    ]);
    return createBlobPolicySource({ url, outbound: outboundForUrl, accessToken });
  });
  return { read: async (knownEtag) => (await source()).read(knownEtag) };
}
