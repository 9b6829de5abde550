/** `policy explain <file>`: what one request of a caller gets, by the rules of the service, without a service. */
import { type Answer, ask, describeRefusal } from "./ask.ts";
import { POLICY_EXIT } from "./exit-codes.ts";
import type { PolicyCommand } from "./policy-command.ts";
import { type PolicyOptions, requireOperands, UsageError } from "./policy-command-line.ts";
import { inOptions } from "./question-options.ts";
import { readPolicy } from "./read-policy.ts";

export const explain: PolicyCommand = ({ operands, options, terminal }) => {
  const [path] = requireOperands("explain", operands, ["file"]);
  const read = readPolicy(path, terminal);
  if (read === undefined) return POLICY_EXIT.errors;
  const answer = ask(read.policy, toQuestion(options), (failure) => inOptions(failure, options));
  if (options.json === true) terminal.out(`${JSON.stringify(answer, undefined, 2)}\n`);
  else terminal.out(`${describe(answer).join("\n")}\n`);
  for (const finding of read.findings.filter(({ severity, entry }) => severity === "error" && entry === answer.entry)) {
    terminal.note(`${path}:${finding.line}: ${finding.message}\n  effect: ${finding.effect}`);
  }
  return answer.allowed ? POLICY_EXIT.ok : POLICY_EXIT.errors;
};

// ---------------------------------------------------------------------------------------------------------------

function toQuestion(options: PolicyOptions) {
  const { caller, flow, api, subject, grant } = options;
  const missing = [...(caller === undefined ? ["--caller"] : []), ...(flow === undefined ? ["--flow"] : [])];
  if (missing.length > 0) throw new UsageError(`explain needs ${missing.join(" and ")}`);
  return {
    caller,
    flow,
    ...(options.registration === undefined ? {} : { registration: options.registration }),
    ...(api === undefined ? {} : { api }),
    ...(options.scopes === undefined ? {} : { scopes: words(options.scopes) }),
    ...(options["offline-access"] === true ? { offlineAccess: true } : {}),
    ...(subject === undefined ? {} : { subject }),
    ...(grant === undefined ? {} : { grant: grant.map(toApiScopes) }),
    ...(options.import === true ? { import: true } : {}),
    ...relayCall(options),
    ...(options["redirect-uri"] === undefined ? {} : { redirectUri: options["redirect-uri"] }),
  };
}

/** `<api>=<scopes>` */
function toApiScopes(text: string) {
  const [api = "", scopes = ""] = text.split("=");
  return { api, scopes: words(scopes) };
}

function relayCall({ method, path }: PolicyOptions) {
  if (path === undefined && method !== undefined) throw new UsageError("--method needs --path");
  return path === undefined ? {} : { call: { method: method ?? "GET", path } };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

function describe(answer: Answer): string[] {
  if (!answer.allowed) {
    const rule = answer.entry === undefined ? "no entry matches the caller" : `entry ${answer.entry}`;
    const advice = answer.reason === "api_not_named" ? ["  to ask about one API, add --api"] : [];
    return [`refused (${rule})`, `  the caller gets ${describeRefusal(answer)}`, ...advice];
  }
  const { entry, flow, api, also, scopes, releasable, acceptSurplus, offlineAccess, grantMaxDays, downstream } = answer;
  return [
    `allowed (entry ${entry})`,
    `  flow                  ${flow}`,
    `  API                   ${api.name} (${api.resource})`,
    `  requested from Entra  ${scopes.join(" ")}`,
    downstream === undefined
      ? `  released at most      ${acceptSurplus ? "every consented scope" : releasable.join(" ")}`
      : `  relay rule            ${downstream.rule} (the token is not released)`,
    ...also.map((other) => `  grant also for        ${other.api.name}: ${other.scopes.join(" ")}`),
    ...(offlineAccess ? [`  grant                 for at most ${grantMaxDays} days`] : []),
  ];
}
