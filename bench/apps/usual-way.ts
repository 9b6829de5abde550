/**
 * The usual implementation of such a service, as in Microsoft's samples: one shared ConfidentialClientApplication with its
 * own cache, and jose verifies the caller's token on every request. It has the same host and route.
 */
import { app } from "@azure/functions";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { createRemoteJWKSet, jwtVerify } from "jose";
import "./memory.ts";

const setting = (name: string) => process.env[name] ?? "";
const authority = `${setting("LOCAL_TENANT_URL")}/${setting("TENANT_ID")}`;
const keys = createRemoteJWKSet(new URL(`${authority}/discovery/v2.0/keys`));
const client = new ConfidentialClientApplication({
  auth: {
    clientId: setting("CLIENT_ID"),
    authority,
    clientSecret: setting("BENCH_CLIENT_SECRET"),
    knownAuthorities: [new URL(authority).host],
  },
});

app.http("authorization-header", {
  authLevel: "anonymous",
  methods: ["GET"],
  route: "AuthorizationHeader/{api}",
  handler: async (request) => {
    const assertion = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    try {
      await jwtVerify(assertion, keys, { issuer: `${authority}/v2.0`, audience: setting("CLIENT_ID") });
    } catch {
      return { status: 401 };
    }
    try {
      const result = await client.acquireTokenOnBehalfOf({
        oboAssertion: assertion,
        scopes: ["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Mail.Read"],
      });
      const authorization = `Bearer ${result?.accessToken}`;
      return {
        headers: { "Cache-Control": "no-store" },
        jsonBody: { authorizationHeader: authorization, headers: { Authorization: authorization } },
      };
    } catch {
      return { status: 502 };
    }
  },
});
