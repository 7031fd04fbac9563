// First import of every entry: refuses a Node too old for the SQLite binding, which would otherwise end the process without a word.

if (Number(process.versions.napi ?? 0) < 10) {
  console.error(
    `labdesk: this Node.js (${process.version}) is too old.\n` +
      'Start Labdesk with its npm scripts (they bring Node 24 along), or use Node 22.14 or newer.',
  )
  process.exit(1)
}
