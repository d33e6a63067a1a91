import type { DocumentShape } from "../records/document_shape.ts";

/** Documents that a condition can be about, each made from a record. */
export interface Documents<R> {
  /** Their name after FROM, in lower case, such as `devices.modules`. */
  readonly name: string;
  /** How they and their members are had from a record. */
  readonly shape: Pick<DocumentShape<R, object>, "build" | "nameLike" | "reader">;
  /** Whether it is an error to name a member that none of them has. Left out, such a member just has no value. */
  readonly hasFixedMembers?: boolean | undefined;
}

/** Documents that a query can be made of. */
export interface Collection<R extends { readonly sequence: number }> extends Documents<R> {
  /** What a page of whole documents says it contains, in the header `x-ms-item-type`. */
  readonly itemType: string;
  /** The records in the order of their creation. */
  readonly records: {
    /** Returns the records with a higher sequence number. */
    after(sequence: number): Iterable<R>;
  };
}
