/** The flows of the playground, in the order of their buttons. */
import type { Flow } from "./flow.ts";
import { grantFlows } from "./grant-flows.ts";
import { refusalFlows } from "./refusal-flows.ts";
import { signInFlows } from "./sign-in-flows.ts";
import { tokenFlows } from "./token-flows.ts";

export const flows: readonly Flow[] = [...tokenFlows, ...signInFlows, ...grantFlows, ...refusalFlows];
