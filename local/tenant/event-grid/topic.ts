/** The events that the topic has accepted, in memory, and who may send. */
export interface Topic {
  /** As received, oldest first. */
  readonly events: Record<string, unknown>[];
  /** Principals with the role EventGrid Data Sender. */
  readonly senders: Set<string>;
  clear(): void;
}

export function createTopic(senders: readonly string[]): Topic {
  const events: Record<string, unknown>[] = [];
  const current = new Set(senders);
  return {
    events,
    senders: current,
    clear: () => {
      events.length = 0;
      for (const sender of senders) current.add(sender);
    },
  };
}
