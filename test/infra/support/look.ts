/** Ways to look at a deployment. */
import type { Deployed, Deployment } from "./deploy.ts";

export function ofType(deployment: Deployment, type: string): Deployed[] {
  return deployment.resources.filter((resource) => resource.type === type);
}

/** The one resource of a type, or the one of them whose name ends so. */
export function the(deployment: Deployment, type: string, name = ""): Deployed {
  const [found, ...others] = ofType(deployment, type).filter((resource) => resource.name.endsWith(name));
  if (found === undefined || others.length > 0) {
    throw new Error(`${found === undefined ? "no" : others.length + 1} ${type} ${name}`);
  }
  return found;
}

/** A value inside a resource, by a dotted path; undefined where there is none. */
export function value(resource: Deployed, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (holder, key) =>
        typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[key] : undefined,
      resource.body,
    );
}

/** How the compiler writes a value that only Azure knows once the resource is there. */
export function reference(resource: Deployed, path: string): string {
  return `reference('${resource.id}', '${resource.apiVersion}').${path}`;
}

/** Whether a value is known before the deployment. */
export function isKnown(text: string): boolean {
  return !text.startsWith("[");
}
