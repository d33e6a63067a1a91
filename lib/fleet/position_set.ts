/** A set of positions that takes a bit for each, since there may be millions. */
export class PositionSet {
  #bits = new Uint32Array(1024);

  add(position: number): void {
    const index = position >>> 5;
    if (index >= this.#bits.length) {
      const grown = new Uint32Array(Math.max(index + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[index]! |= 1 << (position & 31);
  }

  has(position: number): boolean {
    return ((this.#bits[position >>> 5] ?? 0) & (1 << (position & 31))) !== 0;
  }
}
