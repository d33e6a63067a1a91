/** The time in milliseconds with fractions, which all processes of the machine share. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
