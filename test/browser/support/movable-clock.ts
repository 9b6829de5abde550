/**
 * Loaded into the service's process before anything else (NODE_OPTIONS): a signal moves its clock ahead, the next one
 * back. So a cookie can expire that the browser, whose clock goes on as ever, still holds and sends.
 */
const AHEAD_MS = 11 * 60_000;

const trueNow = Date.now.bind(Date);
let moves = 0;
Date.now = () => trueNow() + (moves % 2) * AHEAD_MS;
process.on("SIGUSR2", () => {
  moves += 1;
  process.stdout.write(`clock moved ${moves} times\n`);
});
