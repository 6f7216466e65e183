// Tab-separated files, made on the page.

/** A table as TSV, quoted as Python's csv module does. */
export function tsv(header, rows) {
  const cell = (value) => {
    const text = String(value);
    return /["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => `${row.map(cell).join("\t")}\n`).join("");
}

/** Let the browser save a text as a file. */
export function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
