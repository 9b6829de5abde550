/** The arguments of `npm run registration`. */
import { usageFailure } from "../cli/cli-failure.ts";
import { parseOptions } from "../cli/parse-options.ts";

export interface Options {
  readonly policy: string;
  readonly json: boolean;
  readonly report: boolean;
  readonly offline: boolean;
  readonly tokenStdin: boolean;
  readonly tenantData: string | undefined;
  readonly parameters: string | undefined;
  readonly clientId: string | undefined;
  readonly appOnlyClientId: string | undefined;
  readonly graphUrl: string | undefined;
  /** Application permissions by the name of the API. */
  readonly appOnly: Readonly<Record<string, readonly string[]>>;
}

/** `program` is how the person started it. */
export const usage = (program: string) => `usage: ${program} <policy.json | tenant.bicepparam> [options]

  --parameters <file>        write the parameters of infra/entra/entra.bicep
  --report                   compare with the consent in the tenant
  --client-id <id>           CLIENT_ID, for --report (a .bicepparam file has it)
  --app-only <api>=<names>   application permissions, for client-credentials; may be repeated
  --app-only-client-id <id>  APP_ONLY_CLIENT_ID, for --report (a .bicepparam file has it)
  --tenant-data <file>       service principals from a file, for example of: az ad sp show --id <application id>
  --offline                  send no request
  --token-stdin              read the administrator's token for Microsoft Graph from standard input
  --graph-url <url>          Microsoft Graph; default: the one in the policy
  --json                     print JSON

The token comes from GTE_GRAPH_TOKEN_FILE if it is set, else from the Azure CLI (az login).
Exit code 0: nothing to do; 1: an unknown name, or consent that differs from the policy; 2: wrong usage; 3: sign in first;
4: Microsoft Graph refused; 5: Microsoft Graph is unavailable.`;

export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [policy, ...more] = positionals;
  if (policy === undefined || more.length > 0) throw usageFailure("Name one policy file.");
  if (values.report && values.offline) throw usageFailure("--report reads the tenant; omit --offline.");
  return {
    policy,
    json: values.json,
    report: values.report,
    offline: values.offline,
    tokenStdin: values["token-stdin"],
    tenantData: values["tenant-data"],
    parameters: values.parameters,
    clientId: values["client-id"]?.toLowerCase(),
    appOnlyClientId: values["app-only-client-id"]?.toLowerCase(),
    graphUrl: values["graph-url"] === undefined ? undefined : readGraphUrl(values["graph-url"]),
    appOnly: Object.fromEntries(values["app-only"].map(readAppOnly)),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  return parseOptions({
    args: [...args],
    allowPositionals: true,
    options: {
      parameters: text,
      report: flag,
      "client-id": text,
      "app-only": { type: "string", multiple: true, default: [] },
      "app-only-client-id": text,
      "tenant-data": text,
      offline: flag,
      "token-stdin": flag,
      "graph-url": text,
      json: flag,
    },
  });
}

function readAppOnly(text: string): [string, readonly string[]] {
  const [, api, names] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (api === undefined || names === undefined) {
    throw usageFailure("--app-only takes <api>=<permission>,<permission>, for example graph=User.Read.All");
  }
  return [api, names.split(",").filter((name) => name !== "")];
}

/** The token is sent to this address. */
function readGraphUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" && url.pathname === "/" && url.search === "" && url.username === "") return url.origin;
  throw usageFailure("--graph-url must be https with a host, without a path.");
}
