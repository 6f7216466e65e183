// Files of other formats, by their first bytes or lines: what they are, and what to do.

const SIGNATURES = [
  [[0x1f, 0x8b], "is gzipped; unpack it first"],
  [[0x50, 0x4b, 3, 4], "is a zip or xlsx file; unpack it, or save the sheet as CSV"],
  [[0x50, 0x41, 0x52, 0x31], "is Parquet; write it as CSV, or use the command line"],
  [[0xd0, 0xcf, 0x11, 0xe0], "is an xls file; save the sheet as CSV"],
  [[0x43, 0x27, 0x41, 0x1a], "is 2bit; convert it to FASTA, as with twoBitToFa"],
  [[0x1a, 0x41, 0x27, 0x43], "is 2bit; convert it to FASTA, as with twoBitToFa"],
  [[0x42, 0x41, 0x4d, 1], "is BAM; convert it to FASTA, as with samtools fasta"],
  [[0x42, 0x5a, 0x68], "is compressed with bzip2; unpack it first"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "is compressed with xz; unpack it first"],
  [[0x25, 0x50, 0x44, 0x46], "is PDF; copy the sequences out of it"],
  [[0xff, 0xfe], "is UTF-16 text; save it as UTF-8"],
  [[0xfe, 0xff], "is UTF-16 text; save it as UTF-8"],
];

const TEXTS = [
  [/^LOCUS {2,}\S/, "GenBank", "with `any2fasta`, or export it as FASTA"],
  [/^ID {3}\S/, "EMBL", "with `any2fasta`, or export it as FASTA"],
  [/^@\S[^\n]*\n[A-Za-z.*-]+\n\+/, "FASTQ", "with `seqtk seq -A`"],
  [/^##fileformat=VCF|^#CHROM\tPOS\t/, "VCF", "to the sequences around the variants, as `bcftools consensus` does"],
  [/^##gff-version/, "GFF", "to sequences with `bedtools getfasta`"],
  [/^@(HD|SQ|RG|PG)\t/, "SAM", "with `samtools fasta`"],
  [/^(track|browser) |^(?=[^\t\n]*[^ACGTN\t\n])[^\t\n]+\t\d+\t\d+(\t|\n|$)/i, "BED", "to sequences with `bedtools getfasta`"],
  [/^CLUSTAL/, "Clustal", "with `any2fasta`"],
  [/^#NEXUS/i, "NEXUS", "to FASTA with an alignment viewer"],
  [/^<(!doctype|html|\?xml)/i, "HTML or XML", "to FASTA, or copy the sequences alone"],
  [/^[{[]/, "JSON", "to CSV with a column 'sequence'"],
];

/** What the first bytes of a file say that it is and what to do, as "is gzipped; …"; undefined if it may be text. */
export function binaryFormat(bytes) {
  return SIGNATURES.find(([signature]) => signature.every((byte, i) => bytes[i] === byte))?.[1];
}

/** What a text of another format is and what to do; undefined if none is known by its beginning. */
export function foreignFormat(text) {
  const found = TEXTS.find(([beginning]) => beginning.test(text));
  return found && `is ${found[1]}, which is not read here; convert it ${found[2]}`;
}
