/**
 * What the reader makes of a Bicep file: statements, expressions and types as plain data. Only the part of the
 * language that infra/ uses; anything else is refused by the parser, so nothing is read by guesswork.
 */
export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "interpolation"; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: "name"; readonly name: string; readonly line: number }
  | { readonly kind: "member"; readonly target: Expression; readonly name: string; readonly safe: boolean }
  | { readonly kind: "index"; readonly target: Expression; readonly index: Expression }
  | { readonly kind: "nested"; readonly target: Expression; readonly name: string }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[]; readonly line: number }
  | { readonly kind: "unary"; readonly operator: string; readonly operand: Expression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "ternary"; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | ObjectExpression
  | { readonly kind: "lambda"; readonly parameters: readonly string[]; readonly body: Expression }
  | ForExpression
  | { readonly kind: "if"; readonly test: Expression; readonly body: Expression };

export interface ObjectExpression {
  readonly kind: "object";
  readonly properties: readonly { readonly key: Expression; readonly value: Expression }[];
  /** Child resources declared inside a resource. */
  readonly children: readonly Statement[];
}

export interface ForExpression {
  readonly kind: "for";
  readonly item: string;
  readonly index: string | undefined;
  readonly over: Expression;
  readonly body: Expression;
}

export type TypeExpression =
  | { readonly kind: "type-name"; readonly name: string; readonly line: number }
  | { readonly kind: "type-literal"; readonly value: string | number | boolean }
  | { readonly kind: "type-array"; readonly item: TypeExpression }
  | { readonly kind: "type-nullable"; readonly inner: TypeExpression }
  | { readonly kind: "type-union"; readonly options: readonly TypeExpression[] }
  | { readonly kind: "type-object"; readonly members: readonly TypeMember[] };

export interface TypeMember {
  /** `*` for any other property. */
  readonly name: string;
  readonly type: TypeExpression;
  readonly decorators: readonly Decorator[];
}

export interface Decorator {
  readonly name: string;
  readonly args: readonly Expression[];
}

interface Declared {
  readonly name: string;
  readonly line: number;
  readonly decorators: readonly Decorator[];
}

export type Statement =
  | { readonly kind: "target-scope"; readonly value: string }
  | { readonly kind: "extension"; readonly name: string }
  | { readonly kind: "using"; readonly path: string }
  | { readonly kind: "import"; readonly names: readonly string[]; readonly path: string; readonly line: number }
  | (Declared & { readonly kind: "param"; readonly type: TypeExpression; readonly initial: Expression | undefined })
  | (Declared & { readonly kind: "assignment"; readonly value: Expression })
  | (Declared & { readonly kind: "var"; readonly value: Expression })
  | (Declared & { readonly kind: "type"; readonly type: TypeExpression })
  | (Declared & {
      readonly kind: "func";
      readonly parameters: readonly { readonly name: string; readonly type: TypeExpression }[];
      readonly returns: TypeExpression;
      readonly body: Expression;
    })
  | ResourceStatement
  | (Declared & { readonly kind: "module"; readonly path: string; readonly body: Expression })
  | (Declared & { readonly kind: "output"; readonly type: TypeExpression; readonly value: Expression });

export interface ResourceStatement extends Declared {
  readonly kind: "resource";
  readonly type: string;
  readonly existing: boolean;
  readonly body: Expression;
}

/** The file is not Bicep as this reader knows it. */
export class BicepSyntaxError extends Error {
  override readonly name = "BicepSyntaxError";
}
