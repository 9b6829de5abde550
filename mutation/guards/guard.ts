/** One guard, how it is lost, and the tests that must notice. */
export interface Guard {
  /** What is no longer true without it. */
  readonly claim: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly from: string;
  readonly to: string;
  readonly test: string;
  /** Titles as in the source; at least one of these tests fails without the guard. */
  readonly titles: readonly string[];
}
