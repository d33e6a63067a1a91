import { checkText } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import { MODEL_ID } from "../presence/model_id.ts";

/** What a {@linkcode LocalDevice} is besides its id. */
export interface LocalDeviceOptions {
  /**
   * The model that the device announces when it connects, such as `"dtmi:com:example:Thermostat;1"`. The hub shows it in
   * the twin and in the digital twin of the device, also after the device has disconnected.
   */
  modelId?: string | undefined;
}

/** Throws unless each option is what it should be. */
export function checkLocalDeviceOptions(options: LocalDeviceOptions): void {
  checkMembers("options", options, ["modelId"]);
  const { modelId } = options;
  if (modelId !== undefined) {
    checkText("modelId", modelId, MODEL_ID, "a model id such as dtmi:com:example:Thermostat;1");
  }
}
