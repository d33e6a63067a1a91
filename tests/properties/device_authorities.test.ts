import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readCertificate } from "../../lib/local/auth/certificate_fields.ts";
import { DeviceAuthorities } from "../../lib/local/auth/device_authorities.ts";
import { issue, issueAuthority, type IssuedCertificate, makeKeys } from "../support/certificate_factory.ts";

const HOUR = 60 * 60 * 1000;
const NOW = Date.UTC(2026, 5, 1);
const GOOD = { notBefore: new Date(NOW - HOUR), notAfter: new Date(NOW + HOUR) };
const ROOT = issue({ commonName: "Root", isAuthority: true, ...GOOD });

/** Whether a device with these certificates is let in. */
function letsIn(
  chain: readonly IssuedCertificate[],
  { identity = "d", authorities = [ROOT], now = NOW }: {
    identity?: string;
    authorities?: readonly IssuedCertificate[];
    now?: number;
  } = {},
): boolean {
  return new DeviceAuthorities(authorities.map(({ cert }) => cert), () => now).vouchFor(
    chain.map(({ der }) => der),
    identity,
  );
}

/** Authorities below the root, the highest first, and the certificate of a device below them. */
function chainOf(count: number, change: (index: number) => Partial<Parameters<typeof issue>[0]> = () => ({})) {
  const authorities: IssuedCertificate[] = [];
  for (let index = 0; index < count; index++) {
    const issuer = authorities.at(-1) ?? ROOT;
    authorities.push(issue({ commonName: `CA ${index}`, issuer, isAuthority: true, ...GOOD, ...change(index) }));
  }
  const leaf = issue({ commonName: "d", issuer: authorities.at(-1) ?? ROOT, ...GOOD, ...change(count) });
  return { authorities, leaf, shown: [leaf, ...authorities.toReversed()] };
}

describe("A certificate that an authority has signed", () => {
  test("lets its device in, however long the chain is, in any order, with others among it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.infiniteStream(fc.nat()), fc.boolean(), (count, order, more) => {
        const { leaf, authorities } = chainOf(count);
        const others = more ? [issueAuthority("Stranger"), ROOT, leaf] : [];
        const shown = [...authorities, ...others].map((certificate) => [order.next().value!, certificate] as const)
          .sort(([one], [other]) => one - other).map(([, certificate]) => certificate);
        assert.equal(letsIn([leaf, ...shown]), true);
        assert.equal(letsIn([leaf, ...shown], { authorities: [issueAuthority("Stranger"), ROOT] }), true);
        assert.equal(letsIn([leaf, ...shown], { authorities: [issueAuthority()] }), false);
        assert.equal(letsIn([leaf, ...shown], { authorities: [] }), false);
        // Whoever the owner of the hub trusts need not have signed itself.
        if (count > 0) assert.equal(letsIn([leaf], { authorities: [authorities.at(-1)!] }), true);
      }),
      { numRuns: 25 },
    );
  });

  test("lets nobody in when a part of the chain is missing, or is not an authority, or is not valid now", () => {
    const break_ = fc.constantFrom(
      "missing",
      "no authority",
      "may not sign",
      "expired",
      "not yet",
      "another key",
      "too long",
      "critical",
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), break_, (count, at, how) => {
        const broken = at % count;
        const wishes: Record<string, Partial<Parameters<typeof issue>[0]>> = {
          "no authority": { isAuthority: false },
          "may not sign": { maySign: false },
          "expired": { notAfter: new Date(NOW - 1000) },
          "not yet": { notBefore: new Date(NOW + 1000) },
          "too long": { maxPathLength: count - broken - 2 },
          "critical": { criticalExtension: "2.5.29.30" },
        };
        if (how === "too long" && broken === count - 1) return;
        const { shown } = chainOf(count, (index) => index === broken ? wishes[how] ?? {} : {});
        const position = count - broken;
        if (how === "missing") shown.splice(position, 1);
        if (how === "another key") {
          const { wish } = shown[position]!;
          shown[position] = issue({ ...wish, keys: makeKeys() });
        }
        assert.equal(letsIn(shown), false);
      }),
      { numRuns: 60 },
    );
  });

  test("may be as far from an authority as that allows", () => {
    for (const maxPathLength of [0, 1, 2]) {
      const { shown } = chainOf(3, (index) => index === 0 ? { maxPathLength } : {});
      assert.equal(letsIn(shown), maxPathLength === 2);
    }
    const strict = issue({ commonName: "Root", isAuthority: true, maxPathLength: 0, keys: ROOT.keys, ...GOOD });
    assert.equal(letsIn(chainOf(0).shown, { authorities: [strict] }), true);
    assert.equal(letsIn(chainOf(1).shown, { authorities: [strict] }), false);
  });

  test("is good as long as all of the chain is, by the clock of the hub", () => {
    const { shown } = chainOf(2, (index) => index === 1 ? { notAfter: new Date(NOW + 1000) } : {});
    let now = NOW;
    const authorities = new DeviceAuthorities([ROOT.cert], () => now);
    const chain = shown.map(({ der }) => der);
    for (
      const [time, isGood] of [
        [NOW, true],
        [NOW + 1000, true],
        [NOW + 2000, false],
        [NOW - HOUR, true],
        [NOW - HOUR - 1000, false],
        [NOW, true],
      ] as const
    ) {
      now = time;
      assert.equal(authorities.vouchFor(chain, "d"), isGood, new Date(time).toISOString());
    }
    const late = { notBefore: new Date(NOW), notAfter: new Date(Date.UTC(2060, 0)) };
    const root = issue({ commonName: "Root", isAuthority: true, ...late });
    const leaf = issue({ commonName: "d", issuer: root, ...late });
    assert.equal(letsIn([leaf], { authorities: [root], now: Date.UTC(2055, 0) }), true);
    assert.equal(letsIn([leaf], { authorities: [root], now: Date.UTC(2061, 0) }), false);
    assert.equal(letsIn([issue({ commonName: "d", issuer: ROOT, ...late })], { now: NOW + 2 * HOUR }), false);
  });

  test("is for the identity alone that its common name is", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), fc.string({ unit: "grapheme" }), (name, other) => {
        const leaf = issue({ commonName: name, issuer: ROOT, ...GOOD });
        assert.equal(letsIn([leaf], { identity: name }), true);
        if (other !== name) assert.equal(letsIn([leaf], { identity: other }), false);
      }),
      { numRuns: 50 },
    );
    const organization = "2.5.4.10";
    for (
      const attributes of [
        [["2.5.4.3", "other"]],
        [[organization, "x\nCN=victim"]],
        [[organization, "x,CN=victim"]],
      ] as const
    ) {
      const leaf = issue({ commonName: "attacker", attributes, issuer: ROOT, ...GOOD });
      for (const identity of ["victim", "other"]) assert.equal(letsIn([leaf], { identity }), false);
    }
    const twice = issue({ commonName: "d", attributes: [["2.5.4.3", "other"]], issuer: ROOT, ...GOOD });
    assert.equal(letsIn([twice]), false);
    assert.equal(letsIn([issue({ commonName: "d/m", issuer: ROOT, ...GOOD })], { identity: "d/m" }), true);
    assert.equal(letsIn([issue({ commonName: "d/m", issuer: ROOT, ...GOOD })], { identity: "d" }), false);
  });

  test("is not signed by the certificate of another device", () => {
    const device = issue({ commonName: "other", issuer: ROOT, ...GOOD });
    const leaf = issue({ commonName: "d", issuer: device, ...GOOD });
    assert.equal(letsIn([leaf, device]), false);
    assert.equal(letsIn([issue({ commonName: "d", ...GOOD })]), false);
  });

  test("is found among authorities that have signed each other, at a bounded cost", () => {
    const [one, other] = [makeKeys(), makeKeys()];
    const names = { one: { commonName: "One", keys: one }, other: { commonName: "Other", keys: other } };
    const root = (wish: { commonName: string; keys: typeof one }) => issue({ ...wish, isAuthority: true, ...GOOD });
    const [first, second] = [root(names.one), root(names.other)];
    const cross = [
      issue({ ...names.one, issuer: second, isAuthority: true, ...GOOD }),
      issue({ ...names.other, issuer: first, isAuthority: true, ...GOOD }),
    ];
    const leaf = issue({ commonName: "d", issuer: first, ...GOOD });
    assert.equal(letsIn([leaf, ...cross, first, second]), false);
    const byRoot = issue({ ...names.other, issuer: ROOT, isAuthority: true, ...GOOD });
    assert.equal(letsIn([leaf, ...cross, first, second, byRoot]), true);
    const many = Array.from({ length: 50 }, () => cross).flat();
    assert.equal(letsIn([leaf, ...many, byRoot]), false, "what comes after the tenth is not looked at");
  });

  test("is never taken for one when it is not read: any change of any byte", () => {
    const { leaf } = chainOf(0);
    fc.assert(
      fc.property(fc.nat(leaf.der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const der = new Uint8Array(leaf.der);
        der[at]! ^= change;
        assert.equal(letsIn([{ ...leaf, der }]), false);
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readCertificate(bytes)));
    fc.assert(fc.property(fc.nat(leaf.der.length - 1), (length) => {
      assert.equal(letsIn([{ ...leaf, der: leaf.der.slice(0, length) }]), false);
    }));
  });
});
