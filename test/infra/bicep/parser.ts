/**
 * Tokens to statements, after Bicep's own grammar: a line end closes a statement and separates elements, a comma
 * separates elements on one line, and the two are not mixed.
 */
import { readTokens, type Token } from "./lexer.ts";
import {
  BicepSyntaxError,
  type Decorator,
  type Expression,
  type ObjectExpression,
  type Statement,
  type TypeExpression,
  type TypeMember,
} from "./syntax.ts";

const PRECEDENCE: Readonly<Record<string, number>> = {
  "??": 1,
  "||": 2,
  "&&": 3,
  "==": 4,
  "!=": 4,
  "<": 5,
  ">": 5,
  "<=": 5,
  ">=": 5,
  "+": 6,
  "-": 6,
  "*": 7,
  "/": 7,
  "%": 7,
};

export function parseBicep(text: string): Statement[] {
  const parser = new Parser(readTokens(text));
  return parser.statements();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  statements(): Statement[] {
    const statements: Statement[] = [];
    this.#skipLines();
    while (this.#peek().kind !== "end") {
      statements.push(this.#statement());
      this.#line();
    }
    return statements;
  }

  /** An expression that must be all there is: what stands inside `${…}`. */
  only(): Expression {
    const expression = this.#expression();
    if (this.#at !== this.#tokens.length) {
      throw this.#unexpected("the end of the expression in a string");
    }
    return expression;
  }

  #statement(): Statement {
    const decorators = this.#decorators();
    const line = this.#peek().line;
    const keyword = this.#name();
    switch (keyword) {
      case "targetScope":
        this.#symbol("=");
        return { kind: "target-scope", value: this.#text() };
      case "extension":
        return { kind: "extension", name: this.#name() };
      case "using":
        return { kind: "using", path: this.#text() };
      case "import":
        return this.#import(line);
      case "func":
        return this.#function(decorators, line);
      case "resource":
        return this.#resource(decorators, line);
      default:
        return this.#declaration(keyword, decorators, line);
    }
  }

  #declaration(keyword: string, decorators: readonly Decorator[], line: number): Statement {
    const name = this.#name();
    const declared = { name, line, decorators };
    switch (keyword) {
      case "param":
        if (this.#take("=")) {
          return { ...declared, kind: "assignment", value: this.#expression() };
        }
        return {
          ...declared,
          kind: "param",
          type: this.#type(),
          initial: this.#take("=") ? this.#expression() : undefined,
        };
      case "var":
        this.#symbol("=");
        return { ...declared, kind: "var", value: this.#expression() };
      case "type":
        this.#symbol("=");
        return { ...declared, kind: "type", type: this.#type() };
      case "module": {
        const path = this.#text();
        this.#symbol("=");
        return { ...declared, kind: "module", path, body: this.#body() };
      }
      case "output": {
        const type = this.#type();
        this.#symbol("=");
        return { ...declared, kind: "output", type, value: this.#expression() };
      }
      default:
        throw new BicepSyntaxError(`line ${line}: unknown statement ${keyword}`);
    }
  }

  #import(line: number): Statement {
    this.#symbol("{");
    const names = this.#elements("}", () => this.#name());
    if (this.#name() !== "from") {
      throw this.#unexpected("from");
    }
    return { kind: "import", names, path: this.#text(), line };
  }

  #function(decorators: readonly Decorator[], line: number): Statement {
    const name = this.#name();
    this.#symbol("(");
    const parameters = this.#elements(")", () => ({ name: this.#name(), type: this.#type() }));
    const returns = this.#type();
    this.#symbol("=>");
    this.#skipLines();
    return { kind: "func", name, line, decorators, parameters, returns, body: this.#expression() };
  }

  #resource(decorators: readonly Decorator[], line: number): Statement {
    const name = this.#name();
    const type = this.#text();
    const existing = this.#isName("existing");
    if (existing) {
      this.#at += 1;
    }
    this.#symbol("=");
    return { kind: "resource", name, line, decorators, type, existing, body: this.#body() };
  }

  #decorators(): Decorator[] {
    const decorators: Decorator[] = [];
    while (this.#take("@")) {
      const name = this.#name();
      this.#symbol("(");
      decorators.push({ name, args: this.#elements(")", () => this.#expression()) });
      this.#skipLines();
    }
    return decorators;
  }

  /** Body of a resource or module: an object, a conditional object, or a loop over either. */
  #body(): Expression {
    if (this.#isName("if")) {
      this.#at += 1;
      this.#symbol("(");
      const test = this.#expression();
      this.#symbol(")");
      return { kind: "if", test, body: this.#object() };
    }
    return this.#is("[") ? this.#for(() => this.#body()) : this.#object();
  }

  #for(body: () => Expression): Expression {
    this.#symbol("[");
    this.#skipLines();
    this.#keyword("for");
    const pair = this.#take("(");
    const item = this.#name();
    let index: string | undefined;
    if (pair) {
      this.#symbol(",");
      index = this.#name();
      this.#symbol(")");
    }
    this.#keyword("in");
    const over = this.#expression();
    this.#symbol(":");
    const loop: Expression = { kind: "for", item, index, over, body: body() };
    this.#skipLines();
    this.#symbol("]");
    return loop;
  }

  #expression(): Expression {
    const test = this.#binary(0);
    if (!this.#takeAfterLines("?")) {
      return test;
    }
    const yes = this.#expression();
    this.#skipLines();
    this.#symbol(":");
    return { kind: "ternary", test, yes, no: this.#expression() };
  }

  #binary(least: number): Expression {
    let left = this.#unary();
    for (;;) {
      const token = this.#peek();
      const precedence = token.kind === "symbol" ? (PRECEDENCE[token.text] ?? 0) : 0;
      if (token.kind !== "symbol" || precedence <= least) {
        return left;
      }
      this.#at += 1;
      left = { kind: "binary", operator: token.text, left, right: this.#binary(precedence) };
    }
  }

  #unary(): Expression {
    for (const operator of ["!", "-"]) {
      if (this.#take(operator)) {
        return { kind: "unary", operator, operand: this.#unary() };
      }
    }
    return this.#access(this.#primary());
  }

  #access(start: Expression): Expression {
    let target = start;
    for (;;) {
      if (this.#take(".") || this.#is(".?")) {
        const safe = this.#take(".?");
        target = { kind: "member", target, name: this.#name(), safe };
      } else if (this.#take("::")) {
        target = { kind: "nested", target, name: this.#name() };
      } else if (this.#take("[")) {
        target = { kind: "index", target, index: this.#expression() };
        this.#symbol("]");
      } else if (!this.#take("!")) {
        return target;
      }
    }
  }

  #primary(): Expression {
    const token = this.#peek();
    if (token.kind === "string") {
      this.#at += 1;
      return interpolation(token.parts);
    }
    if (token.kind === "number") {
      this.#at += 1;
      return { kind: "literal", value: Number(token.text) };
    }
    if (token.kind === "name") {
      return this.#nameOrCall();
    }
    if (this.#is("{")) {
      return this.#object();
    }
    if (this.#is("[")) {
      return this.#list();
    }
    this.#symbol("(");
    const inner = this.#expression();
    this.#symbol(")");
    return inner;
  }

  #nameOrCall(): Expression {
    const line = this.#peek().line;
    const name = this.#name();
    if (name === "true" || name === "false" || name === "null") {
      return { kind: "literal", value: name === "null" ? null : name === "true" };
    }
    if (this.#take("(")) {
      return { kind: "call", name, args: this.#elements(")", () => this.#expression()), line };
    }
    if (this.#take("=>")) {
      this.#skipLines();
      return { kind: "lambda", parameters: [name], body: this.#expression() };
    }
    return { kind: "name", name, line };
  }

  #list(): Expression {
    const next = this.#tokens.slice(this.#at + 1).find((token) => token.kind !== "newline");
    if (next?.kind === "name" && next.text === "for") {
      return this.#for(() => this.#expression());
    }
    this.#symbol("[");
    return { kind: "array", items: this.#elements("]", () => this.#expression()) };
  }

  #object(): ObjectExpression {
    this.#symbol("{");
    const children: Statement[] = [];
    const properties: { key: Expression; value: Expression }[] = [];
    this.#elements("}", () => {
      const decorated = this.#is("@");
      const next = this.#tokens[this.#at + 1];
      if (decorated || (this.#isName("resource") && next?.kind === "name")) {
        children.push(this.#statement());
        return;
      }
      const token = this.#peek();
      const key: Expression = token.kind === "string" ? this.#primary() : { kind: "literal", value: this.#name() };
      this.#symbol(":");
      properties.push({ key, value: this.#expression() });
    });
    return { kind: "object", properties, children };
  }

  #type(): TypeExpression {
    const options = [this.#typeAccess()];
    while (this.#take("|")) {
      options.push(this.#typeAccess());
    }
    const [first] = options;
    return options.length === 1 && first !== undefined ? first : { kind: "type-union", options };
  }

  #typeAccess(): TypeExpression {
    let type = this.#typePrimary();
    for (;;) {
      if (this.#take("[")) {
        this.#symbol("]");
        type = { kind: "type-array", item: type };
      } else if (this.#take("?")) {
        type = { kind: "type-nullable", inner: type };
      } else {
        return type;
      }
    }
  }

  #typePrimary(): TypeExpression {
    const token = this.#peek();
    if (token.kind === "string") {
      return { kind: "type-literal", value: this.#text() };
    }
    if (token.kind === "number") {
      this.#at += 1;
      return { kind: "type-literal", value: Number(token.text) };
    }
    if (token.kind === "name") {
      const name = this.#name();
      const literal = name === "true" || name === "false";
      return literal ? { kind: "type-literal", value: name === "true" } : { kind: "type-name", name, line: token.line };
    }
    if (this.#take("{")) {
      return { kind: "type-object", members: this.#elements("}", () => this.#typeMember()) };
    }
    this.#symbol("(");
    const inner = this.#type();
    this.#symbol(")");
    return inner;
  }

  #typeMember(): TypeMember {
    const decorators = this.#decorators();
    const name = this.#take("*") ? "*" : this.#keyOfType();
    this.#symbol(":");
    return { name, type: this.#type(), decorators };
  }

  #keyOfType(): string {
    return this.#peek().kind === "string" ? this.#text() : this.#name();
  }

  /** Elements up to `closing`, separated by commas or by line ends. */
  #elements<T>(closing: string, element: () => T): T[] {
    const elements: T[] = [];
    this.#skipLines();
    while (!this.#take(closing)) {
      elements.push(element());
      if (!this.#is(closing) && !this.#take(",")) {
        this.#line();
      }
      this.#skipLines();
    }
    return elements;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "", line: 0 };
  }

  #is(symbol: string): boolean {
    const token = this.#peek();
    return token.kind === "symbol" && token.text === symbol;
  }

  #isName(name: string): boolean {
    const token = this.#peek();
    return token.kind === "name" && token.text === name;
  }

  #take(symbol: string): boolean {
    if (!this.#is(symbol)) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #takeAfterLines(symbol: string): boolean {
    const start = this.#at;
    this.#skipLines();
    if (this.#take(symbol)) {
      return true;
    }
    this.#at = start;
    return false;
  }

  #symbol(symbol: string): void {
    if (!this.#take(symbol)) {
      throw this.#unexpected(symbol);
    }
  }

  #keyword(keyword: string): void {
    if (this.#name() !== keyword) {
      throw this.#unexpected(keyword);
    }
  }

  #name(): string {
    const token = this.#peek();
    if (token.kind !== "name") {
      throw this.#unexpected("a name");
    }
    this.#at += 1;
    return token.text;
  }

  #text(): string {
    const token = this.#peek();
    const [only] = token.kind === "string" ? token.parts : [];
    if (token.kind !== "string" || token.parts.length !== 1 || typeof only !== "string") {
      throw this.#unexpected("a plain string");
    }
    this.#at += 1;
    return only;
  }

  #line(): void {
    if (this.#peek().kind !== "newline") {
      throw this.#unexpected("the end of the line");
    }
    this.#skipLines();
  }

  #skipLines(): void {
    while (this.#peek().kind === "newline") {
      this.#at += 1;
    }
  }

  #unexpected(expected: string): BicepSyntaxError {
    const token = this.#peek();
    const found = token.kind === "string" ? "a string" : JSON.stringify(token.text);
    return new BicepSyntaxError(`line ${token.line}: expected ${expected}, found ${found}`);
  }
}

function interpolation(parts: readonly (string | readonly Token[])[]): Expression {
  const [only] = parts;
  if (parts.length === 1 && typeof only === "string") {
    return { kind: "literal", value: only };
  }
  return {
    kind: "interpolation",
    parts: parts.map((part) => (typeof part === "string" ? part : new Parser(part).only())),
  };
}
