/** The exit code of a host whose app threw an uncaught exception after the start. */
export const WORKER_FAILED = 70;
