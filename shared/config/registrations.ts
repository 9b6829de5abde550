/**
 * The registrations of a deployment: the one of the settings, and those of the policy. Their client ids and App ID URIs
 * are all different, because a token's audience decides which registration it is for. Pure.
 */
import { DEFAULT_REGISTRATION } from "../core/registration-names.ts";
import type { Policy, PolicyDraft, RegistrationRule } from "../policy/rules.ts";
import type { CredentialMode, DelegatedRegistrationConfig, RegistrationConfigs } from "./config.ts";
import type { SettingName } from "./settings.ts";

type Values = ReadonlyMap<SettingName, string>;

/** Settings of the right form, and the readable part of the policy. */
export interface Draft {
  readonly values: Values;
  readonly policy: PolicyDraft;
  /** False: a member that is absent from the draft may have the wrong form, which is reported already. */
  readonly isPolicyValid: boolean;
}

/** The registration of settings without contradictions. */
export function toDefaultRegistration(values: Values): DelegatedRegistrationConfig {
  const get = (name: SettingName) => values.get(name) ?? "";
  const clientId = get("CLIENT_ID").toLowerCase();
  return {
    name: DEFAULT_REGISTRATION,
    clientId,
    appIdUri: values.get("APP_ID_URI") ?? defaultAppIdUri(clientId),
    credential: credentialMode(get, "CLIENT_SECRET_NAME", "CLIENT_CERTIFICATE_NAME"),
  };
}

/** All registrations of a deployment. The policy has no contradictions. */
export function toRegistrations(delegated: DelegatedRegistrationConfig, policy: Policy): RegistrationConfigs {
  return [delegated, ...Object.entries(policy.registrations).map(toRegistration)];
}

/** The credential of a registration of the settings. */
export function credentialMode(
  get: (name: SettingName) => string,
  secret: SettingName,
  certificate: SettingName,
): CredentialMode {
  switch (get("CLIENT_CREDENTIAL")) {
    case "key-vault-secret":
      return { kind: "key-vault-secret", secretName: get(secret) };
    case "key-vault-certificate":
      return { kind: "key-vault-certificate", certificateName: get(certificate) };
    default:
      return { kind: "managed-identity" };
  }
}

/** Contradictions between the registrations of the settings, those of the policy, and its callers. */
export function registrationProblems({ values, policy, isPolicyValid }: Draft): string[] {
  const clientId = values.get("CLIENT_ID")?.toLowerCase();
  const problems: string[] = [];
  if (clientId !== undefined && values.get("APP_ONLY_CLIENT_ID")?.toLowerCase() === clientId) {
    problems.push(
      "APP_ONLY_CLIENT_ID must differ from CLIENT_ID: it must be a registration without delegated permissions",
    );
  }
  for (const setting of ["CLIENT_ID", "APP_ONLY_CLIENT_ID"] as const) {
    const own = values.get(setting)?.toLowerCase();
    if (own !== undefined && policy.callers.some((entry) => entry.clientId === own)) {
      problems.push(
        `POLICY must not list ${setting} as a caller: the service refuses tokens that were issued to itself`,
      );
    }
  }
  const registrations = Object.entries(policy.registrations ?? {});
  const isRead = (registration: object) => isPolicyValid || Object.hasOwn(registration, "credential");
  return [
    ...problems,
    ...registrations.flatMap(([name, registration]) => [
      ...identityProblems(name, registration, values),
      ...(isRead(registration) ? credentialProblems(name, registration, values.get("CLIENT_CREDENTIAL")) : []),
    ]),
  ];
}

/** What Entra proposes as App ID URI. */
function defaultAppIdUri(clientId: string): string {
  return `api://${clientId}`;
}

// ---------------------------------------------------------------------------------------------------------------

function toRegistration([name, rule]: [string, RegistrationRule]): DelegatedRegistrationConfig {
  const { clientId, appIdUri = defaultAppIdUri(clientId) } = rule;
  return { name, clientId, appIdUri, credential: toCredentialMode(rule) };
}

function toCredentialMode({ credential }: RegistrationRule): CredentialMode {
  if (credential === undefined) return { kind: "managed-identity" };
  return "secretName" in credential
    ? { kind: "key-vault-secret", secretName: credential.secretName }
    : { kind: "key-vault-certificate", certificateName: credential.certificateName };
}

/** A registration of the policy must not be one of the settings. */
function identityProblems(name: string, registration: Partial<RegistrationRule>, values: Values): string[] {
  const at = `POLICY registrations.${name}`;
  const { clientId } = registration;
  if (clientId === undefined) return [];
  const settings = (["CLIENT_ID", "APP_ONLY_CLIENT_ID"] as const).filter(
    (setting) => values.get(setting)?.toLowerCase() === clientId,
  );
  const appIdUri = (registration.appIdUri ?? defaultAppIdUri(clientId)).toLowerCase();
  const ofSettings = [values.get("APP_ID_URI") ?? "", defaultAppIdUri(values.get("CLIENT_ID") ?? "")];
  return [
    ...settings.map((setting) => `${at}.clientId must differ from ${setting}: each registration has its own client id`),
    ...(settings.length === 0 && ofSettings.some((own) => own.toLowerCase() === appIdUri)
      ? [`${at}.appIdUri must differ from APP_ID_URI: it is the App ID URI of the registration ${DEFAULT_REGISTRATION}`]
      : []),
  ];
}

/** The member of `credential` that each mode needs. */
const CREDENTIAL_MEMBERS: Readonly<Record<string, "secretName" | "certificateName">> = {
  "key-vault-secret": "secretName",
  "key-vault-certificate": "certificateName",
};

function credentialProblems(name: string, rule: Partial<RegistrationRule>, mode: string | undefined): string[] {
  if (mode === undefined) return [];
  const at = `POLICY registrations.${name}`;
  const needed = CREDENTIAL_MEMBERS[mode];
  const { credential } = rule;
  if (needed === undefined) {
    return credential === undefined
      ? []
      : [`${at}.credential must not be set with CLIENT_CREDENTIAL=${mode}: the managed identity is the credential`];
  }
  return credential !== undefined && needed in credential
    ? []
    : [`${at}.credential must be { "${needed}": … } with CLIENT_CREDENTIAL=${mode}`];
}
