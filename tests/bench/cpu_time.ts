import process from "node:process";

/** Returns the CPU time that this process has taken so far, user and system, in microseconds. */
export function cpuInUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
