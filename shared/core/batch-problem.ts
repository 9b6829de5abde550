/** Why the service cannot check a batch. */
export type BatchProblem =
  | "not_json"
  | "charset"
  | "form"
  | "too_many"
  | "too_many_values"
  | "nested"
  | "method"
  | "target";
