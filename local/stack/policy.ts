/**
 * The policy of the local stack: what each client of the local tenant may get. Entra answers every exchange with all
 * scopes that are consented for the registration, and so does the local tenant. Every entry of the default registration that
 * acts for users therefore allows User.Read and Mail.Read of Graph: with a narrower list the service would refuse the surplus
 * scopes. The intranet may have User.Read only, so it has a registration with fewer rights. The entry that acts for the
 * application itself has `.default`, because an application's token carries every permission of its registration.
 */
import { CLIENT_IDS, RESOURCE_URIS, VAULT_SECRET_NAMES } from "../tenant/directory/seed-ids.ts";

/** People and tests try the local stack out again and again, for the same few persons. */
const MANY_GRANTS = 1000;

const graphScopes = ["User.Read", "Mail.Read"];

export const localPolicy = {
  apis: {
    graph: { resource: RESOURCE_URIS.graph, scopes: [...graphScopes, ".default"], contentType: "application/json" },
    orders: {
      resource: RESOURCE_URIS.orders,
      scopes: ["Orders.Read"],
      contentType: "application/json",
      scopeDescriptions: { "Orders.Read": "Read your orders" },
    },
  },
  registrations: {
    narrow: { clientId: CLIENT_IDS.narrow, credential: { secretName: VAULT_SECRET_NAMES.narrowClientSecret } },
  },
  callers: [
    {
      name: "web-users",
      displayName: "People who use the web application",
      kind: "user",
      clientId: CLIENT_IDS.web,
      flows: ["on-behalf-of", "refresh-token"],
      apis: { graph: graphScopes, orders: ["Orders.Read"] },
      offlineAccess: true,
      grantMaxDays: 30,
      maxGrantsPerUser: MANY_GRANTS,
    },
    {
      name: "web-backend",
      displayName: "The web application's backend",
      kind: "application",
      clientId: CLIENT_IDS.web,
      flows: ["on-behalf-of", "refresh-token", "authorization-code"],
      apis: { graph: graphScopes, orders: ["Orders.Read"] },
      redirectUris: ["http://localhost:9999/callback"],
      offlineAccess: true,
      unattended: true,
      grantMaxDays: 30,
      maxGrantsPerUser: MANY_GRANTS,
    },
    {
      name: "public-users",
      displayName: "People who use the desktop application",
      kind: "user",
      clientId: CLIENT_IDS.public,
      flows: ["on-behalf-of"],
      apis: { graph: graphScopes },
    },
    {
      name: "cli-users",
      displayName: "People at a terminal, and their scripts",
      kind: "user",
      clientId: CLIENT_IDS.cli,
      flows: ["on-behalf-of", "refresh-token"],
      apis: { graph: graphScopes },
      offlineAccess: true,
      grantMaxDays: 30,
      maxGrantsPerUser: MANY_GRANTS,
    },
    {
      name: "daemon",
      displayName: "Contoso Nightly Job",
      purpose: "Files the invoices that arrive in your mailbox, each night.",
      kind: "application",
      clientId: CLIENT_IDS.daemon,
      flows: ["refresh-token"],
      apis: { graph: graphScopes },
      offlineAccess: true,
      unattended: true,
      grantMaxDays: 30,
      maxGrantsPerUser: MANY_GRANTS,
    },
    {
      // It never gets a token, so it may have fewer scopes than the registration.
      name: "assistant-users",
      displayName: "People who use the assistant",
      kind: "user",
      clientId: CLIENT_IDS.assistant,
      flows: ["on-behalf-of"],
      apis: { graph: ["Mail.Read"] },
      release: "none",
      downstream: {
        graph: [
          { methods: ["GET"], path: "/v1.0/me/messages", query: ["$select", "$top", "$skip"] },
          { methods: ["GET"], path: "/v1.0/me/messages/**" },
        ],
      },
    },
    {
      name: "reports",
      displayName: "Reports about the tenant",
      kind: "application",
      clientId: CLIENT_IDS.reports,
      flows: ["client-credentials"],
      apis: { graph: [".default"] },
    },
    {
      name: "intranet-users",
      displayName: "People who use the intranet",
      kind: "user",
      clientId: CLIENT_IDS.intranet,
      registration: "narrow",
      flows: ["on-behalf-of"],
      apis: { graph: ["User.Read"] },
    },
  ],
} as const;
