/**
 * The initial content of the directory: users, registrations, consents and role assignments. Ids are constants
 * (`seed-ids.ts`). Every secret and password is random at each start.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  type ClientSecret,
  type Consent,
  createDirectory,
  type Directory,
  type Registration,
  type RoleAssignment,
  type User,
} from "./directory.ts";
import {
  CLIENT_IDS,
  OBJECT_IDS,
  RESOURCE_URIS,
  type RegistrationName,
  TENANT_DOMAIN,
  TENANT_ID,
  USER_IDS,
} from "./seed-ids.ts";

export interface SeedOptions {
  url: string;
  nowMs: number;
  /** The address of the service under test. Its callback is registered as a redirect URI. */
  serviceUrl: string;
}

const TWO_YEARS_MS = 2 * 365 * 24 * 3_600_000;
const OIDC_SCOPES = ["openid", "profile", "email", "offline_access"];

export function createSeedDirectory(options: SeedOptions): Directory {
  return createDirectory({
    users: seedUsers(),
    registrations: [
      ...seedResources(),
      ...seedService(options),
      ...seedCallers(options),
      ...seedIdentities(),
      ...seedAgents(options),
    ],
    consents: seedConsents(),
    roleAssignments: seedRoleAssignments(),
  });
}

export function randomSecret(nowMs: number, lifetimeMs = TWO_YEARS_MS): ClientSecret {
  const value = `${randomBytes(2).toString("hex").slice(0, 3)}8Q~${randomBytes(24).toString("base64url")}`;
  return { keyId: randomUUID(), value, expiresAtMs: nowMs + lifetimeMs, refusedUses: 0 };
}

function seedUsers(): User[] {
  return [
    seedUser("alice", "Alice", "Archer"),
    seedUser("bob", "Bob", "Baker"),
    seedUser("carol", "Carol", "Clark"),
    {
      ...seedUser("dave", "Dave", "Dunn"),
      guest: true,
      idp: "https://sts.windows.net/fab41ca0-0000-4000-8000-000000000000/",
    },
    seedUser("erin", "Erin", "Evans"),
  ];
}

function seedUser(name: keyof typeof USER_IDS, givenName: string, familyName: string): User {
  return {
    name,
    oid: USER_IDS[name],
    username: `${name}@${TENANT_DOMAIN}`,
    password: randomBytes(15).toString("base64url"),
    displayName: `${givenName} ${familyName}`,
    givenName,
    familyName,
    guest: false,
    disabled: false,
    locked: false,
    passwordExpired: false,
    tokensValidFromMs: 0,
  };
}

function registration(name: RegistrationName, displayName: string, extra: Partial<Registration> = {}): Registration {
  return {
    name,
    displayName,
    clientId: CLIENT_IDS[name],
    objectId: OBJECT_IDS[name],
    appIdUris: [],
    tokenVersion: 2,
    scopes: [],
    appRoles: [],
    optionalClaims: { idtyp: false, idtypUser: false, acct: false, xmsCc: false },
    longLivedTokens: false,
    publicClient: false,
    blueprint: undefined,
    allowPublicClientFlows: false,
    disabled: false,
    assignmentRequired: false,
    secrets: [],
    certificates: [],
    federatedCredentials: [],
    redirectUris: [],
    requiredAccess: {},
    ...extra,
  };
}

/** Microsoft Graph, Key Vault, Azure Storage, the token exchange audience, and the tenant's Orders API. */
function seedResources(): Registration[] {
  return [
    registration("graph", "Microsoft Graph", {
      appIdUris: [RESOURCE_URIS.graph],
      tokenVersion: 1,
      scopes: [
        ...OIDC_SCOPES,
        "User.Read",
        "User.Read.All",
        "User.ReadBasic.All",
        "Mail.Read",
        "User.ReadWrite",
        "Mail.Send",
        "Mail.ReadWrite",
        "Files.Read",
        "Files.ReadWrite",
      ],
      appRoles: ["User.Read.All", "Mail.Read"],
      optionalClaims: { idtyp: true, idtypUser: true, acct: true, xmsCc: true },
      longLivedTokens: true,
    }),
    registration("vault", "Azure Key Vault", {
      appIdUris: [RESOURCE_URIS.vault],
      tokenVersion: 1,
      scopes: ["user_impersonation"],
    }),
    registration("storage", "Azure Storage", { appIdUris: [RESOURCE_URIS.storage], tokenVersion: 1 }),
    registration("eventGrid", "Microsoft.EventGrid", { appIdUris: [RESOURCE_URIS.eventGrid], tokenVersion: 1 }),
    registration("tokenExchange", "AAD Token Exchange Endpoint", { appIdUris: [RESOURCE_URIS.tokenExchange] }),
    registration("orders", "Contoso Orders", {
      appIdUris: [RESOURCE_URIS.orders],
      scopes: ["Orders.Read", "Orders.Write"],
      appRoles: ["Orders.Read.All"],
    }),
  ];
}

/** The registrations of the service: with many delegated rights, with few, and for application tokens. */
function seedService({ url, nowMs, serviceUrl }: SeedOptions): Registration[] {
  const federatedCredentials = [OBJECT_IDS.systemIdentity, OBJECT_IDS.userIdentity].map((subject) => ({
    issuer: `${url}/${TENANT_ID}/v2.0`,
    subject,
    audience: RESOURCE_URIS.tokenExchange,
  }));
  const delegated = (appIdUri: string) => ({
    appIdUris: [appIdUri],
    scopes: ["access_as_user"],
    appRoles: ["Exchange.Call", "Grant.Admin", "Grant.Create", "Policy.Explain"],
    optionalClaims: { idtyp: true, idtypUser: false, acct: true, xmsCc: true },
    secrets: [randomSecret(nowMs)],
    federatedCredentials,
    redirectUris: [`${serviceUrl}/oauth2/callback`],
  });
  return [
    registration("service", "graph-token-exchange", {
      ...delegated(RESOURCE_URIS.service),
      requiredAccess: { [CLIENT_IDS.graph]: ["User.Read", "Mail.Read"], [CLIENT_IDS.orders]: ["Orders.Read"] },
    }),
    registration("narrow", "graph-token-exchange-narrow", {
      ...delegated(RESOURCE_URIS.narrow),
      requiredAccess: { [CLIENT_IDS.graph]: ["User.Read"] },
    }),
    registration("appOnly", "graph-token-exchange-app-only", {
      secrets: [randomSecret(nowMs)],
      federatedCredentials,
    }),
  ];
}

/** The applications that call the service. The local stack and its policy depend on their order and names. */
function seedCallers({ nowMs }: SeedOptions): Registration[] {
  const requiredAccess = { [CLIENT_IDS.service]: ["access_as_user"] };
  const confidential = (redirectUri: string, service: string = CLIENT_IDS.service) => ({
    secrets: [randomSecret(nowMs)],
    redirectUris: [redirectUri],
    requiredAccess: { [service]: ["access_as_user"] },
  });
  const native = { publicClient: true, redirectUris: ["http://localhost"], requiredAccess };
  return [
    registration("web", "Contoso Web", confidential("http://localhost:8400/callback")),
    registration("public", "Contoso Desktop", native),
    registration("daemon", "Contoso Nightly Job", { secrets: [randomSecret(nowMs)] }),
    registration("stranger", "Fabrikam App", confidential("http://localhost:8401/callback")),
    registration("cli", "Contoso Command Line", native),
    registration("reports", "Contoso Reports", { secrets: [randomSecret(nowMs)] }),
    registration("intranet", "Contoso Intranet", confidential("http://localhost:8402/callback", CLIENT_IDS.narrow)),
    registration("assistant", "Contoso Assistant", confidential("http://localhost:8403/callback")),
  ];
}

function seedIdentities(): Registration[] {
  return [
    registration("systemIdentity", "graph-token-exchange-app (system-assigned)"),
    registration("userIdentity", "graph-token-exchange-identity (user-assigned)"),
  ];
}

/** A blueprint and two of its agents. An agent has no credential: its blueprint obtains its tokens. */
function seedAgents({ nowMs }: SeedOptions): Registration[] {
  const blueprint = CLIENT_IDS.agentBlueprint;
  return [
    registration("agentBlueprint", "Contoso Agents", { secrets: [randomSecret(nowMs)] }),
    registration("mailAgent", "Contoso Mail Agent", { blueprint }),
    registration("newAgent", "Contoso New Agent", { blueprint }),
  ];
}

/** There is no consent for carol, so that her exchanges fail with 65001. */
function seedConsents(): Consent[] {
  const { service, narrow } = CLIENT_IDS;
  const consentingUsers = [USER_IDS.alice, USER_IDS.bob, USER_IDS.dave, USER_IDS.erin];
  const { web, public: desktop, stranger, cli, intranet, mailAgent, newAgent, assistant } = CLIENT_IDS;
  const callers = [web, desktop, stranger, cli, intranet, mailAgent, newAgent, assistant];
  return [
    ...consentingUsers.flatMap((userOid): Consent[] => [
      {
        clientId: service,
        resourceId: CLIENT_IDS.graph,
        userOid,
        scopes: new Set([...OIDC_SCOPES, "User.Read", "Mail.Read"]),
      },
      { clientId: service, resourceId: CLIENT_IDS.orders, userOid, scopes: new Set(["Orders.Read"]) },
      { clientId: narrow, resourceId: CLIENT_IDS.graph, userOid, scopes: new Set([...OIDC_SCOPES, "User.Read"]) },
    ]),
    ...callers.flatMap((clientId): Consent[] => [
      { clientId, resourceId: service, scopes: new Set(["access_as_user"]) },
      { clientId, resourceId: narrow, scopes: new Set(["access_as_user"]) },
      { clientId, resourceId: CLIENT_IDS.graph, scopes: new Set(OIDC_SCOPES) },
    ]),
  ];
}

/** erin operates the service: she creates sign-in links for applications and reads policy decisions. The other users have no roles. */
function seedRoleAssignments(): RoleAssignment[] {
  const { service, narrow, graph } = CLIENT_IDS;
  return [
    { principalOid: OBJECT_IDS.web, resourceId: service, role: "Exchange.Call" },
    { principalOid: OBJECT_IDS.daemon, resourceId: service, role: "Exchange.Call" },
    { principalOid: OBJECT_IDS.reports, resourceId: service, role: "Exchange.Call" },
    { principalOid: OBJECT_IDS.mailAgent, resourceId: service, role: "Exchange.Call" },
    { principalOid: OBJECT_IDS.newAgent, resourceId: service, role: "Exchange.Call" },
    { principalOid: OBJECT_IDS.intranet, resourceId: narrow, role: "Exchange.Call" },
    { principalOid: USER_IDS.erin, resourceId: service, role: "Grant.Create" },
    { principalOid: USER_IDS.erin, resourceId: service, role: "Policy.Explain" },
    { principalOid: USER_IDS.erin, resourceId: service, role: "Grant.Admin" },
    { principalOid: OBJECT_IDS.appOnly, resourceId: graph, role: "User.Read.All" },
  ];
}
