// Formats that are given by mistake: what they are and what to do, as dream_bert/io/foreign_formats.py names them.

const TO_FASTA = "convert it to FASTA";
const INTERVALS = "give the sequences of the intervals, or use: dream-bert windows --genome";
const VARIANTS = "give the sequences, or use: dream-bert variants";
const SAVE = "save the sheet as CSV";

const BINARY = [
  ["\x1f\x8b", "gzipped", "unpack it"],
  ["PK\x03\x04", "a zip archive or an Excel workbook", `unpack it, or ${SAVE}`],
  ["\xd0\xcf\x11\xe0", "an Excel workbook (xls)", SAVE],
  ["PAR1", "Parquet", "write the table as CSV"],
  ["BZh", "a bzip2 file", "unpack it"],
  ["\xfd7zXZ", "an xz file", "unpack it"],
  ["\x28\xb5\x2f\xfd", "a zstd file", "unpack it"],
  ["%PDF", "a PDF", "export the sequences as FASTA or CSV"],
  ["BAM\x01", "BAM", `${TO_FASTA}, as with: samtools fasta`],
  ["\x1a\x41\x27\x43", "2bit", `${TO_FASTA}, as with: twoBitToFa`],
  ["\x43\x27\x41\x1a", "2bit", `${TO_FASTA}, as with: twoBitToFa`],
  ["\xff\xfe", "UTF-16 text", "save it as UTF-8"],
  ["\xfe\xff", "UTF-16 text", "save it as UTF-8"],
];

const TEXT = [
  [/^LOCUS +\S/, "GenBank", `${TO_FASTA}, as with: seqret`],
  [/^ID   \S/, "EMBL", `${TO_FASTA}, as with: seqret`],
  [/^@(HD|SQ|RG|PG|CO)\t/, "SAM", `${TO_FASTA}, as with: samtools fasta`],
  [/^(##fileformat=VCF|#CHROM\tPOS\t)/, "VCF", VARIANTS],
  [/^##gff-version/, "GFF", INTERVALS],
  [/^(track|browser) \S/, "a UCSC track", INTERVALS],
  [/^(fixedStep|variableStep) /, "wiggle", "give the sequences, not the signal"],
  [/^<(!doctype )?html/i, "HTML", "copy the sequences alone"],
  [/^</, "XML", "export the sequences as FASTA or CSV"],
  [/^[{[]\s*($|["{[\]}\d])/, "JSON", "write FASTA or CSV"],
  [/^# STOCKHOLM/, "a Stockholm alignment", TO_FASTA],
  [/^CLUSTAL/, "a Clustal alignment", TO_FASTA],
  [/^#NEXUS/i, "NEXUS", TO_FASTA],
];

/** Rows of formats that need no header. */
const ROWS = [
  [/^\S+\t[^\t]*\t[^\t]+\t\d+\t\d+\t[^\t]*\t[-+.?]\t/, "GFF or GTF", INTERVALS],
  [/^\S+\t\d+\t\d+(\t|$)/, "BED", INTERVALS],
  [/^\S+\t\d+\t\S+\t\d+\t\d+\t(\*|(\d+[MIDNSHPX=])+)\t/, "SAM", `${TO_FASTA}, as with: samtools fasta`],
  [/^\S+\t\d+\t\S+\t[ACGTN]+\t[ACGTN.,*<>]+\t/, "VCF", VARIANTS],
];

const named = (found) => found && `is ${found[1]}, which is not read here; ${found[2]}`;

/** What a file is by its first bytes; undefined if it may be text. */
export function binaryFormat(bytes) {
  const head = String.fromCharCode(...bytes.subarray(0, 8));
  return named(BINARY.find(([magic]) => head.startsWith(magic)));
}

/** What a text is by its first lines, none of them blank; undefined if it may be read here. */
export function foreignFormat(lines) {
  const found = TEXT.find(([pattern]) => pattern.test(lines[0]));
  if (found) return named(found);
  if (lines[0].startsWith("@") && lines[2]?.startsWith("+")) {
    return named(["", "FASTQ", `${TO_FASTA}, as with: seqtk seq -A`]);
  }
  const row = lines.find((line) => !line.startsWith("#"));
  return named(ROWS.find(([pattern]) => pattern.test(row)));
}
