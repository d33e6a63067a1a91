/** How many bytes are asked for at a time: each request costs as much as thousands of bytes. */
const POOL_BYTES = 4096;

let pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** Returns random bytes that nobody else is given; at most 4096. They are a view, so who keeps them copies them. */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  if (used + count > POOL_BYTES) {
    pool = crypto.getRandomValues(new Uint8Array(POOL_BYTES));
    used = 0;
  }
  return pool.subarray(used, used += count);
}
