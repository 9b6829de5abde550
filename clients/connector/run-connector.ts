/** Runs one command of `npm run connector`. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../shared/core/json-text.ts";
import { settingsFailure } from "../cli/cli-failure.ts";
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import type { Terminal } from "../cli/terminal.ts";
import { reportFailure } from "../cli/tool-failure.ts";
import { type Command, readCommand, usage } from "./command-line.ts";
import { readConnector, readJson } from "./connector-files.ts";
import { definitionFindings } from "./definition-rules.ts";
import { fillDefinition, fillProperties } from "./fill-files.ts";
import type { Finding } from "./finding.ts";
import { registrationFindings } from "./registration-rules.ts";
import { changeFindings, isSharedRedirect, otherFindings, signInFindings } from "./sign-in-rules.ts";

const SOURCE = join(import.meta.dirname, "../../connectors/power-platform");
const ICON = "icon.png";

export interface ConnectorProgram {
  readonly terminal: Terminal;
  /** How the person started it. */
  readonly program: string;
  readonly nowMs: () => number;
}

export function connectorProgram(args: readonly string[], { terminal, program, nowMs }: ConnectorProgram): ExitCode {
  if (args.includes("--help") || args.includes("-h")) {
    terminal.out(`${usage(program)}\n`);
    return EXIT.ok;
  }
  try {
    return run(readCommand(args), terminal, nowMs());
  } catch (error) {
    return reportFailure(error, terminal, usage(program));
  }
}

// ---------------------------------------------------------------------------------------------------------------

function run(command: Command, terminal: Terminal, nowMs: number): ExitCode {
  switch (command.name) {
    case "check": {
      const findings = check(command, nowMs);
      terminal.out(
        findings.map(({ level, code, message }) => `${level} ${code}: ${message}\n`).join("") || "No finding.\n",
      );
      return findings.some(({ level }) => level === "error") ? EXIT.internal : EXIT.ok;
    }
    case "fill":
      fill(command);
      terminal.note(`${command.folder} has the files to import.`);
      return EXIT.ok;
    case "parameters":
      terminal.out(`${JSON.stringify(parameters(command), undefined, 2)}\n`);
      return EXIT.ok;
  }
}

function check(command: Extract<Command, { name: "check" }>, nowMs: number): Finding[] {
  const connector = readConnector(command.folder);
  const { registration, credentials, before, others } = command;
  return [
    ...definitionFindings(connector),
    ...signInFindings(connector),
    ...others.flatMap((folder) => otherFindings(connector, readConnector(folder))),
    ...(before === undefined ? [] : changeFindings(connector, readConnector(before))),
    ...(registration === undefined
      ? []
      : registrationFindings(connector, {
          application: readJson(registration),
          credentials: credentials === undefined ? undefined : readList(credentials),
          nowMs,
        })),
  ];
}

function readList(path: string): readonly unknown[] {
  const value = parseJson(readFileSync(path, "utf8"));
  if (!Array.isArray(value)) throw settingsFailure(`${path} is not a JSON list.`);
  return value;
}

function fill({ folder, deployment }: Extract<Command, { name: "fill" }>): void {
  if (existsSync(folder)) throw settingsFailure(`${folder} exists. Name a new folder.`);
  mkdirSync(folder, { recursive: true });
  const read = (name: string) => readJson(join(SOURCE, name));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write("apiDefinition.swagger.json", fillDefinition(read("apiDefinition.swagger.json"), deployment));
  write("apiProperties.json", fillProperties(read("apiProperties.json"), deployment));
  copyFileSync(join(SOURCE, ICON), join(folder, ICON));
}

/** A parameters file for the second run of infra/entra/entra.bicep. */
function parameters({ folder, connector, issuer, subject }: Extract<Command, { name: "parameters" }>): object {
  const { redirectUrl, clientId } = readConnector(folder).signIn;
  if (isSharedRedirect(redirectUrl))
    throw settingsFailure("The connector has no redirect URI yet. Save it once, then export it.");
  return {
    $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
    contentVersion: "1.0.0.0",
    parameters: {
      powerPlatform: {
        value: [
          { name: connector, clientId, connectorIssuer: issuer, connectorSubject: subject, redirectUri: redirectUrl },
        ],
      },
    },
  };
}
