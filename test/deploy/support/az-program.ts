/** The stand-in as a program: `az` on the path of a test. What was made is in the file of STAND_IN_STATE. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { answerAz, type Cloud, createCloud } from "./stand-in-az.ts";

const path = process.env["STAND_IN_STATE"] ?? "";
const cloud = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Cloud) : createCloud();
const { code, out, errors } = answerAz(cloud, process.argv.slice(2));
writeFileSync(path, JSON.stringify(cloud));
process.stdout.write(out);
process.stderr.write(errors);
process.exitCode = code;
