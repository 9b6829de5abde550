/**
 * The inline constraints of ASP.NET Core routes, as tests on the decoded text of one parameter. As in ASP.NET Core, the
 * host does not start if a route has an unknown constraint.
 */
export type Constraint = (value: string) => boolean;

export function parseConstraint(text: string): Constraint {
  const match = /^(\w+)(?:\(([\s\S]*)\))?$/.exec(text);
  const create = match === null ? undefined : factories[(match[1] ?? "").toLowerCase()];
  if (match === null || create === undefined) throw new Error(`The route constraint "${text}" is unknown.`);
  return create(match[2] ?? "");
}

// ---------------------------------------------------------------------------------------------------------------

const hex = "[0-9a-f]";
const dashed = `${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}`;
const guid = new RegExp(`^(?:${hex}{32}|${dashed}|\\{${dashed}\\}|\\(${dashed}\\))$`, "i");
const integer = /^\s*[+-]?\d+\s*$/;
const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/;

const factories: Readonly<Record<string, (argument: string) => Constraint>> = {
  alpha: () => (value) => /^[a-z]*$/i.test(value),
  bool: () => (value) => /^\s*(?:true|false)\s*$/i.test(value),
  decimal: () => (value) => decimal.test(value),
  guid: () => (value) => guid.test(value),
  int: () => (value) => isIntegerWithin(value, -(2n ** 31n), 2n ** 31n - 1n),
  long: () => (value) => isIntegerWithin(value, -(2n ** 63n), 2n ** 63n - 1n),
  length: (argument) => {
    const [least = 0, most = least] = numbersOf(argument);
    return (value) => value.length >= least && value.length <= most;
  },
  max: (argument) => {
    const most = numberOf(argument);
    return (value) => integer.test(value) && Number(value) <= most;
  },
  maxlength: (argument) => {
    const most = numberOf(argument);
    return (value) => value.length <= most;
  },
  min: (argument) => {
    const least = numberOf(argument);
    return (value) => integer.test(value) && Number(value) >= least;
  },
  minlength: (argument) => {
    const least = numberOf(argument);
    return (value) => value.length >= least;
  },
  range: (argument) => {
    const [least = 0, most = 0] = numbersOf(argument);
    return (value) => integer.test(value) && Number(value) >= least && Number(value) <= most;
  },
  // As in ASP.NET Core, the expression is not anchored and ignores case. .NET and JavaScript differ in syntax, so a
  // route should use only what both support.
  regex: (argument) => {
    const pattern = new RegExp(argument, "i");
    return (value) => pattern.test(value);
  },
  required: () => (value) => value !== "",
};

function isIntegerWithin(value: string, least: bigint, most: bigint): boolean {
  if (!integer.test(value)) return false;
  const number = BigInt(value.trim().replace(/^\+/, ""));
  return number >= least && number <= most;
}

function numbersOf(argument: string): number[] {
  return argument.split(",").map((part) => numberOf(part.trim()));
}

function numberOf(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`A route constraint needs an integer, not "${text}".`);
  return Number(text);
}
