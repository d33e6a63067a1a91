/** The form of a version of the API, which is a date. */
export const API_VERSION: RegExp = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;
