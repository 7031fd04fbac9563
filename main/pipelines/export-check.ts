// The self-test of an exported model: opened again by llama.cpp, asked, and its loss compared with the trainer's own on the same rows.
// A model that fails is kept and said to have failed; the verdict is stored with the export.

import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { toAppError } from '../contract/errors.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import type { LlamaSession } from '../compute/llama-protocol.ts'
import type { Trainer } from '../compute/trainer.ts'
import type { ExportRequest } from '../compute/trainer-protocol.ts'
import { maskAfterPrompt, packInOrder } from '../domain/batching.ts'
import { createChatTemplate } from '../domain/chat-template.ts'
import { type ExportCheck, insertModelExport } from '../store/model-exports.ts'
import { type ExportWish, microbatchTokensOf } from './export.ts'
import type { Lab } from './lab.ts'
import type { TaughtRow } from './tune-rows.ts'

const comparedRows = 20
const answerTokens = 64
/** Relative difference of the mean loss over whole conversations that rounding explains: sums in F16, weights in fewer bits. */
const lossTolerance: Record<ExportRequest['type'], number> = {
  f32: 1e-3,
  f16: 1e-3,
  bf16: 5e-3,
  q8_0: 2e-2,
  q6_k: 5e-2,
  q5_k_m: 0.1,
  q4_k_m: 0.2,
}

export interface ExportVerdict {
  hasPassed: boolean
  checks: ExportCheck[]
  /** The verdict in one line. */
  words: string
}

/** Tests what `wish` wrote; `trainer` still holds its checkpoint. Never throws for a bad model: that is a verdict. */
export async function checkExport(
  lab: Lab,
  { wish, trainer, rows }: { wish: ExportWish; trainer: Trainer; rows: readonly TaughtRow[] },
): Promise<ExportVerdict> {
  const checks = await runChecks(lab, { wish, trainer, rows: sampleOf(rows, wish) })
  insertModelExport(lab.project().db, {
    id: `export-${randomBytes(6).toString('hex')}`,
    checkpointId: wish.checkpoint.id,
    path: wish.path,
    what: wish.what,
    fileType: wish.type,
    sizeBytes: statSync(wish.path).size,
    checks,
    createdAtMs: lab.now(),
  })
  const failed = checks.filter((check) => !check.hasPassed)
  const hasPassed = failed.length === 0
  const words = hasPassed
    ? `Self-test passed: ${checks.map((check) => check.words).join('; ')}.`
    : `Self-test failed: ${failed.map((check) => check.words).join('; ')}.`
  lab.log(`export ${wish.path}: ${words}`)
  return { hasPassed, checks, words }
}

/** Rows spread over the dataset that fit the context, held-out ones first. */
function sampleOf(rows: readonly TaughtRow[], wish: ExportWish): TaughtRow[] {
  const fitting = rows.filter((row) => row.tokenRow.tokens.length <= microbatchTokensOf(wish))
  const held = spread(
    fitting.filter((row) => row.split === 'validation'),
    comparedRows,
  )
  return [
    ...held,
    ...spread(
      fitting.filter((row) => row.split === 'train'),
      comparedRows - held.length,
    ),
  ]
}

function spread(rows: TaughtRow[], count: number): TaughtRow[] {
  const stride = Math.max(1, Math.floor(rows.length / Math.max(1, count)))
  return rows.filter((_, at) => at % stride === 0).slice(0, count)
}

async function runChecks(
  lab: Lab,
  { wish, trainer, rows }: { wish: ExportWish; trainer: Trainer; rows: TaughtRow[] },
): Promise<ExportCheck[]> {
  const longest = Math.max(64, ...rows.map((row) => row.tokenRow.tokens.length))
  let session: LlamaSession
  try {
    session = await openLastingSession(lab.llama, {
      modelPath: wish.what === 'adapter' ? wish.student.path : wish.path,
      adapterPath: wish.what === 'adapter' ? wish.path : undefined,
      contextTokens: longest + answerTokens + 8,
      sequences: 4,
      threads: wish.run.plan.threads,
      gpu: 'off',
    })
  } catch (thrown) {
    return [{ name: 'opens', hasPassed: false, words: `llama.cpp does not open it (${toAppError(thrown).message})` }]
  }
  try {
    const { template, eosText } = session.reply.chat
    return [
      { name: 'opens', hasPassed: true, words: 'opens in llama.cpp' },
      {
        name: 'template',
        hasPassed: template !== null,
        words: template === null ? 'has no chat template' : 'has its chat template',
      },
      {
        name: 'end-token',
        hasPassed: eosText !== '',
        words: eosText === '' ? 'has no end token' : `ends turns with ${eosText}`,
      },
      await checkAnswer(session, rows),
      await checkLoss({ session, trainer, rows, type: wish.type, microbatchTokens: microbatchTokensOf(wish) }),
    ]
  } finally {
    await session.dispose()
  }
}

async function checkAnswer(session: LlamaSession, rows: TaughtRow[]): Promise<ExportCheck> {
  const question = rows[0]?.user ?? 'Hello'
  const template = createChatTemplate(session.reply.chat)
  const prompt = template.renderPrompt([{ role: 'user', content: question }])
  const { text } = await session.complete({
    prompt,
    maxTokens: answerTokens,
    temperature: 0,
    seed: 1,
    stops: template.stops,
  })
  const answer = text.trim()
  return {
    name: 'answers',
    hasPassed: answer !== '',
    words: answer === '' ? 'answers nothing' : `answers "${answer.slice(0, 80)}"`,
  }
}

interface LossComparison {
  session: LlamaSession
  trainer: Trainer
  rows: TaughtRow[]
  type: ExportRequest['type']
  microbatchTokens: number
}

/** Every token after the opening of the first turn counts: what the student learnt by heart alone has hardly a loss to compare. */
async function checkLoss({ session, trainer, rows, type, microbatchTokens }: LossComparison): Promise<ExportCheck> {
  if (rows.length === 0)
    return { name: 'same-loss', hasPassed: false, words: 'no row was short enough to compare losses on' }
  const asked = rows.map((row) => ({ row, opening: openingOf(row) }))
  const whole = await Promise.all(
    asked.map(async ({ row, opening }) => ({
      ...maskAfterPrompt(row.tokenRow.tokens, await session.tokenize(opening)),
      group: 0,
    })),
  )
  const own = await trainer.evaluate(packInOrder(whole, microbatchTokens))
  const seen = await Promise.all(
    asked.map(({ row, opening }) =>
      session.score({ prompt: opening, continuation: (row.prompt + row.response).slice(opening.length) }),
    ),
  )
  const ownLoss = sum(own.map((row) => row.lossSum)) / sum(own.map((row) => row.weightSum))
  const seenLoss = -sum(seen.map((score) => score.logLikelihood)) / sum(seen.map((score) => score.tokens))
  const difference = Math.abs(seenLoss - ownLoss) / ownLoss
  const words = `loss on ${rows.length} rows ${seenLoss.toFixed(5)}, the trainer's ${ownLoss.toFixed(5)} (relative difference ${difference.toExponential(1)})`
  return { name: 'same-loss', hasPassed: difference <= lossTolerance[type], words }
}

/** The template's words before anybody speaks; the whole prompt where a template has none. */
function openingOf(row: TaughtRow): string {
  const at = row.prompt.indexOf((row.system || row.user).trim())
  return at > 0 ? row.prompt.slice(0, at) : row.prompt
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
