/** Makes the `console.assert` of the documentation's examples throw, so that an example that is wrong fails its test. */
console.assert = (condition?: boolean, ...data: unknown[]): void => {
  if (!condition) throw new Error(`Assertion of an example failed${data.map((part) => `: ${part}`).join("")}`);
};
