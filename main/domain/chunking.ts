// Cuts a document into chunks along its structure: sections first, then blocks, then sentences, then anywhere safe. Every chunk
// is a contiguous raw piece of the document, none is blank, none exceeds the limit, and between two chunks there is only space. A
// chunk that begins among the rows of a table repeats the table's header row before its piece.

import { createRuler, type Ruler } from './chunk-ruler.ts'
import { type Block, findBlocks, splitBlock } from './markdown-blocks.ts'
import { type Piece, splitAnywhere, splitSentences } from './sentences.ts'

export interface ChunkingOptions {
  /** Upper bound of a chunk, in tokens of the student. LAB section 2: chunk size in student tokens. */
  maxTokens?: number
  countTokens?: (text: string) => number
}

export interface DocumentChunk extends Piece {
  /** The piece itself, after the header row of the table it begins in, if any. */
  text: string
  /** Headings above its first line, outermost first; those inside the chunk are in its text. */
  headings: string[]
  tokenCount: number
}

export const defaultChunkTokens = 500

/** Chunks in document order; none for a blank text. */
export function chunkDocument(text: string, options: ChunkingOptions = {}): DocumentChunk[] {
  const blocks = findBlocks(text)
  const ruler = createRuler(text, { ...options, blocks, maxTokens: options.maxTokens ?? defaultChunkTokens })
  const atoms = cutAtoms(text, blocks, ruler)
  const chunks: DocumentChunk[] = []
  let from = 0
  while (from < atoms.length) {
    const to = findEnd(atoms, from, ruler)
    const first = atoms[from] as Atom
    const { start, end } = ruler.trim({ start: first.start, end: (atoms[to - 1] as Atom).end })
    chunks.push({
      start,
      end,
      text: ruler.textOf({ start, end }),
      headings: first.headings,
      tokenCount: ruler.count({ start, end }),
    })
    from = to
  }
  return chunks
}

/** What is never cut again. */
interface Atom extends Piece {
  headings: string[]
  /** A heading: must not be the last of a chunk. */
  isGlue: boolean
  /** Position of the first atom after the section that starts here; 0 where none starts. */
  sectionEnd: number
}

/** Blocks that fit become one atom each; larger ones are cut finer. A block must fit together with the headings right above it. */
function cutAtoms(text: string, blocks: readonly Block[], ruler: Ruler): Atom[] {
  const atoms: Atom[] = []
  const sectionStarts: number[] = []
  const path: { level: number; title: string }[] = []
  let glueStart: number | null = null
  for (const block of blocks) {
    const isHeading = block.kind === 'heading'
    if (isHeading) while (path.length > 0 && (path.at(-1)?.level ?? 0) >= block.level) path.pop()
    const headings = path.map(({ title }) => title).filter(Boolean)
    if (isHeading && glueStart === null) sectionStarts.push(atoms.length)
    const pieces = cutBlock(text, block, { ruler, headingTokens: headingTokens(ruler, glueStart, block) })
    for (const piece of pieces) {
      const isGlue = isHeading && pieces.length === 1
      if (text.slice(piece.start, piece.end).trim()) atoms.push({ ...piece, headings, isGlue, sectionEnd: 0 })
    }
    if (isHeading) path.push({ level: block.level, title: block.title })
    glueStart = isHeading ? (glueStart ?? block.start) : null
  }
  sectionStarts.forEach((start, order) => {
    const atom = atoms[start]
    if (atom) atom.sectionEnd = sectionStarts[order + 1] ?? atoms.length
  })
  return atoms
}

/** Tokens of the headings that stand right above a block, 0 where they leave it less than half of a chunk. */
function headingTokens(ruler: Ruler, glueStart: number | null, block: Block): number {
  if (glueStart === null || block.kind === 'heading') return 0
  // One more, because two texts joined may count for a token more than both apart.
  const tokens = ruler.count({ start: glueStart, end: block.start }) + 1
  return tokens <= ruler.maxTokens / 2 ? tokens : 0
}

function cutBlock(
  text: string,
  block: Block,
  { ruler, headingTokens }: { ruler: Ruler; headingTokens: number },
): Piece[] {
  const limit = ruler.maxTokens - headingTokens
  const fits = (piece: Piece) => ruler.count(piece) <= limit
  if (fits(block)) return [block]
  const parts = within(text, block, (raw) => splitBlock(block.kind, raw))
  const sentences = parts.flatMap((part) => (fits(part) ? [part] : within(text, part, splitSentences)))
  const splitLong = (raw: string) => splitAnywhere(raw, (piece) => ruler.countText(piece) <= limit)
  return sentences.flatMap((sentence) => (fits(sentence) ? [sentence] : within(text, sentence, splitLong)))
}

function within(text: string, outer: Piece, split: (raw: string) => Piece[]): Piece[] {
  return split(text.slice(outer.start, outer.end)).map(({ start, end }) => ({
    start: outer.start + start,
    end: outer.start + end,
  }))
}

/** First atom that is not in the chunk starting at `from`. */
function findEnd(atoms: readonly Atom[], from: number, ruler: Ruler): number {
  const full = findFull(atoms, from, ruler)
  let to = from + 1
  while (to < full && !closesBefore(atoms, { from, at: to, ruler })) to++
  if (to === atoms.length) return to
  let end = to
  while (end > from && atoms[end - 1]?.isGlue) end--
  return end > from ? end : to
}

/** First atom that no longer fits, by doubling and halving; at least one atom is always taken. */
function findFull(atoms: readonly Atom[], from: number, ruler: Ruler): number {
  const { start } = atoms[from] as Atom
  const fits = (to: number) =>
    to <= atoms.length && ruler.count({ start, end: (atoms[to - 1] as Atom).end }) <= ruler.maxTokens
  let to = from + 1
  let step = 1
  while (fits(to + step)) {
    to += step
    step *= 2
  }
  for (; step >= 1; step = Math.floor(step / 2)) if (fits(to + step)) to += step
  return to
}

/** Whether a section starting at `at` opens a chunk of its own rather than joining the one begun at `from`. */
function closesBefore(
  atoms: readonly Atom[],
  { from, at, ruler }: { from: number; at: number; ruler: Ruler },
): boolean {
  const section = atoms[at] as Atom
  if (section.sectionEnd === 0) return false
  const { start } = atoms[from] as Atom
  const end = (atoms[section.sectionEnd - 1] as Atom).end
  const filled = ruler.count({ start, end: (atoms[at - 1] as Atom).end })
  if (filled < ruler.maxTokens / 4) return false
  const isSmall = filled < ruler.maxTokens / 2 || ruler.count({ start: section.start, end }) < ruler.maxTokens / 4
  return !isSmall || ruler.count({ start, end }) > ruler.maxTokens
}
