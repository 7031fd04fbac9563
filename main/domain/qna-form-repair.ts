// The edits that mend a broken rule of a qna.yaml's form: quote, rename, delete, set the version. Only what leaves every other word of
// the file as it is; where that cannot be done with certainty there is no repair.

import type { QnaRepair } from '../contract/taxonomy.ts'
import type { QnaEntry, QnaNode } from './qna-tree.ts'
import { lineEnd, lineStart } from './text-edits.ts'

/** Puts a bare value in quotes. */
export function quote(node: QnaNode): QnaRepair | undefined {
  if (node.kind !== 'scalar' || !node.isBare || node.source === '' || node.source.includes('\n')) return undefined
  const text = `'${node.source.replaceAll("'", "''")}'`
  return { kind: 'quotes', edits: [{ start: node.start, end: node.end, text }] }
}

/** Writes another key. */
export function rename({ start, end }: QnaEntry, key: string): QnaRepair {
  return { kind: 'misspelt-key', edits: [{ start, end, text: key }] }
}

/** Writes a version number, in place of the one that is there or as a first line. */
export function setVersion(root: QnaNode, entry: QnaEntry | undefined, version: number): QnaRepair | undefined {
  if (entry) {
    const { start, end } = entry.value
    return { kind: 'version', edits: [{ start, end, text: String(version) }] }
  }
  const first = root.kind === 'map' ? root.entries[0] : undefined
  if (!first || first.column !== 1) return undefined
  return { kind: 'version', edits: [{ start: first.start, end: first.start, text: `version: ${version}\n` }] }
}

/** Deletes a key with its value. */
export function removeEntry(
  text: string,
  entries: readonly QnaEntry[],
  { entry, kind }: { entry: QnaEntry; kind: 'unknown-key' | 'empty-field' },
): QnaRepair | undefined {
  const at = entries.indexOf(entry)
  const next = entries[at + 1]
  const before = text.slice(lineStart(text, entry.start), entry.start)
  if (!/^[\s-]*$/.test(before)) return undefined
  const end = next?.start ?? blockEnd(text, entry.value.end)
  if (!next && entries.length === 1) return undefined
  const start = next ? entry.start : lineStart(text, entry.start)
  return { kind, edits: [{ start, end, text: '' }] }
}

/** Deletes one of the parts of a list that are written with dashes. */
export function removePart(text: string, nodes: readonly QnaNode[], at: number): QnaRepair | undefined {
  const node = nodes[at]
  const dash = node && dashOf(text, node.start)
  if (!node || dash === undefined || nodes.length === 1) return undefined
  const next = nodes[at + 1]
  const nextDash = next && dashOf(text, next.start)
  if (next && nextDash === undefined) return undefined
  const start = nextDash === undefined ? lineStart(text, dash) : dash
  return { kind: 'repeated-seed', edits: [{ start, end: nextDash ?? blockEnd(text, node.end), text: '' }] }
}

/** The dash that begins a part, where nothing but space lies between and before it. */
function dashOf(text: string, start: number): number | undefined {
  const before = text.slice(0, start)
  const dash = /-\s*$/.exec(before)?.index
  return dash !== undefined && text.slice(lineStart(text, dash), dash).trim() === '' ? dash : undefined
}

function blockEnd(text: string, end: number): number {
  return text[end - 1] === '\n' ? end : lineEnd(text, end)
}
