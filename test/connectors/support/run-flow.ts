/** Runs a workflow definition: order by `runAfter`, conditions, and one call for each HTTP or connector action. */
import { evaluated, type FlowState } from "./flow-expressions.ts";

export interface FlowDefinition {
  readonly parameters: Readonly<
    Record<string, { readonly defaultValue?: unknown; readonly metadata?: { readonly schemaName: string } }>
  >;
  readonly triggers: Readonly<Record<string, FlowAction>>;
  readonly actions: FlowActions;
}

export type FlowActions = Readonly<Record<string, FlowAction>>;

export interface FlowAction {
  readonly type: string;
  readonly runAfter?: Readonly<Record<string, readonly string[]>>;
  readonly inputs?: unknown;
  readonly expression?: unknown;
  readonly actions?: FlowActions;
  readonly else?: { readonly actions: FlowActions };
  readonly runtimeConfiguration?: { readonly secureData?: { readonly properties: readonly string[] } };
}

/** An action with its expressions evaluated. */
export interface FlowCall {
  readonly name: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface FlowAnswer {
  readonly failed: boolean;
  readonly body: unknown;
}

export interface FlowRun {
  /** In order. */
  readonly calls: readonly FlowCall[];
  /** By action. */
  readonly statuses: ReadonlyMap<string, Status>;
  bodyOf(action: string): unknown;
}

type Status = "Succeeded" | "Failed" | "Skipped";

export interface FlowInput {
  /** By schema name of the environment variable. Default: the default value. */
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly trigger?: unknown;
  /** Sends the request of an action. */
  readonly call: (call: FlowCall) => Promise<FlowAnswer>;
}

export async function runFlow(
  definition: FlowDefinition,
  { variables = {}, trigger = null, call }: FlowInput,
): Promise<FlowRun> {
  const calls: FlowCall[] = [];
  const statuses = new Map<string, Status>();
  const outputs = new Map<string, { body?: unknown }>();
  const parameters = Object.fromEntries(
    Object.entries(definition.parameters).map(([name, { defaultValue, metadata }]) => [
      name,
      (metadata === undefined ? undefined : variables[metadata.schemaName]) ?? defaultValue,
    ]),
  );
  const state: FlowState = { parameters, trigger, outputs };

  async function runOne(name: string, action: FlowAction): Promise<Status> {
    if (action.type === "If") {
      const branch = isTrue(evaluated(action.expression, state)) ? action.actions : action.else?.actions;
      const ended = await runAll(branch ?? {});
      return ended.includes("Failed") ? "Failed" : "Succeeded";
    }
    const one = { name, type: action.type, inputs: evaluated(action.inputs, state) as FlowCall["inputs"] };
    calls.push(one);
    const { failed, body } = await call(one);
    outputs.set(name, { body });
    return failed ? "Failed" : "Succeeded";
  }

  async function runAll(actions: FlowActions): Promise<Status[]> {
    const open = new Map(Object.entries(actions));
    const ended: Status[] = [];
    while (open.size > 0) {
      const next = [...open].find(([, { runAfter = {} }]) =>
        Object.keys(runAfter).every((before) => statuses.has(before)),
      );
      if (next === undefined) throw new Error(`No action can run: ${[...open.keys()].join(", ")}.`);
      const [name, action] = next;
      open.delete(name);
      const ready = Object.entries(action.runAfter ?? {}).every(([before, allowed]) =>
        allowed.includes(statuses.get(before) ?? ""),
      );
      const status = ready ? await runOne(name, action) : "Skipped";
      statuses.set(name, status);
      ended.push(status);
    }
    return ended;
  }

  await runAll(definition.actions);
  return { calls, statuses, bodyOf: (action) => outputs.get(action)?.body };
}

// ---------------------------------------------------------------------------------------------------------------

/** `{ and: […] }`, `{ not: … }`, `{ equals: [a, b] }`. */
function isTrue(expression: unknown): boolean {
  const [[operator, value] = []] = Object.entries(expression as Record<string, unknown>);
  switch (operator) {
    case "and":
      return (value as unknown[]).every(isTrue);
    case "not":
      return !isTrue(value);
    case "equals": {
      const [one, other] = value as unknown[];
      return one === other;
    }
    default:
      throw new Error(`The runner does not know the condition ${operator}.`);
  }
}
