// A vitest reporter: names every test that passed only when CI repeated it, so that a race stays visible.
export default class RetriedTests {
  onTestCaseResult(testCase) {
    if ((testCase.diagnostic()?.retryCount ?? 0) > 0 && testCase.ok()) {
      console.log(`PASSED ON RETRY ${testCase.module.relativeModuleId} › ${testCase.fullName}`);
    }
  }
}
