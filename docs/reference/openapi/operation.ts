/** One operation of the description, from what differs between operations. */
import type { Dialect } from "../../../shared/http/wire.ts";
import { type CodesByDialect, refusals } from "./errors.ts";
import type { Part, Parts } from "./schema.ts";

export type Tag = "Tokens" | "Relay" | "Grants" | "Management" | "Sign-in" | "Policy" | "Service";

export interface OperationInput {
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly dialect: Dialect;
  /** Default: a token of Entra, of a user or an application. */
  readonly security?: readonly Part[];
  readonly parameters?: readonly Part[];
  readonly body?: { readonly required: boolean; readonly description?: string; readonly content: Parts };
  /** Responses besides the refusals, by status. */
  readonly answers: Parts;
  /** Default: those of the dialect. */
  readonly refusals?: Parts;
}

/** A path, and its operations by method in lower case. */
export type Paths = Readonly<Record<string, Readonly<Record<string, OperationInput>>>>;

/** No credentials, or none that the description can name. */
export const PUBLIC: readonly Part[] = [{}];

export function writeOperation(input: OperationInput, codes: CodesByDialect): Part {
  const { id, tag, summary, description, dialect, security, parameters = [], body, answers } = input;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(security === undefined ? {} : { security }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...answers, ...(input.refusals ?? refusals(codes, dialect, body !== undefined)) },
  };
}
