import fc from "fast-check";
import type { Json } from "./rest_caller.ts";

export const DEVICES = ["a", "b"] as const;
export const CONFIGURATIONS = ["one", "two", "three"] as const;

/** A target condition, and what it means. */
export interface StepCondition {
  readonly text: string;
  readonly holds: (twin: { id: string; tags: Json; reported: Json }) => boolean;
}

/** The conditions of the steps; those for modules follow `from devices.modules where`. */
export const CONDITIONS: readonly StepCondition[] = [
  { text: "deviceId = 'a'", holds: ({ id }) => id === "a" },
  { text: "tags.site = 'oslo'", holds: ({ tags }) => tags.site === "oslo" },
  { text: "NOT IS_DEFINED(tags.site)", holds: ({ tags }) => tags.site === undefined },
  { text: "tags.site != 'rome'", holds: ({ tags }) => tags.site !== undefined && tags.site !== "rome" },
  { text: "properties.reported.level > 1", holds: ({ reported }) => reported.level > 1 },
  {
    text: "tags.site = 'rome' OR properties.reported.level = 0",
    holds: ({ tags, reported }) => tags.site === "rome" || reported.level === 0,
  },
];

const condition = fc.oneof(
  { weight: 2, arbitrary: fc.nat(CONDITIONS.length - 1) },
  { weight: 2, arbitrary: fc.constant("*" as const) },
  { weight: 1, arbitrary: fc.constant("" as const) },
);

const value = fc.constantFrom<Json>(1, 2, { x: 1 }, { x: 2, y: { z: 1 } }, { y: null }, [1], null);
const object = fc.constantFrom<Json>({}, { p: 1 }, { p: { x: 1 }, q: 2 });
/** Settings of a twin, each under its path. */
const settings = fc.record({
  "properties.desired": object,
  "properties.desired.p": value,
  "properties.desired.p.x": value,
  "properties.desired.q": value,
}, { requiredKeys: [] });
const agent = fc.constantFrom<Json>({ modules: {} }, { modules: { m: { v: 1 } } }, { modules: { m: {}, n: { v: 2 } } });
const layer = fc.record({
  $edgeAgent: fc.record({ "properties.desired.modules.n": value }),
  m: settings,
}, { requiredKeys: ["m"] });

const content = fc.oneof(
  fc.record({ deviceContent: settings }),
  fc.record({ moduleContent: settings }),
  fc.record({
    modulesContent: fc.record({
      $edgeAgent: fc.record({ "properties.desired": agent }),
      $edgeHub: fc.constant({ "properties.desired": { routes: {} } }),
      m: settings,
    }, { requiredKeys: ["$edgeAgent"] }),
  }),
  fc.record({ modulesContent: layer }),
);

const id = fc.constantFrom(...CONFIGURATIONS);
const device = fc.constantFrom(...DEVICES);
const twin = fc.constantFrom(...DEVICES, "a/m", "b/m", "a/$edgeAgent");

/** Something that configurations follow. */
export type Step =
  | { readonly kind: "create"; readonly device: string; readonly isEdge: boolean }
  | { readonly kind: "delete" | "toggleEdge" | "addModule"; readonly device: string }
  | { readonly kind: "tag"; readonly twin: string; readonly site: string | null }
  | { readonly kind: "report"; readonly twin: string; readonly level: number }
  | { readonly kind: "desire"; readonly twin: string; readonly desired: Json; readonly p: Json }
  | {
    readonly kind: "put";
    readonly id: string;
    readonly content: Json;
    /** The place of a condition among {@linkcode CONDITIONS}, or what stands for all or none. */
    readonly condition: number | "*" | "";
    readonly priority: number;
  }
  | { readonly kind: "drop"; readonly id: string }
  | { readonly kind: "apply"; readonly device: string; readonly content: Json };

export const ANY_STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("create" as const), device, isEdge: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("delete" as const, "toggleEdge" as const, "addModule" as const), device }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("tag" as const), twin, site: fc.constantFrom("oslo", "rome", null) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("report" as const), twin, level: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("desire" as const), twin, desired: object, p: value }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("put" as const), id, content, condition, priority: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("drop" as const), id }) },
  fc.record({ kind: fc.constant("apply" as const), device, content: layer }),
);

/** Steps that begin with a few devices. */
export const ANY_STEPS: fc.Arbitrary<Step[]> = fc.array(ANY_STEP, { minLength: 10, maxLength: 25, size: "max" })
  .map((steps) => [
    { kind: "create", device: "a", isEdge: true },
    { kind: "create", device: "b", isEdge: false },
    { kind: "addModule", device: "b" },
    ...steps,
  ]);
