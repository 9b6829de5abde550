/** The name of an API as people know it. They know Microsoft Graph by Microsoft's name, not by the policy's. */
import { isGraph } from "../core/graph-resource.ts";

export interface ShownApi {
  /** In the policy. */
  readonly name: string;
  readonly resource: string;
}

export function apiTitle({ name, resource }: ShownApi): string {
  return isGraph(resource) ? "Microsoft Graph" : name;
}
