/** A generator of random numbers from 0 to 1 that gives the same ones for the same seed. */
export type Random = () => number;

/** Mulberry32: small, quick, and good enough to choose with. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed from a text, FNV-1a. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** One of several. */
export function choose<T>(random: Random, options: readonly T[]): T {
  return options[Math.floor(random() * options.length)]!;
}
