/** Functions that read a deployment. */
import type { Deployed, Deployment } from "./deploy.ts";

export function ofType(deployment: Deployment, type: string): Deployed[] {
  return deployment.resources.filter((resource) => resource.type === type);
}

/** The only resource of a type, or the only one whose name ends with `name`. */
export function the(deployment: Deployment, type: string, name = ""): Deployed {
  const [found, ...others] = ofType(deployment, type).filter((resource) => resource.name.endsWith(name));
  if (found === undefined || others.length > 0) {
    throw new Error(`${found === undefined ? "no" : others.length + 1} ${type} ${name}`);
  }
  return found;
}

/** A value of a resource by a dotted path, or undefined. */
export function value(resource: Deployed, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (holder, key) =>
        typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[key] : undefined,
      resource.body,
    );
}

/** The expression that the compiler writes for a value that is known only after the deployment. */
export function reference(resource: Deployed, path: string): string {
  return `reference('${resource.id}', '${resource.apiVersion}').${path}`;
}

/** Whether a value is known before the deployment. */
export function isKnown(text: string): boolean {
  return !text.startsWith("[");
}
