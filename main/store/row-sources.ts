// What accepted samples of knowledge rest on: their chunks, and what judges quoted from them. Reads only.

import type { GroundedRow, SourceText } from '../domain/retrieval-rows.ts'
import type { Database } from './open.ts'

interface SourceRow {
  origin: string
  question: string
  answer: string
  chunkId: string
  text: string
  quotesJson: string
}

/** Accepted samples with a chunk, as they read now, and all chunks that any sample was made from. */
export function listRowSources(db: Database): { grounded: GroundedRow[]; texts: SourceText[] } {
  const rows = db
    .prepare<[], SourceRow>(
      `select candidates.id as origin, ifnull(verdicts.question, candidates.question) as question,
         ifnull(verdicts.answer, candidates.answer) as answer, chunks.id as chunkId, chunks.text,
         (select json_group_array(words) from stage_outcomes
          where candidate_number = candidates.number and stage = 'knowledge-faithful') as quotesJson
       from candidates join samples on samples.candidate_number = candidates.number
       join chunks on chunks.id = candidates.chunk_id
       left join verdicts on verdicts.number = samples.verdict_number
       where samples.status in ('accepted', 'edited') order by candidates.number`,
    )
    .all()
  const grounded = rows.map(({ origin, question, answer, chunkId, text, quotesJson }) => ({
    origin,
    question,
    answer,
    chunk: { id: chunkId, text },
    quotes: (JSON.parse(quotesJson) as string[]).map(quoteOf),
  }))
  const texts = new Map(grounded.map(({ chunk }) => [chunk.id, chunk]))
  return { grounded, texts: [...texts.values()] }
}

/** A judged statement is kept as `"statement" by: quote`, a whole answer as the quote alone. */
function quoteOf(words: string): string {
  const at = words.lastIndexOf('" by: ')
  return at < 0 ? words : words.slice(at + '" by: '.length)
}
