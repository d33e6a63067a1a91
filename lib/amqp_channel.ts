import { DEFAULT_ATTEMPT_TIMEOUT_IN_MS } from "./client/client_options.ts";
import { userAgent } from "./client/user_agent.ts";
import { MessageChannel } from "./messages/message_channel.ts";
import { resolveRetryOptions } from "./timing/retry_options.ts";
import { type HubClient, viewOf } from "./transport/hub_client.ts";
import type { SharedHub } from "./transport/shared_hub.ts";

/** The channel of each hub, which all its clients share. */
const channels = new WeakMap<SharedHub, MessageChannel>();

/** Returns the channel for the messages and events of a client, which all clients of its hub share. */
export function channelOf(client: HubClient): MessageChannel {
  const { hub } = viewOf(client);
  let channel = channels.get(hub);
  if (channel === undefined) {
    channel = makeChannel(hub);
    channels.set(hub, channel);
    hub.parts.add(channel);
  }
  return channel;
}

/** Creates a channel. Here the message code, which does not depend on AMQP, is given the code that does. */
function makeChannel({ access, options }: SharedHub): MessageChannel {
  return new MessageChannel(options.timeoutInMs, access.sight, async () => {
    const { AmqpConnection } = await import("./amqp/amqp_connection.ts");
    return new AmqpConnection({
      ...access,
      sasTokenTtlInSeconds: options.sasTokenTtlInSeconds,
      endpoint: options.amqpEndpoint,
      transportType: options.transportType,
      tls: options.tls,
      proxy: options.proxy,
      userAgent: userAgent(options.userAgentPrefix) ?? "",
      retryOptions: resolveRetryOptions(options.retryOptions),
      attemptTimeoutInMs: options.attemptTimeoutInMs ?? DEFAULT_ATTEMPT_TIMEOUT_IN_MS,
    });
  });
}
