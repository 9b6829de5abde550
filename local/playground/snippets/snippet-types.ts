/** A request with placeholders, its variables, and the code that is made of them. */
export interface SnippetRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: Readonly<Record<string, unknown>>;
}

export interface Variable {
  readonly name: string;
  /** A command that prints the value. */
  readonly command?: string;
  /** Without a command: where the value comes from. */
  readonly source?: string;
}

export interface ShownSnippet {
  readonly language: "curl" | "powershell" | "csharp" | "python";
  readonly title: string;
  readonly code: string;
}

export type ToSnippet = (request: SnippetRequest, variables: readonly Variable[]) => string;
