// "Does the student know this already?": asks the student each seed's question with the book closed, and keeps what it said beside how
// likely the seed's own answer was to it.

import type { SeedCheck } from '../contract/drafts.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { Seed } from '../contract/taxonomy.ts'
import type { LlamaSession } from '../compute/llama-protocol.ts'
import type { ChatTemplate } from '../domain/chat-template.ts'
import { meanLogLikelihoods } from '../domain/exam-scoring.ts'
import { rougeL } from '../domain/near-duplicate.ts'
import { markOf } from '../domain/seed-mark.ts'
import { userTurn } from '../domain/user-turn.ts'
import { saveSeedCheck } from '../store/drafts.ts'
import { listSeeds } from '../store/taxonomy.ts'
import type { Lab } from './lab.ts'
import { requireRole, withModel } from './model-role.ts'

/** Tokens of an answer worth waiting for. */
const longestAnswer = 256

/** Asks the student all seeds of a leaf. Knowledge seeds are asked without their context, skills with it. */
export async function checkSeeds(lab: Lab, leaf: LeafPath): Promise<SeedCheck[]> {
  const seeds = listSeeds(lab.project().db, leaf)
  const model = requireRole(lab, 'student')
  if (seeds.length === 0) return []
  const isClosed = leaf.startsWith('knowledge/')
  const turnOf = ({ context = '', question }: Seed) => userTurn(isClosed ? '' : context, question)
  const longest = Math.max(...seeds.map((seed) => Buffer.byteLength(turnOf(seed) + seed.answer)))
  return withModel(lab, { model, bytes: longest + longestAnswer }, async (session, template) => {
    const checks: SeedCheck[] = []
    for (const seed of seeds) {
      const said = await askSeed({ session, template }, turnOf(seed), seed)
      const mark = markOf({ question: seed.question, expected: seed.answer, answer: said.answer })
      const check = { ...said, mark, seedId: seed.id, modelId: model.id, checkedAtMs: lab.now() }
      saveSeedCheck(lab.project().db, check)
      checks.push(check)
    }
    lab.emit({ kind: 'changed', what: 'taxonomy' })
    return checks
  })
}

async function askSeed(
  { session, template }: { session: LlamaSession; template: ChatTemplate },
  turn: string,
  seed: Seed,
): Promise<Pick<SeedCheck, 'answer' | 'similarity' | 'logLikelihood'>> {
  const prompt = template.renderPrompt([{ role: 'user', content: turn }])
  const request = { prompt, maxTokens: longestAnswer, temperature: 0, seed: 1, stops: template.stops }
  const answer = (await session.complete(request)).text.trim()
  const [logLikelihood = 0] = meanLogLikelihoods([await session.score({ prompt, continuation: seed.answer })])
  return { answer, similarity: rougeL(answer, seed.answer), logLikelihood }
}
