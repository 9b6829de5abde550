/** Reads the consent of every registration and compares it with the policy. */
import { usageFailure } from "../cli/cli-failure.ts";
import type { ConsentFinding } from "./consent-finding.ts";
import { consentFindings } from "./consent-report.ts";
import type { FindApi } from "./find-api.ts";
import type { GraphClient } from "./graph-client.ts";
import { createMendingCommands } from "./mending-commands.ts";
import { readConsent } from "./read-consent.ts";
import { DEFAULT_REGISTRATION } from "./required-permissions.ts";
import type { ResolvedRegistration } from "./resolve-registrations.ts";
import type { PrincipalIds } from "./template-parameters.ts";

export interface RegistrationReport {
  readonly registration: ResolvedRegistration;
  readonly findings: readonly ConsentFinding[];
}

export interface TenantAccess {
  readonly graph: GraphClient;
  readonly find: FindApi;
  /** Object ids of the calling applications. */
  readonly principals: PrincipalIds;
}

export async function readReports(
  registrations: readonly ResolvedRegistration[],
  { graph, find, principals }: TenantAccess,
): Promise<RegistrationReport[]> {
  const commands = createMendingCommands(graph.url);
  const reports: RegistrationReport[] = [];
  for (const registration of registrations) {
    if (registration.callers.length === 0) continue;
    const { name, clientId } = registration;
    if (clientId === undefined) {
      const option = name === DEFAULT_REGISTRATION ? "--client-id" : "--app-only-client-id";
      throw usageFailure(`The report needs the client id of the registration ${name}: ${option} <id>`);
    }
    const consent = await readConsent(graph, find, clientId);
    // The mending command names the API's service principal in this tenant.
    const inTenant = consent === undefined ? registration : await withObjectIds(registration, find);
    const findings =
      consent === undefined
        ? [withoutPrincipal(registration, clientId)]
        : consentFindings({ registration: inTenant, consent, commands, principals });
    reports.push({ registration, findings });
  }
  return reports;
}

// ---------------------------------------------------------------------------------------------------------------

async function withObjectIds(registration: ResolvedRegistration, find: FindApi): Promise<ResolvedRegistration> {
  const apis = await Promise.all(
    registration.apis.map(async (api) => ({ ...api, objectId: api.objectId ?? (await find(api.appId))?.objectId })),
  );
  return { ...registration, apis };
}

function withoutPrincipal({ callers }: ResolvedRegistration, clientId: string): ConsentFinding {
  return {
    kind: "missing",
    what: `the service principal of ${clientId}`,
    effects: callers.map(({ name }) => ({
      caller: name,
      code: "no_service_principal",
      text: "AADSTS500011 from Entra: no token for this registration",
    })),
    mend: [`az ad sp create --id ${clientId}`],
  };
}
