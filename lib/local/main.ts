#!/usr/bin/env node
/**
 * The local hub as a program of its own, for whoever works in another language or at a shell.
 *
 * ```sh
 * deno task hub --help
 * npx iothub-local-hub --help
 * ```
 *
 * @module
 */
import process from "node:process";
import { runProgram } from "./program/program.ts";

process.exitCode = await runProgram(process.argv.slice(2));
