/**
 * A step of the demo, and what a step can use. A step sends requests to the service or to Graph and checks the answers.
 * The demo prints both with shortened tokens. To add a step, write it in a file in this folder and add its list to
 * steps.ts.
 */
import { readFileSync } from "node:fs";
import type { LocalEnvironment } from "../caller/environment.ts";
import { type LocalRequest, type LocalResponse, localRequest } from "../caller/local-request.ts";
import { shortenToken, shortenTokens } from "../caller/show-token.ts";

export interface DemoStep {
  name: string;
  run(demo: Demo): Promise<void>;
}

export interface Demo {
  environment: LocalEnvironment;
  /** Sends a request and prints it with its answer. A path goes to the service, a URL to its own host. */
  ask(target: string, request?: LocalRequest): Promise<LocalResponse>;
  /** Prints what happens besides the requests. */
  say(text: string): void;
  /** Runs a control operation of the local tenant, in place of a user or an administrator. */
  control(operation: string, input?: unknown): Promise<unknown>;
  /** Stores a value for a later step. */
  remember(name: string, value: string): void;
  recall(name: string): string;
}

export function createDemo(environment: LocalEnvironment, print: (line: string) => void): Demo {
  const ca = readFileSync(environment.caCertPath, "utf8");
  const memory = new Map<string, string>();
  return {
    environment,
    ask: async (target, request = {}) => {
      const url = /^https?:/.test(target) ? target : environment.serviceUrl + target;
      describeRequest(target, request).map(print);
      const response = await localRequest(url, { ...request, ca });
      describeResponse(response).map(print);
      return response;
    },
    say: (text) => text !== "" && print(shortenTokens(text)),
    control: (operation, input = {}) => runControlOperation(environment, { operation, input, ca }),
    remember: (name, value) => memory.set(name, value),
    recall: (name) => {
      const value = memory.get(name);
      if (value === undefined) throw new Error(`no earlier step stored "${name}"`);
      return value;
    },
  };
}

export function check(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new Error(`expected ${expected}`);
}

export function checkStatus(response: LocalResponse, status: number): void {
  check(response.status === status, `status ${status}, got ${response.status}`);
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const bodyText = (response: LocalResponse, member: string): string => {
  const value = response.json()[member];
  check(typeof value === "string" && value !== "", `a member ${member}`);
  return value;
};

// ---------------------------------------------------------------------------------------------------------------

async function runControlOperation(
  { controlUrl, controlKey }: LocalEnvironment,
  { operation, input, ca }: { operation: string; input: unknown; ca: string },
): Promise<unknown> {
  const headers = bearer(controlKey);
  const { status, text } = await localRequest(`${controlUrl}/${operation}`, { headers, json: input, ca });
  if (status !== 200) throw new Error(`the local tenant refused ${operation}: ${text}`);
  return JSON.parse(text);
}

function describeRequest(target: string, { method, headers = {}, form, json }: LocalRequest): string[] {
  const lines = [`${method ?? (form || json ? "POST" : "GET")} ${shortenTokens(target)}`];
  for (const [name, value] of Object.entries(headers)) {
    lines.push(`  ${name}: ${shortenTokens(value)}`);
  }
  for (const [name, value] of Object.entries(form ?? {})) {
    lines.push(`  ${name}=${name === "client_secret" ? shortenToken(value) : shortenTokens(value)}`);
  }
  if (json !== undefined) {
    lines.push(`  ${shortenTokens(JSON.stringify(json))}`);
  }
  return lines;
}

const longestText = 600;

function describeResponse({ status, headers, text }: LocalResponse): string[] {
  const challenge = headers["www-authenticate"];
  const title = /<title>([^<]*)<\/title>/.exec(text)?.[1];
  const shown = title === undefined ? shortenTokens(text).replace(/\s+/g, " ") : `(page: ${title})`;
  const body = shown.length > longestText ? `${shown.slice(0, longestText)}… (${shown.length} characters)` : shown;
  return [
    `→ ${status} ${body}`,
    ...(challenge === undefined ? [] : [`  WWW-Authenticate: ${shortenTokens(String(challenge))}`]),
  ];
}
