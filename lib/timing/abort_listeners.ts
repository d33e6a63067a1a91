interface Followers {
  readonly actions: Set<() => void>;
  /** The one listener, which is there as long as there are actions. */
  readonly listener: () => void;
}

/**
 * The actions for each signal. A signal that many calls share has one listener for all of them, since runtimes search the
 * list of listeners for each that is added or removed.
 */
const followers = new WeakMap<AbortSignal, Followers>();

/** Calls `action` when a signal fires, until {@linkcode unfollow} is called with the same arguments. */
export function follow(signal: AbortSignal, action: () => void): void {
  let found = followers.get(signal);
  if (found === undefined) {
    const actions = new Set<() => void>();
    const listener = (): void => actions.forEach((act) => act());
    followers.set(signal, found = { actions, listener });
  }
  if (found.actions.size === 0) signal.addEventListener("abort", found.listener);
  found.actions.add(action);
}

/** Ends what {@linkcode follow} began. */
export function unfollow(signal: AbortSignal, action: () => void): void {
  const found = followers.get(signal);
  if (found?.actions.delete(action) && found.actions.size === 0) signal.removeEventListener("abort", found.listener);
}
