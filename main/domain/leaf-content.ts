// What is taught by a leaf, as one text whose hash says whether it changed: its task, its seeds and how they are to be answered. Who
// wrote it, where its texts come from and where it lies in the tree are not part of it; documents are hashed beside it.

import type { AnswerFormat, Branch, Persona, SeedDraft } from '../contract/taxonomy.ts'
import type { TextHash } from './dataset-hash.ts'

/** What of a leaf counts. */
export interface TaughtLeaf {
  branch: Branch
  taskDescription: string
  domain: string
  documentOutline: string
  persona: Persona
  language: string
  answerFormat?: AnswerFormat | undefined
  publicFileSha256?: string | null
  seeds: readonly SeedDraft[]
}

/** Hex digest of a leaf's content, documents apart. The three branches are one where they teach the same words. */
export function hashLeaf(leaf: TaughtLeaf, createHash: () => TextHash): string {
  const { taskDescription, domain, documentOutline, persona, language, answerFormat = 'text', seeds } = leaf
  const words = seeds.map(({ context, question, answer, turns }) => [
    context ?? null,
    question,
    answer,
    turns?.map((turn) => [turn.question, turn.answer]) ?? null,
  ])
  const kind = leaf.branch === 'knowledge' ? 'knowledge' : 'skill'
  const file = leaf.publicFileSha256 ?? null
  const canonical = [kind, taskDescription, domain, documentOutline, persona, language, answerFormat, file, words]
  const hash = createHash()
  hash.update(JSON.stringify(canonical))
  return hash.digest('hex')
}

/** One hash for a leaf and its documents, in whatever order these were added. */
export function hashWithDocuments(
  leafSha256: string,
  documentSha256s: readonly string[],
  createHash: () => TextHash,
): string {
  const hash = createHash()
  hash.update([leafSha256, ...documentSha256s.toSorted()].join('\n'))
  return hash.digest('hex')
}
