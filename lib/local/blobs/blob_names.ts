/** What the name of a container must be. */
export const CONTAINER_NAME_RULE = "3 to 63 characters of a-z0-9, with single hyphens between them";
/** What the name of a blob must be. */
export const BLOB_NAME_RULE = "1 to 1,024 characters long, well-formed, with no segment that is . or ..";

/** The container that devices upload files to. It has an address of its own, without the name of the account. */
export const UPLOADS_CONTAINER = "device-uploads";

/** The form of {@linkcode CONTAINER_NAME_RULE}. */
export const CONTAINER_NAME: RegExp = /^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** The form of {@linkcode BLOB_NAME_RULE}: other names cannot stand in an address. */
export const BLOB_NAME: RegExp = /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\p{Surrogate}]{1,1024}$/su;
