/**
 * Runs the suite in this process, against the hub that the first argument describes in JSON, and prints the results in
 * JSON.
 */
import process from "node:process";
import * as module from "../../mod.ts";
import { runConformance } from "./suite.ts";

const results = await runConformance(module, JSON.parse(process.argv[2]!));
process.stdout.write(JSON.stringify(results));
