/** What `interlock test` and `interlock prove` print as JSON, as outcomes of items of the test panel. */

export interface Place {
  readonly file: string;
  readonly line: number;
}

export type Outcome =
  | { readonly state: "passed"; readonly detail: string }
  | { readonly state: "failed" | "errored"; readonly message: string };

export interface Reported extends Place {
  readonly name: string;
  readonly outcome: Outcome;
}

interface TestsDocument {
  readonly tests: readonly (Place & {
    readonly test: string;
    readonly passed: boolean;
    readonly failure: string | null;
    readonly decision: string;
    readonly rules: readonly string[];
  })[];
}

interface ClaimsDocument {
  readonly claims: readonly {
    readonly claim: string;
    readonly verdict: "proved" | "refuted" | "unknown" | "vacuous";
    readonly says: string;
    readonly why: string | null;
    readonly counterexample: {
      readonly decision: string;
      readonly text: readonly string[];
      readonly rules: readonly (Place & { readonly rule: string })[];
    } | null;
    readonly source: Place;
  }[];
}

export function readTests(out: string): Reported[] {
  const { tests } = JSON.parse(out) as TestsDocument;
  return tests.map(({ test, passed, failure, decision, rules, file, line }) => ({
    name: test,
    file,
    line,
    outcome: passed
      ? { state: "passed", detail: [decision, ...(rules.length ? ["by", rules.join(", ")] : [])].join(" ") }
      : { state: "failed", message: failure ?? "the test fails" },
  }));
}

export function readClaims(out: string): Reported[] {
  const { claims } = JSON.parse(out) as ClaimsDocument;
  return claims.map((claim) => ({
    name: claim.claim,
    file: claim.source.file,
    line: claim.source.line,
    outcome: outcomeOf(claim),
  }));
}

function outcomeOf({ verdict, says, why, counterexample }: ClaimsDocument["claims"][number]): Outcome {
  switch (verdict) {
    case "proved":
      return { state: "passed", detail: `proved: ${says}` };
    case "refuted": {
      const lines = [`refuted: ${says}`];
      if (counterexample) {
        lines.push(`but this is decided ${counterexample.decision}:`, ...counterexample.text);
        lines.push(...counterexample.rules.map(({ rule, file, line }) => `by ${rule} (${file}:${line})`));
      }
      return { state: "failed", message: lines.join("\n") };
    }
    case "unknown":
    case "vacuous":
      return { state: "errored", message: `${verdict}: ${why ?? says}` };
  }
}
