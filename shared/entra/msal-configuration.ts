/**
 * The configuration of MSAL for one call: the authority with its metadata, so that MSAL makes no discovery request, the
 * network module of the service and the current credential. Pure.
 */
import type { Configuration } from "@azure/msal-node";
import type { Cloud } from "../config/clouds.ts";
import type { ClientCredential } from "../credential/client-credential.ts";
import type { NetworkRecorder } from "./network-recorder.ts";

export interface Authority {
  readonly url: string;
  readonly host: string;
  /** The discovery document of the authority as JSON text. With it, MSAL makes no discovery request. */
  readonly metadata: string;
  readonly cloudDiscovery: string;
}

export function authorityOf({ cloud, tenantId }: { readonly cloud: Cloud; readonly tenantId: string }): Authority {
  const url = `${cloud.authorityHost}/${tenantId}`;
  const { host } = new URL(url);
  return {
    url,
    host,
    metadata: JSON.stringify({
      issuer: `${url}/v2.0`,
      authorization_endpoint: `${url}/oauth2/v2.0/authorize`,
      token_endpoint: `${url}/oauth2/v2.0/token`,
      end_session_endpoint: `${url}/oauth2/v2.0/logout`,
      jwks_uri: `${url}/discovery/v2.0/keys`,
    }),
    cloudDiscovery: JSON.stringify({
      tenant_discovery_endpoint: `${url}/v2.0/.well-known/openid-configuration`,
      "api-version": "1.1",
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    }),
  };
}

export interface MsalConfiguration {
  readonly clientId: string;
  readonly authority: Authority;
  readonly credential: ClientCredential;
  readonly networkClient: NetworkRecorder;
  /** Declare the client capability `cp1`. */
  readonly cae: boolean;
}

export function msalConfiguration(input: MsalConfiguration): Configuration {
  const { clientId, authority, credential, networkClient, cae } = input;
  return {
    auth: {
      clientId,
      authority: authority.url,
      authorityMetadata: authority.metadata,
      cloudDiscoveryMetadata: authority.cloudDiscovery,
      knownAuthorities: [authority.host],
      ...(cae ? { clientCapabilities: ["cp1"] } : {}),
      ...msalCredential(credential),
    },
    system: { networkClient },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function msalCredential(credential: ClientCredential): Partial<Configuration["auth"]> {
  switch (credential.kind) {
    case "secret":
      return { clientSecret: credential.value.reveal() };
    case "certificate":
      return {
        clientCertificate: {
          thumbprintSha256: credential.thumbprintSha256,
          privateKey: credential.privateKey.reveal(),
        },
      };
    case "federated":
      return { clientAssertion: credential.assertion.reveal() };
  }
}
