/**
 * The client of the grant table. Brings the SDK. With the service's identity in Azure; with Azurite's published key over
 * http in the local cloud, and nowhere else: anything else is a programmer's mistake and throws.
 */
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import type { CloudName } from "../config/clouds.ts";
import type { Result } from "../core/result.ts";
import type { GrantStoreFailure } from "./grant.ts";
import type { TableAnswer } from "./table-call.ts";

/** Azurite's account and key are printed in its documentation: they protect nothing and are no secret. */
const AZURITE_ACCOUNT = "devstoreaccount1";
const AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
/** Ours is the retry (`table-call.ts`): the SDK's would wait for minutes. */
const OPTIONS = { retryOptions: { maxRetries: 0 } };

/** `TokenCredential`, by the one method that the SDK calls. */
export interface TableIdentity {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number } | null>;
}

export interface TableClientInput {
  readonly cloudName: CloudName;
  /** `https://<account>.table.core.windows.net`, or Azurite's `http://127.0.0.1:<port>/devstoreaccount1`. */
  readonly tableEndpoint: string;
  readonly tableName: string;
  /** The service's identity; needed but in the local cloud. */
  readonly identity: TableIdentity | undefined;
}

/** The table with the one way to call it: never without deadline and failure mapping. */
export interface GrantTable {
  readonly client: TableClient;
  call<T>(operation: (abortSignal: AbortSignal) => Promise<T>): Promise<Result<T | TableAnswer, GrantStoreFailure>>;
}

export function createTableClient(input: TableClientInput): TableClient {
  const { cloudName, tableEndpoint, tableName, identity } = input;
  const { protocol, hostname } = new URL(tableEndpoint);
  if (cloudName === "local") {
    if (!LOOPBACK.includes(hostname)) throw new TypeError("The local cloud's table service is on this machine.");
    const key = new AzureNamedKeyCredential(AZURITE_ACCOUNT, AZURITE_KEY);
    return new TableClient(tableEndpoint, tableName, key, { ...OPTIONS, allowInsecureConnection: true });
  }
  if (protocol !== "https:") throw new TypeError("The table service is reached over https.");
  if (identity === undefined) throw new TypeError("The table service needs the service's identity.");
  return new TableClient(tableEndpoint, tableName, identity, OPTIONS);
}
