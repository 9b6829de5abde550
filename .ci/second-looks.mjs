// A vitest reporter. Tests with real sockets are retried once. This reporter prints every test that passed only on the
// retry, so that a race does not stay unnoticed, and saves the names for the summary.
import { mkdirSync, writeFileSync } from "node:fs";

export default class SecondLooks {
  names = [];

  onTestCaseResult(testCase) {
    if ((testCase.diagnostic()?.retryCount ?? 0) > 0 && testCase.ok()) {
      this.names.push(`${testCase.module.relativeModuleId} › ${testCase.fullName}`);
    }
  }

  onTestRunEnd() {
    mkdirSync(".local", { recursive: true });
    writeFileSync(".local/second-looks.txt", this.names.map((name) => `${name}\n`).join(""));
    for (const name of this.names) {
      console.log(`SECOND LOOK ${name}`);
    }
  }
}
