// A dataset as the student reads it: every row written with the student's own chat template and cut with its own tokenizer, with loss
// weights on what the assistant says. Kept per engine for the latest student and dataset, since phases and twin runs ask again.

import type { DatasetRow } from '../contract/curation.ts'
import type { DatasetId } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import type { LlamaSession } from '../compute/llama-protocol.ts'
import { maskAfterPrompt, type TokenRow } from '../domain/batching.ts'
import { type ChatTemplate, type ChatTurn, createChatTemplate } from '../domain/chat-template.ts'
import { readDatasetRows } from '../store/datasets.ts'
import type { Lab } from './lab.ts'

/** A dataset row with its tokens, by row index. */
export interface TaughtRow extends DatasetRow {
  tokenRow: TokenRow
  /** Text up to the assistant's words, and those words with their end-of-turn token: what a score of the same row is asked with. */
  prompt: string
  response: string
}

/** Rows whose tokens are asked for at the same time. */
const rowsAtOnce = 128
/** Enough for a tokenizer: no text is evaluated in this session. */
const sessionTokens = 64

const latest = new WeakMap<Lab, { key: string; rows: TaughtRow[] }>()

/** Every row of a dataset, tokenised for a student. Throws `cancelled` when the signal is aborted. */
export async function readTaughtRows(
  lab: Lab,
  dataset: { id: DatasetId; sha256: string },
  options: { student: Model; signal: AbortSignal },
): Promise<TaughtRow[]> {
  const key = `${options.student.sha256} ${dataset.sha256}`
  const known = latest.get(lab)
  if (known?.key === key) return known.rows
  const rows = await tokeniseRows(lab, readDatasetRows(lab.project().db, dataset.id), options)
  latest.set(lab, { key, rows })
  return rows
}

async function tokeniseRows(
  lab: Lab,
  rows: DatasetRow[],
  { student, signal }: { student: Model; signal: AbortSignal },
): Promise<TaughtRow[]> {
  const session = await openLastingSession(lab.llama, {
    modelPath: student.path,
    contextTokens: sessionTokens,
    sequences: 1,
    threads: 1,
    gpu: lab.settings().gpu,
  })
  try {
    const template = createChatTemplate(session.reply.chat)
    const taught: TaughtRow[] = []
    for (let from = 0; from < rows.length; from += rowsAtOnce) {
      signal.throwIfAborted()
      const chunk = rows.slice(from, from + rowsAtOnce)
      taught.push(...(await Promise.all(chunk.map((row) => tokeniseRow(session, template, row)))))
    }
    return taught
  } finally {
    await session.dispose()
  }
}

async function tokeniseRow(session: LlamaSession, template: ChatTemplate, row: DatasetRow): Promise<TaughtRow> {
  const { prompt, response } = writeRow(template, row)
  const [promptTokens, tokens] = await Promise.all([session.tokenize(prompt), session.tokenize(prompt + response)])
  return { ...row, prompt, response, tokenRow: maskAfterPrompt(tokens, promptTokens) }
}

/** What follows the end of the assistant's turn is scaffolding that is never generated, so it is left out. */
function writeRow(template: ChatTemplate, row: DatasetRow): { prompt: string; response: string } {
  const turns: ChatTurn[] = [{ role: 'user', content: row.user }]
  if (row.system !== '') turns.unshift({ role: 'system', content: row.system })
  const segments = template.renderSegments([...turns, { role: 'assistant', content: row.assistant }])
  const at = segments.findIndex((segment) => segment.role === 'assistant')
  const prompt = segments
    .slice(0, at)
    .map((segment) => segment.text)
    .join('')
  return { prompt, response: segments[at]?.text ?? '' }
}
