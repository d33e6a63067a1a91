import { type AnswerRest, restRouter } from "../rest/router.ts";
import { ROUTES } from "../rest/routes.ts";
import { DEVICE_ROUTES } from "./routes.ts";

/** Answers one request, be it of a back end or of a device. */
export const answerRest: AnswerRest = restRouter([...ROUTES, ...DEVICE_ROUTES]);
