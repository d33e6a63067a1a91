import { DigitalTwins } from "./digital_twins.ts";

/**
 * Works with the devices of an IoT hub in the terms of their models, as IoT Plug and Play has them: properties, components
 * and commands.
 *
 * It is created by one of its three factories, opens no connection before its first call, and shares nothing with other
 * clients unless it was created by `fromManager`. Close it when it is no longer needed.
 */
export class DigitalTwinClient extends DigitalTwins {}
