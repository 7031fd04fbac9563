// Straightens a qna.yaml that is no YAML because of its indentation. Only proposes edits: whether the text is better then is for the
// reader of the file to say.

import type { Branch, TextEdit } from '../contract/taxonomy.ts'
import { applyEdits } from './text-edits.ts'

/** Edits that turn leading tabs into spaces, however many a tab stands for here. */
export function untab(text: string, isBetter: (text: string) => boolean): TextEdit[] {
  const tabs = [...text.matchAll(/^[ ]*\t[ \t]*/gm)]
  for (const width of [2, 4, 8]) {
    const edits = tabs.map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      text: match[0].replaceAll('\t', ' '.repeat(width)),
    }))
    if (isBetter(applyEdits(text, edits))) return edits
  }
  return []
}

/** What stands on a line of its own in a qna.yaml, and how deep. Keys of a pair stand deeper where pairs share a context. */
const depths: Record<string, number> = {
  version: 0,
  created_by: 0,
  task_description: 0,
  domain: 0,
  document_outline: 0,
  document: 0,
  seed_examples: 0,
  repo: 2,
  commit: 2,
  patterns: 2,
  context: 4,
  questions_and_answers: 4,
  question: 4,
  answer: 4,
}

/** Edits that put every known key where the form wants it and moves the text below it along. */
export function straighten(text: string, branch: Branch): TextEdit[] {
  const edits: TextEdit[] = []
  let shift = 0
  let keyIndent = 0
  let isInPatterns = false
  let start = 0
  for (const line of text.split('\n')) {
    const indent = /^[ \t]*/.exec(line)?.[0] ?? ''
    const [, dash = '', key = ''] = /^[ \t]*(-[ \t]+)?([a-z_]+)[ \t]*:(?:\s|$)/.exec(line) ?? []
    const known = depths[key]
    let wanted = indent.length + shift
    if (known !== undefined) {
      const isPair = branch === 'knowledge' && (key === 'question' || key === 'answer')
      keyIndent = isPair ? 8 : known
      wanted = keyIndent - (dash === '' ? 0 : 2)
      shift = wanted - indent.length
      isInPatterns = key === 'patterns'
    } else if (isInPatterns && line.trim().startsWith('-')) wanted = 4
    else wanted = Math.max(wanted, keyIndent + 2)
    const dashed = known !== undefined && dash !== '' ? '- ' : ''
    if (line.trim() !== '' && (wanted !== indent.length || indent.includes('\t')))
      edits.push({
        start,
        end: start + indent.length + (dashed ? dash.length : 0),
        text: ' '.repeat(Math.max(0, wanted)) + dashed,
      })
    start += line.length + 1
  }
  return edits
}
