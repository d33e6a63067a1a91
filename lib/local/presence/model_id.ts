/** The id of a model: names that are separated by colons, and a version after a semicolon. */
export const MODEL_ID: RegExp =
  /^dtmi:[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?(?::[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z0-9])?)*;[1-9]\d{0,8}(?:\.\d{1,6})?$/;
