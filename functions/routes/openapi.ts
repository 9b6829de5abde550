import { callerScopes } from "../../shared/core/caller-permissions.ts";
import { succeed } from "../../shared/core/result.ts";
import type { Service } from "../composition/compose.ts";
import { once } from "../composition/once.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /openapi.json`: answers docs/openapi.json, the description of this API, with the addresses of this deployment. Each
 * of them is in the metadata documents as well.
 */
export function openapiRoute({ config }: Service): Route {
  const body = once(async () => {
    // A lazy chunk: a cold start does not load it.
    const { default: description } = await import("../../docs/openapi.json", { with: { type: "json" } });
    return JSON.stringify(forDeployment(description, config));
  });
  return {
    name: "openapi",
    template: "openapi.json",
    methods: ["GET"],
    dialect: "problem",
    audit: "none",
    async run() {
      return succeed({
        status: 200,
        headers: { "Content-Type": "application/json", "Cache-Control": "public, max-age=3600" },
        body: await body(),
      });
    },
  };
}

// ------------------------------------------------------------------------------------------------------------------

type Description = typeof import("../../docs/openapi.json");

function forDeployment({ components, ...description }: Description, config: Service["config"]) {
  const { entra_user, entra_application } = components.securitySchemes;
  const { authorizationCode } = entra_user.flows;
  const { clientCredentials } = entra_application.flows;
  const authority = `${config.cloud.authorityHost}/${config.tenantId}/oauth2/v2.0`;
  const scopes = config.registrations.map(({ appIdUri }) => callerScopes(appIdUri));
  const tokenUrl = `${authority}/token`;
  const [userWords = ""] = Object.values(authorizationCode.scopes);
  const [applicationWords = ""] = Object.values(clientCredentials.scopes);
  const userFlow = {
    authorizationUrl: `${authority}/authorize`,
    tokenUrl,
    scopes: Object.fromEntries(scopes.map(({ user }) => [user, userWords])),
  };
  const applicationFlow = {
    tokenUrl,
    scopes: Object.fromEntries(scopes.map(({ application }) => [application, applicationWords])),
  };
  const securitySchemes = {
    ...components.securitySchemes,
    entra_user: { ...entra_user, flows: { authorizationCode: userFlow } },
    entra_application: { ...entra_application, flows: { clientCredentials: applicationFlow } },
  };
  return { ...description, servers: [{ url: config.serviceUrl }], components: { ...components, securitySchemes } };
}
