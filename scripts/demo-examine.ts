// Examines the demo models on worlds they have never seen, through the product's own llama worker, prompts and grammars, and checks
// every answer against the known truth. Usage: node scripts/demo-examine.ts [--cases n] [--teacher path] [--temperature t] [--show n]

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLlamaHost } from '../main/compute/llama.ts'
import type { LlamaSession } from '../main/compute/llama-protocol.ts'
import { examinedStages, makeExaminedCase, type ExaminedCase } from '../main/demo/examination.ts'
import { rowOf } from '../main/demo/corpus.ts'
import { parseStageOutput, type CoreStage, stageGrammar } from '../main/domain/prompts.ts'
import { compactPack } from './demo-models.ts'

interface StageScore {
  stage: CoreStage
  right: number
  formed: number
  total: number
  mistakes: { prompt: string; expected: string; text: string }[]
}

/** Lets a model answer `count` fresh cases of one stage. */
async function examineStage(
  session: LlamaSession,
  stage: CoreStage,
  options: { count: number; temperature: number; seed: string },
): Promise<StageScore> {
  const pack = compactPack()
  const score: StageScore = { stage, right: 0, formed: 0, total: options.count, mistakes: [] }
  const cases = Array.from({ length: options.count }, (_, index) => makeExaminedCase(stage, `${options.seed}:${index}`))
  await Promise.all(
    cases.map(async (examined, index) => {
      const turn = rowOf(pack, examined.worked).turns[0]
      const prompt = turn?.prompt ?? ''
      const { text } = await session.complete({
        prompt,
        maxTokens: 100,
        temperature: options.temperature,
        seed: index + 1,
        grammar: stageGrammar(stage),
      })
      const mark = markAnswer(examined, text)
      if (mark !== 'malformed') score.formed += 1
      if (mark === 'right') score.right += 1
      else score.mistakes.push({ prompt, expected: turn?.response ?? '', text })
    }),
  )
  return score
}

function markAnswer(examined: ExaminedCase, text: string): 'right' | 'wrong' | 'malformed' {
  let fields: Record<string, string>
  try {
    fields = parseStageOutput(examined.worked.stage, text)
  } catch {
    return 'malformed'
  }
  return examined.isRight(fields) ? 'right' : 'wrong'
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '100' },
      teacher: { type: 'string', default: join(import.meta.dirname, '../main/demo/models/teacher.gguf') },
      temperature: { type: 'string', default: '0' },
      show: { type: 'string', default: '0' },
      stages: { type: 'string' },
    },
  })
  const host = createLlamaHost()
  const session = await host.openSession({
    modelPath: values.teacher,
    contextTokens: 640,
    sequences: 8,
    threads: 1,
    gpu: 'off',
  })
  const sums = { answers: [0, 0], judges: [0, 0], formed: [0, 0] }
  for (const stage of examinedStages.filter((name) => !values.stages || values.stages.split(',').includes(name))) {
    const score = await examineStage(session, stage, {
      count: Number(values.cases),
      temperature: Number(values.temperature),
      seed: 'exam',
    })
    console.log(`${stage.padEnd(26)} right ${score.right}/${score.total}  form ${score.formed}/${score.total}`)
    for (const mistake of score.mistakes.slice(0, Number(values.show)))
      console.log(`${mistake.prompt}\n  expected: ${mistake.expected}\n  answered: ${mistake.text}\n`)
    const group = /judge|faithful|relevant|self-contained|verify/.test(stage) ? sums.judges : sums.answers
    add(group, score.right, score.total)
    add(sums.formed, score.formed, score.total)
  }
  for (const [name, [right = 0, total = 0]] of Object.entries(sums))
    console.log(`${name}: ${right}/${total} = ${((100 * right) / total).toFixed(1)} %`)
  await session.dispose()
  await host.close()
}

function add(sum: number[], right: number, total: number): void {
  sum[0] = (sum[0] ?? 0) + right
  sum[1] = (sum[1] ?? 0) + total
}

if (import.meta.main) await main()
