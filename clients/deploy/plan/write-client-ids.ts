/** Puts the client ids of the registrations into the text of a parameter file. Pure. */
import type { WrittenClientId } from "./plan.ts";

export interface Rewritten {
  readonly text: string;
  /** The registrations whose id changed. */
  readonly changed: readonly WrittenClientId[];
  /** The registrations whose old id is not in the text exactly once, so that a person must write the new one. */
  readonly unclear: readonly WrittenClientId[];
}

/** `written` has the ids in the file, `registered` those of Entra. */
export function writeClientIds(
  text: string,
  written: readonly WrittenClientId[],
  registered: readonly WrittenClientId[],
): Rewritten {
  const changes = registered.flatMap(({ registration, clientId }) => {
    const old = written.find((one) => one.registration === registration)?.clientId;
    return old?.toLowerCase() === clientId.toLowerCase() ? [] : [{ registration, clientId, old }];
  });
  const unclear = changes.filter(({ old }) => old === undefined || count(text, old) !== 1);
  const clear = changes.filter((change) => !unclear.includes(change));
  const replaced = clear.reduce((result, { old, clientId }) => result.replace(old ?? "", clientId), text);
  const withoutOld = ({ registration, clientId }: WrittenClientId) => ({ registration, clientId });
  return { text: replaced, changed: clear.map(withoutOld), unclear: unclear.map(withoutOld) };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
