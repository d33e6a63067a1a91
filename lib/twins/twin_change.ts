import type { Twin } from "../../gen/types.gen.ts";
import type { ModifyOptions } from "../transport/modify.ts";
import type { TwinPatch } from "../requests/twin_patch.ts";

/** Returns the changes to write to a twin that was just read, or `undefined` to leave the twin unchanged. */
export type TwinChange<T extends Twin = Twin> = (twin: T) => TwinPatch | undefined | Promise<TwinPatch | undefined>;

/** The options of `modifyTwin` and `modifyModuleTwin`: the usual ones, and how often to try. */
export type ModifyTwinOptions = ModifyOptions;
