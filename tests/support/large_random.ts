/** Has `Math.random` give nothing below `least`, until it is disposed. The numbers still differ, since names are made of them. */
export class LargeRandom implements Disposable {
  readonly #random = Math.random;

  constructor(least: number) {
    Math.random = () => least + this.#random() * (1 - least);
  }

  [Symbol.dispose](): void {
    Math.random = this.#random;
  }
}
