import type { DeviceIdentities } from "../identities/device_identities.ts";
import type { ModuleIdentities } from "../identities/module_identities.ts";
import type { ModuleTwins } from "../twins/module_twins.ts";
import type { Twins } from "../twins/twins.ts";

/** What a run over identities needs: a registry manager, of either entry. */
export interface FleetRegistry extends DeviceIdentities, ModuleIdentities, Twins, ModuleTwins {}
