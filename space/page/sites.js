// Sites that a design must not hold, on either strand, also across the borders with the construct's constants.

import { OLIGO_END, OLIGO_START } from "./construct.js";
import { reverseComplement } from "./orientation.js";
import { InputError } from "./text.js";

// Recognition sequences of enzymes that cloning often uses (REBASE, https://doi.org/10.1093/nar/gkac975).
export const ENZYMES = {
  AscI: "GGCGCGCC",
  BamHI: "GGATCC",
  BbsI: "GAAGAC",
  BglII: "AGATCT",
  BsaI: "GGTCTC",
  BsmBI: "CGTCTC",
  EcoRI: "GAATTC",
  HindIII: "AAGCTT",
  KpnI: "GGTACC",
  NcoI: "CCATGG",
  NdeI: "CATATG",
  NheI: "GCTAGC",
  NotI: "GCGGCCGC",
  PstI: "CTGCAG",
  SacI: "GAGCTC",
  SalI: "GTCGAC",
  SapI: "GCTCTTC",
  SfiI: "GGCCNNNNNGGCC",
  SpeI: "ACTAGT",
  XbaI: "TCTAGA",
  XhoI: "CTCGAG",
};

const IUPAC = {
  A: "A",
  C: "C",
  G: "G",
  T: "T",
  R: "[AG]",
  Y: "[CT]",
  S: "[CG]",
  W: "[AT]",
  K: "[GT]",
  M: "[AC]",
  B: "[CGT]",
  D: "[AGT]",
  H: "[ACT]",
  V: "[ACG]",
  N: "[ACGT]",
};

const BY_NAME = new Map(Object.entries(ENZYMES).map(([name, site]) => [name.toUpperCase(), site]));

/**
 * The sites of a text, `{name, patterns}`: enzymes' names and sequences of IUPAC codes between white space, commas or
 * semicolons. Throws an InputError that says what is wrong with one.
 */
export function readSites(text) {
  const names = [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
  return names.map((name) => {
    const upper = name.toUpperCase();
    const bases = BY_NAME.get(upper) ?? upper.replaceAll("U", "T");
    if (![...bases].every((base) => base in IUPAC)) {
      throw new InputError(
        `'${name}' is no enzyme that this page knows, and no sequence; give its recognition sequence`,
      );
    }
    const strands = new Set([bases, reverseComplement(bases)]);
    const site = { name, patterns: [...strands].map(pattern) };
    if (count(OLIGO_START, site) + count(OLIGO_END, site)) {
      throw new InputError(`'${name}' is in the construct's constant bases, which cannot change; leave it out`);
    }
    return site;
  });
}

/** The number of sites in an insert within its construct, each strand's counted, overlapping ones too. */
export function countSites(insert, sites) {
  const oligo = OLIGO_START + insert + OLIGO_END;
  return sites.reduce((sum, site) => sum + count(oligo, site), 0);
}

/** Matches of a pattern at every place. */
const pattern = (bases) => new RegExp(`(?=${Array.from(bases, (base) => IUPAC[base]).join("")})`, "g");

const count = (bases, { patterns }) =>
  patterns.reduce((sum, pattern) => sum + Array.from(bases.matchAll(pattern)).length, 0);
