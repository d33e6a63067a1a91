import { renderDeviceOperations, renderLinks, renderOperations, renderProtocols } from "./hub_section.ts";
import { renderHubInCi, renderProgramUsers } from "./program_section.ts";
import { renderReliability, renderRepetitions } from "./reliability_section.ts";

/** A part of a document that is made from what the code and the tests hold. */
export interface GeneratedTable {
  /** From the folder of the project. */
  readonly file: string;
  /** The name in the marks that it stands between. */
  readonly name: string;
  readonly render: () => string | Promise<string>;
}

/** Every generated part of the documents, save the table of runtimes, which takes all runtimes to make. */
export const GENERATED_TABLES: readonly GeneratedTable[] = [
  { file: "lib/transport/README.md", name: "reliability", render: renderReliability },
  { file: "lib/transport/README.md", name: "repetitions", render: renderRepetitions },
  { file: "lib/local/README.md", name: "program users", render: renderProgramUsers },
  { file: "lib/local/README.md", name: "hub in CI", render: renderHubInCi },
  { file: "lib/local/README.md", name: "protocols", render: renderProtocols },
  { file: "lib/local/README.md", name: "operations", render: renderOperations },
  { file: "lib/local/README.md", name: "links", render: renderLinks },
  { file: "lib/local/README.md", name: "device operations", render: renderDeviceOperations },
];
