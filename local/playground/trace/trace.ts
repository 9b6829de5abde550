/** What the page shows of a flow: its messages between the parties, in order. Every secret in it is shortened. */
import type { ShownSnippet } from "../snippets/snippet-types.ts";

export type Party = "person" | "caller" | "service" | "entra" | "graph";

/** A request and its answer. Between them, the messages of `nested` were sent. */
export interface Message {
  readonly kind: "message";
  readonly from: Party;
  readonly to: Party;
  readonly title: string;
  readonly request: ShownPart;
  readonly status: number;
  readonly response: ShownPart;
  readonly tokens: readonly ShownToken[];
  readonly nested: readonly Message[];
}

/** Something that happens besides the requests. */
export interface Note {
  readonly kind: "note";
  readonly text: string;
}

export interface ShownPart {
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface ShownToken {
  readonly title: string;
  readonly text: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The answer of `POST /policy/explain`. */
export interface Decision {
  readonly question: string;
  readonly allowed: boolean;
  readonly answer: string;
  /** Why the request was refused although the policy allows it. */
  readonly remark?: string;
}

export interface Trace {
  readonly flow: string;
  readonly title: string;
  readonly person: string;
  readonly caller: string;
  readonly events: readonly (Message | Note)[];
  /** The request that the flow is about. */
  readonly main: Message | undefined;
  readonly decision: Decision | undefined;
  readonly snippets: readonly ShownSnippet[];
  /** One sentence. */
  readonly outcome: string;
  readonly succeeded: boolean;
}
