/**
 * A stand-in for the Azure CLI. It keeps what was made, records every command, and fails as a scenario says. Used in this
 * process, and as the program `az` on the path (az-program.ts).
 */
import { readFileSync } from "node:fs";

export interface Failure {
  /** A part of the command line, as a regular expression. */
  readonly command: string;
  /** How often the command fails before it works. */
  times: number;
  /** What the CLI writes to standard error. */
  readonly error: string;
}

export interface Cloud {
  readonly commands: string[];
  /** Everything that was made, once for each time. A change of what exists is not here. */
  readonly made: string[];
  readonly failures: Failure[];
  readonly registered: string[];
  roleAssignments: string[];
  secrets: string[];
  /** Redirect URI of the registration. */
  callback?: string;
  /** What differs from an empty subscription with all rights. */
  answers: Answers;
}

export interface Answers {
  cliVersion?: string;
  runtimes?: string[];
  actions?: string[];
  /** Of the subscription, if they differ. */
  subscriptionActions?: string[];
  directoryRoles?: string[];
  nameAvailable?: boolean;
  deletedVaults?: string[];
  storageAccounts?: number;
  isPerson?: boolean;
  subjects?: string[];
  redirectUri?: string;
  tenantId?: string;
  serviceUrl?: string;
  principalId?: string;
}

export const TENANT = "00000000-0000-4000-8000-00000000000b";
export const SUBSCRIPTION = "00000000-0000-4000-8000-00000000000a";
export const PRINCIPAL = "55555555-5555-4555-8555-555555555555";
export const ADMINISTRATOR = "44444444-4444-4444-8444-444444444444";
export const REGISTERED_CLIENT_ID = "aaaaaaaa-0000-4000-8000-000000000001";
export const VAULT_TOKEN = "eyJhbGciOiJub25lIn0.vault-token.signature";
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-gte-contoso`;
const IDENTITY = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-contoso`;
const APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";

export function createCloud(answers: Answers = {}): Cloud {
  return { commands: [], made: [], failures: [], registered: [], roleAssignments: [], secrets: [], answers };
}

export interface StandInAnswer {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** Runs one command. */
export function answerAz(cloud: Cloud, args: readonly string[]): StandInAnswer {
  const command = args.join(" ");
  cloud.commands.push(command);
  const failure = cloud.failures.find((one) => one.times > 0 && new RegExp(one.command).test(command));
  if (failure !== undefined) {
    failure.times -= 1;
    return { code: 1, out: "", errors: `WARNING: a preview\nERROR: ${failure.error}\n` };
  }
  const route = ROUTES.find(([pattern]) => pattern.test(command));
  if (route === undefined) return { code: 2, out: "", errors: `ERROR: the stand-in has no answer to: az ${command}` };
  const answer = route[1](cloud, args);
  const isText = typeof answer === "string" && !command.endsWith("--output json");
  return { code: 0, out: isText ? answer : JSON.stringify(answer ?? null), errors: "" };
}

// ---------------------------------------------------------------------------------------------------------------

type Route = readonly [RegExp, (cloud: Cloud, args: readonly string[]) => unknown];

const option = (args: readonly string[], name: string) => args[args.indexOf(name) + 1] ?? "";
const output = (values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));

function make(cloud: Cloud, what: string): void {
  if (!cloud.made.includes(what)) cloud.made.push(what);
}

const exists = (cloud: Cloud, what: string) => cloud.made.includes(what);

const READS: readonly Route[] = [
  [
    /^account show/,
    ({ answers }) => ({
      id: SUBSCRIPTION,
      tenantId: answers.tenantId ?? TENANT,
      user: { name: "admin@contoso.example", type: answers.isPerson === false ? "servicePrincipal" : "user" },
    }),
  ],
  [/^account get-access-token --resource https:\/\/vault\.azure\.net /, () => `${VAULT_TOKEN}\n`],
  [/^version/, ({ answers }) => ({ "azure-cli": answers.cliVersion ?? "2.76.0" })],
  [/^cloud show/, () => "AzureCloud"],
  [/^group list/, (cloud) => (exists(cloud, "group") ? ["westeurope"] : [])],
  [
    /^rest --method get .*Microsoft\.Authorization\/permissions/,
    ({ answers }, args) => {
      const ofGroup = option(args, "--url").includes("/resourceGroups/");
      const actions = (ofGroup ? undefined : answers.subscriptionActions) ?? answers.actions ?? ["*"];
      return { value: [{ actions, notActions: [] }] };
    },
  ],
  [/^rest .*transitiveMemberOf/, ({ answers }) => answers.directoryRoles ?? [APPLICATION_ADMINISTRATOR]],
  [
    /^provider list/,
    ({ registered }) =>
      ["Microsoft.Web", "Microsoft.Storage", ...registered].map((namespace) => ({ namespace, state: "Registered" })),
  ],
  [/^functionapp list-flexconsumption-runtimes/, ({ answers }) => answers.runtimes ?? ["22", "24"]],
  [/^storage account show-usage/, ({ answers }) => ({ currentValue: answers.storageAccounts ?? 3, limit: 250 })],
  [/^storage account list/, (cloud) => (exists(cloud, "service") ? ["stcontoso123"] : [])],
  [
    /^resource list/,
    (cloud) => (exists(cloud, "service") ? ["func-contoso-123", "kv-contoso-123", "stcontoso123"] : []),
  ],
  [/checkNameAvailability|check-name/, ({ answers }) => ({ nameAvailable: answers.nameAvailable ?? true })],
  [/^keyvault list-deleted/, ({ answers }) => answers.deletedVaults ?? []],
  [
    /^rest .*\/applications\?/,
    (cloud) =>
      exists(cloud, "application") || cloud.answers.redirectUri !== undefined
        ? [{ id: "object-1", web: { redirectUris: [cloud.answers.redirectUri ?? cloud.callback] } }]
        : [],
  ],
  [
    /^rest .*\/federatedIdentityCredentials/,
    (cloud) =>
      (cloud.answers.subjects ?? (exists(cloud, "credential") ? [PRINCIPAL] : [])).map((subject) => ({ subject })),
  ],
  [/^identity list/, (cloud) => (exists(cloud, "identity") ? [{ id: IDENTITY, principalId: PRINCIPAL }] : [])],
  [/^deployment group list/, (cloud) => (exists(cloud, "service") ? ["gte-service"] : [])],
  [/^deployment group show/, (cloud) => serviceOutputs(cloud)],
  [/^deployment group what-if/, () => "Resource changes: 28 to create.\n"],
  [/^ad (signed-in-user|sp) show/, () => ADMINISTRATOR],
  [/^role assignment list/, ({ roleAssignments }) => roleAssignments],
  [/^rest --method get .*\/vaults\/kv-contoso-123\/secrets/, ({ secrets }) => secrets],
];

const serviceOutputs = ({ answers }: Cloud) =>
  output({
    appName: "func-contoso-123",
    serviceUrl: answers.serviceUrl ?? "https://func-contoso-123.azurewebsites.net",
    vaultUrl: "https://kv-contoso-123.vault.azure.net",
    policyUrl: "",
    principalId: answers.principalId ?? PRINCIPAL,
  });

const WRITES: readonly Route[] = [
  [/^provider register/, ({ registered }, args) => void registered.push(option(args, "--namespace"))],
  [/^group create/, (cloud) => make(cloud, "group")],
  [
    /^deployment group create .*--name gte-identity/,
    (cloud) => {
      make(cloud, "identity");
      return output({ resourceId: IDENTITY, principalId: PRINCIPAL });
    },
  ],
  [
    /^deployment group create .*--name gte-applications/,
    (cloud, args) => {
      readFileSync(args.find((arg) => arg.startsWith("@"))?.slice(1) ?? "");
      cloud.callback = `${args.find((arg) => arg.startsWith("serviceUrl="))?.slice(11)}/oauth2/callback`;
      make(cloud, "application");
      return registrationOutputs();
    },
  ],
  [
    /^deployment group create .*--name gte-registrations/,
    (cloud) => {
      make(cloud, "credential");
      return registrationOutputs();
    },
  ],
  [
    /^deployment group create .*--name gte-service/,
    (cloud) => {
      make(cloud, "service");
      return serviceOutputs(cloud);
    },
  ],
  [
    /^role assignment create/,
    (cloud, args) => {
      cloud.roleAssignments.push(option(args, "--name"));
    },
  ],
  [
    /^role assignment delete/,
    (cloud, args) => {
      const name = option(args, "--ids").split("/").at(-1);
      if (!cloud.roleAssignments.some((one) => one === name)) throw new Error("There is no such role assignment.");
      cloud.roleAssignments = cloud.roleAssignments.filter((one) => one !== name);
    },
  ],
  [/^functionapp deployment source config-zip/, (cloud) => void cloud.made.push("package")],
];

const registrationOutputs = () =>
  output({
    registrations: [{ name: "", clientId: REGISTERED_CLIENT_ID, appIdUri: `api://${TENANT}/graph-token-exchange` }],
    commandLineClientId: "aaaaaaaa-0000-4000-8000-000000000002",
  });

const ROUTES: readonly Route[] = [...READS, ...WRITES];
