/**
 * Control operations for the Event Grid topic. For an outage, use a scripted response:
 * `{ endpoint: "event-grid", status: 503, times: 0 }`.
 */
import type { Directory } from "../directory/directory.ts";
import type { Topic } from "../event-grid/topic.ts";
import { TOPIC_PATH } from "../event-grid/topic-endpoint.ts";

export interface TopicTenant {
  readonly url: string;
  readonly directory: Directory;
  readonly topic: Topic;
}

export function createTopicOperations({ url, directory, topic }: TopicTenant) {
  return {
    /** What the topic accepted, oldest first. */
    topicEvents: () => ({ endpoint: `${url}${TOPIC_PATH}`, events: [...topic.events] }),
    /** Gives or takes the role EventGrid Data Sender. Default: the system-assigned identity. */
    setTopicSender: ({ sends, principal = "systemIdentity" }: { sends: boolean; principal?: string }) => {
      const oid = directory.registration(principal)?.objectId ?? principal;
      if (sends) topic.senders.add(oid);
      else topic.senders.delete(oid);
    },
  };
}
