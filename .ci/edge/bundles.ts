import { join } from "node:path";
import type { Esbuild } from "./tools.ts";

/** For whom a bundle is: who has no Node modules, or a Worker with Node compatibility. */
export type Platform = "web" | "worker with Node";

/** Makes single files of this project's modules, as its users do. */
export class Bundles {
  readonly #esbuild: Esbuild;
  readonly #root: string;

  constructor(esbuild: Esbuild, root: string) {
    this.#esbuild = esbuild;
    this.#root = root;
  }

  /** Bundles a program; it may import this package by its name. Rejects when it cannot be built for the platform. */
  async build(program: string, platform: Platform): Promise<string> {
    const { outputFiles: [file] } = await this.#esbuild.build({
      stdin: { contents: program, resolveDir: this.#root, loader: "ts" },
      bundle: true,
      format: "esm",
      target: "es2022",
      write: false,
      logLevel: "silent",
      alias: {
        "@iothub/registry-manager": join(this.#root, "mod.ts"),
        "@iothub/registry-manager/http": join(this.#root, "lib/http.ts"),
      },
      ...(platform === "web" ? {} : NODE_OPTIONS),
    });
    return file!.text;
  }
}

/** A dependency in CommonJS asks for Node's modules by `require`, which a module Worker has only when it is made. */
const NODE_OPTIONS = {
  platform: "node",
  conditions: ["workerd"],
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("file:///");' },
};
