/** The platform's `CryptoKey`: the types of Node have no type of that name. */
export type CryptoKey = Parameters<typeof crypto.subtle.sign>[1];
