/** The arguments of `npm run connector`. */
import { isGuid } from "../../shared/core/guid.ts";
import { usageFailure } from "../cli/cli-failure.ts";
import { parseOptions } from "../cli/parse-options.ts";
import type { Deployment } from "./fill-files.ts";

export type Command =
  | {
      readonly name: "check";
      readonly folder: string;
      readonly registration: string | undefined;
      readonly credentials: string | undefined;
      readonly before: string | undefined;
      readonly others: readonly string[];
    }
  | { readonly name: "fill"; readonly folder: string; readonly deployment: Deployment }
  | {
      readonly name: "parameters";
      readonly folder: string;
      readonly connector: string;
      readonly issuer: string;
      readonly subject: string;
    };

/** `program` is how the person started it. */
export const usage = (program: string) => `usage: ${program} <command> <folder> [options]

  fill <new folder>            write the files to import, for your deployment
    --service-url <url>        URL of the service
    --tenant-id <id>           id of the tenant
    --app-id-uri <uri>         App ID URI of the service (output appIdUri of entra.bicep)
    --client-id <id>           client id of the connector (output powerPlatformConnectors of entra.bicep)

  parameters <exported folder> print the parameter powerPlatform of entra.bicep, for its second run
    --name <name>              name of the connector in that parameter
    --issuer <url>             as the connector shows it after its first save
    --subject <text>           as the connector shows it after its first save

  check <exported folder>      name what keeps the connector from working
    --registration <file>      output of: az ad app show --id <client id of the connector>
    --credentials <file>       output of: az ad app federated-credential list --id <client id of the connector>
    --before <folder>          the connector as it was exported before a change
    --other <folder>           another connector of the environment; may be repeated

Exit code 0: no error; 1: the check found one; 2: wrong usage.`;

export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [name, folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw usageFailure("Name a command and one folder.");
  const needed = (option: keyof typeof values) => {
    const value = values[option];
    if (typeof value !== "string" || value === "") throw usageFailure(`${name} needs --${option}.`);
    return value;
  };
  switch (name) {
    case "check": {
      const { registration, credentials, before, other: others } = values;
      return { name, folder, registration, credentials, before, others };
    }
    case "fill": {
      const deployment = {
        serviceUrl: needed("service-url"),
        tenantId: needed("tenant-id"),
        appIdUri: needed("app-id-uri"),
        clientId: needed("client-id"),
      };
      return { name, folder, deployment: checked(deployment) };
    }
    case "parameters": {
      const [connector, issuer, subject] = [needed("name"), needed("issuer"), needed("subject")];
      return { name, folder, connector, issuer, subject };
    }
    default:
      throw usageFailure("The commands are check, fill and parameters.");
  }
}

// ---------------------------------------------------------------------------------------------------------------

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  return parseOptions({
    args: [...args],
    allowPositionals: true,
    options: {
      registration: text,
      credentials: text,
      before: text,
      other: { type: "string", multiple: true, default: [] },
      "service-url": text,
      "tenant-id": text,
      "app-id-uri": text,
      "client-id": text,
      name: text,
      issuer: text,
      subject: text,
    },
  });
}

function checked(deployment: Deployment): Deployment {
  const { serviceUrl, tenantId, clientId, appIdUri } = deployment;
  const url = URL.canParse(serviceUrl) ? new URL(serviceUrl) : undefined;
  if (url?.protocol !== "https:" || url.pathname !== "/") {
    throw usageFailure("--service-url must be https with a host, without a path.");
  }
  for (const [option, value] of [
    ["tenant-id", tenantId],
    ["client-id", clientId],
  ] as const) {
    if (!isGuid(value)) throw usageFailure(`--${option} must be a GUID.`);
  }
  if (!URL.canParse(appIdUri)) throw usageFailure("--app-id-uri must be a URI, for example api://…");
  return deployment;
}
