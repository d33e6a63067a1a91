/**
 * Runs `action` after pending outcomes were reported. The library reports a loss at once but the outcomes that came
 * before it a tick later, and messages that have their outcome need not be sent again.
 */
export function afterOutcomes(action: () => void): void {
  setTimeout(action, 0);
}
