/**
 * Reads from Microsoft Graph with the administrator's token. Sends only GET requests. The token is in no message.
 *
 * Source: https://learn.microsoft.com/graph/api/serviceprincipal-list
 */
import * as z from "zod/mini";
import { CliFailure, oneLine } from "../cli/cli-failure.ts";
import { EXIT } from "../cli/exit-codes.ts";
import type { Network } from "../cli/network.ts";
import { parseJsonObject, send } from "../cli/send.ts";

export interface GraphClient {
  /** For example https://graph.microsoft.com, without a trailing slash. */
  readonly url: string;
  /** The items of a collection, of all its pages. `path` begins with /v1.0/. */
  list(path: string): Promise<readonly unknown[]>;
}

export interface GraphAccess {
  readonly url: string;
  readonly network: Network;
  /** Called once, before the first request. */
  token(): Promise<string>;
}

/** More pages are probably a loop. */
const MOST_PAGES = 200;

export function createGraphClient({ url, network, token }: GraphAccess): GraphClient {
  let signedIn: Promise<string> | undefined;
  const get = async (address: string): Promise<z.infer<typeof page>> => {
    signedIn ??= token();
    const headers = { authorization: `Bearer ${await signedIn}`, accept: "application/json" };
    const { status, text } = await send({ url: address, headers, network });
    if (status !== 200) throw refusal(new URL(address), status, text);
    const parsed = page.safeParse(parseJsonObject(text));
    if (!parsed.success) throw unexpected(new URL(address), "did not answer with a list");
    return parsed.data;
  };
  return {
    url,
    list: async (path) => {
      const items: unknown[] = [];
      let next: string | undefined = `${url}${path}`;
      for (let pages = 0; next !== undefined; pages += 1) {
        // The token goes to this origin only.
        if (pages >= MOST_PAGES || new URL(next).origin !== new URL(url).origin) {
          throw unexpected(new URL(url), "continues the list at a wrong address");
        }
        const answer: z.infer<typeof page> = await get(next);
        items.push(...answer.value);
        next = answer["@odata.nextLink"];
      }
      return items;
    },
  };
}

/** An OData string literal: each single quote is doubled. */
export function odataString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

// ---------------------------------------------------------------------------------------------------------------

const page = z.object({ value: z.array(z.unknown()), "@odata.nextLink": z.optional(z.url()) });

const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function refusal({ host }: URL, status: number, text: string): CliFailure {
  const parsed = errorBody.safeParse(parseJsonObject(text));
  const said = parsed.success ? `: ${oneLine(`${parsed.data.error.code}: ${parsed.data.error.message}`)}` : "";
  if (status === 401) {
    return new CliFailure(EXIT.signIn, "sign_in", `${host} refused the administrator's token${said}. Run: az login`);
  }
  if (status === 403) {
    return new CliFailure(
      EXIT.refused,
      "refused",
      `${host} refused the request${said}. The account needs the role Directory Readers or Application Administrator.`,
    );
  }
  const later = status === 429 || status >= 500;
  return new CliFailure(
    later ? EXIT.unavailable : EXIT.refused,
    later ? "unavailable" : "refused",
    `${host} answered ${status}${said}.`,
  );
}

function unexpected({ host }: URL, what: string): CliFailure {
  return new CliFailure(EXIT.unavailable, "unexpected_response", `${host} ${what}.`);
}
