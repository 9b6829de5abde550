/** Mistakes of `policy explain` in the words of the command line. Pure. */
import { FLOW_NAMES } from "../../shared/core/flow-name.ts";
import { describeMember, type RequestFailure } from "./ask.ts";
import type { PolicyOptions } from "./policy-command-line.ts";

/** The options of the members of a question that have other names. */
const OPTIONS: Readonly<Record<string, string>> = {
  redirectUri: "redirect-uri",
  offlineAccess: "offline-access",
  "call.method": "method",
  "call.path": "path",
};

export function inOptions(failure: RequestFailure, { flow = "", ...options }: PolicyOptions): string {
  const member = failure.parameter?.replace(/\.\d+.*$/, "") ?? "";
  const option = `--${OPTIONS[member] ?? member}`;
  if (failure.problem === "parameter_missing") return missing(member, flow, option);
  if (failure.problem === "parameter_invalid" && member === "flow") return `--flow must be ${oneOf(FLOW_NAMES)}`;
  if (failure.problem === "parameter_not_supported") {
    return options.grant !== undefined && options.import === true && flow === "refresh-token" && member === "import"
      ? "choose --grant or --import"
      : `--flow ${flow} takes no ${option}`;
  }
  return failure.parameter === undefined ? describeMember(failure) : describeMember({ ...failure, parameter: option });
}

// ---------------------------------------------------------------------------------------------------------------

function missing(member: string, flow: string, option: string): string {
  if (member === "grant") return `--flow ${flow} needs --grant or --import`;
  if (member === "subject") return `--flow ${flow} of an application needs --subject`;
  return `--flow ${flow} needs ${option}`;
}

function oneOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
