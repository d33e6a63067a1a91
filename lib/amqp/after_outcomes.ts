/**
 * The library tells of a loss at once, and of the outcomes that came before it a tick later: to hear of those first saves messages
 * from being sent again.
 */
export function afterOutcomes(action: () => void): void {
  setTimeout(action, 0);
}
