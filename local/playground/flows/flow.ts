/**
 * A flow of the playground, and what it can use. A flow sends its requests with placeholders (`{{TOKEN}}`); the play fills
 * them in and records each request. To add a flow, write it in a file of this folder and add it to `flows.ts`.
 */
import type { LocalEnvironment } from "../../caller/environment.ts";
import type { LocalResponse } from "../../caller/local-request.ts";
import type { TenantOperations } from "../../tenant/control/operations.ts";
import type { Party } from "../trace/trace.ts";

export interface Flow {
  readonly id: string;
  readonly group: "token" | "sign-in" | "grant" | "refusal";
  /** On the button. */
  readonly title: string;
  /** One sentence. */
  readonly about: string;
  /** The callers that can run it; the first one runs it if the chosen one cannot. Absent: every caller. */
  readonly callers?: readonly string[];
  run(play: Play): Promise<Outcome>;
}

export interface Outcome {
  readonly text: string;
  readonly succeeded: boolean;
}

export interface Play {
  readonly environment: LocalEnvironment;
  readonly tenant: PlaygroundTenant;
  readonly person: Person;
  readonly caller: Caller;
  /** The service asks Entra even if it has a token in its cache. */
  readonly skipCache: boolean;
  /** The grant that Contoso Nightly Job has for this person. */
  readonly grant: GrantState;
  note(text: string): void;
  /** Gets the caller's own token at Entra and keeps it as the variable TOKEN, or as another one. */
  signIn(options?: SignInOptions): Promise<string>;
  /** A value that only this stack knows, for a placeholder of a later request. */
  define(variable: { name: string; value: string; source: string; command?: string }): void;
  send(input: SendInput): Promise<LocalResponse>;
  /** Asks the service why, as erin. */
  explain(question: Readonly<Record<string, unknown>>): Promise<void>;
}

export type PlaygroundTenant = TenantOperations;

export interface Person {
  readonly name: string;
  readonly displayName: string;
  readonly givenName: string;
  readonly oid: string;
}

export interface Caller {
  readonly name: string;
  readonly displayName: string;
  readonly clientId: string;
  readonly about: string;
  /** It has no people: its token is its own. */
  readonly unattended: boolean;
  /** The name of the registration in the policy, if it is not the default one. */
  readonly registration: string | undefined;
}

export interface SignInOptions {
  /** Default: as the chosen person, or as the application if it has no people. */
  readonly as?: "person" | "application";
  /** Default: the chosen one. */
  readonly caller?: string;
  /** Default: TOKEN. */
  readonly variable?: string;
  /** The client can answer claims challenges, and this sign-in answers these claims. */
  readonly claims?: string;
}

export interface SendInput {
  readonly from?: Party;
  /** A path of the service, or an address of Entra or Graph. */
  readonly target: string;
  readonly title?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: Readonly<Record<string, unknown>>;
  /** The flow is about this request: the page shows its answer and its code. */
  readonly main?: boolean;
}

export interface GrantState {
  status: "none" | "asked" | "live" | "dead" | "revoked";
  /** The handle. It stays in this process. */
  handle: string;
  /** The link that the person opens next. */
  link: string | undefined;
}

/** A flow that needs something that an earlier one makes. */
export class NotYet extends Error {}
