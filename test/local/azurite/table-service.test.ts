/**
 * Azurite's table service in place of the grant store: the features that grants need.
 */
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, expect, test } from "vitest";
import { devStoreAccount, startTableService, type TableService } from "../../../local/azurite/table-service.ts";

let tables: TableService;
let client: TableClient;
beforeAll(async () => {
  tables = await startTableService();
  const credential = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
  client = new TableClient(tables.url, "grants", credential, { allowInsecureConnection: true });
  await client.createTable();
});
afterAll(() => tables.stop());

test("the table service listens on loopback", () => {
  expect(tables.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1$/);
});

test("the table service inserts and reads an entity and refuses a second insert", async () => {
  await client.createEntity({ partitionKey: "p", rowKey: "one", sealed: "x" });
  expect(await client.getEntity("p", "one")).toMatchObject({ sealed: "x" });
  await expect(client.createEntity({ partitionKey: "p", rowKey: "one" })).rejects.toMatchObject({ statusCode: 409 });
});

test("a replacement with an old ETag is refused with 412", async () => {
  await client.createEntity({ partitionKey: "p", rowKey: "two", sealed: "1" });
  const { etag } = await client.getEntity("p", "two");
  const replace = (sealed: string) =>
    client.updateEntity({ partitionKey: "p", rowKey: "two", sealed }, "Replace", { etag });
  await replace("2");
  await expect(replace("3")).rejects.toMatchObject({ statusCode: 412 });
  expect(await client.getEntity("p", "two")).toMatchObject({ sealed: "2" });
});

test("a wrong key is refused", async () => {
  const credential = new AzureNamedKeyCredential(devStoreAccount.name, Buffer.alloc(64).toString("base64"));
  const stranger = new TableClient(tables.url, "grants", credential, { allowInsecureConnection: true });
  await expect(stranger.getEntity("p", "one")).rejects.toMatchObject({ statusCode: 403 });
});

test("a table service that ends unexpectedly is reported", async () => {
  const own = await startTableService();
  process.kill(own.pid, "SIGTERM");
  await own.endedUnexpectedly;
});
