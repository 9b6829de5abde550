// A vitest reporter: names every test that passed only when it was looked at again, so that a race cannot hide behind
// the second look that tests with real sockets get. Prints them, and keeps them for the summary.
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
