/**
 * Loaded into Azurite's process before Azurite. It reports the port on which Azurite listens, because Azurite prints only
 * the port that was requested. It ends the process when its parent was killed, because Azurite would continue.
 */
import { Server } from "node:net";

const { listen } = Server.prototype;
Server.prototype.listen = function (...parameters) {
  this.once("listening", () => process.send({ port: this.address().port }));
  return listen.apply(this, parameters);
};
process.on("disconnect", () => process.exit());
