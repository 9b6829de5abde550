/**
 * The client of the grant table; it imports the SDK. It uses the service's identity in Azure, and Azurite's published
 * key over http in the local cloud only. Any other combination is a bug and throws.
 */
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import type { CloudName } from "../config/clouds.ts";

/** Azurite's documentation publishes this account and key. They are not secret. */
const AZURITE_ACCOUNT = "devstoreaccount1";
const AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
/** `table-call.ts` retries. The SDK's own retries would wait for minutes. */
const OPTIONS = { retryOptions: { maxRetries: 0 } };

/** The method of `TokenCredential` that the SDK calls. */
export interface TableIdentity {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number } | null>;
}

export interface TableClientInput {
  readonly cloudName: CloudName;
  /** `https://<account>.table.core.windows.net`, or Azurite's `http://127.0.0.1:<port>/devstoreaccount1`. */
  readonly tableEndpoint: string;
  readonly tableName: string;
  /** The service's identity. Required except in the local cloud. */
  readonly identity: TableIdentity | undefined;
}

export function createTableClient(input: TableClientInput): TableClient {
  const { cloudName, tableEndpoint, tableName, identity } = input;
  const { protocol, hostname } = new URL(tableEndpoint);
  if (cloudName === "local") {
    if (!LOOPBACK.includes(hostname))
      throw new TypeError(
        "The table service of the local cloud must be on this machine (127.0.0.1, [::1] or localhost).",
      );
    const key = new AzureNamedKeyCredential(AZURITE_ACCOUNT, AZURITE_KEY);
    return new TableClient(tableEndpoint, tableName, key, { ...OPTIONS, allowInsecureConnection: true });
  }
  if (protocol !== "https:") throw new TypeError("The URL of the table service must start with https:.");
  if (identity === undefined)
    throw new TypeError("The table client needs the service's identity, except in the local cloud.");
  return new TableClient(tableEndpoint, tableName, identity, OPTIONS);
}
