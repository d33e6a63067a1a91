import type { Json } from "./rest_caller.ts";

/** Completes all that a receiver of the vendor's SDK for back ends gets, and keeps it for those who wait for it. */
export class SdkInbox {
  readonly #received: Json[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(receiver: Json) {
    receiver.on("message", (message: Json) => {
      this.#received.push(...[JSON.parse(message.getData().toString())].flat());
      receiver.complete(message);
      for (const look of [...this.#waiting]) look();
    });
  }

  /** What there is about a device, when it is so much. */
  about(deviceId: string, count: number): Promise<Json[]> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.#received.filter((content) => content.deviceId === deviceId);
        if (found.length < count) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
