import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chainOf, readPipeline } from '../../../main/domain/pipeline.ts'
import { callRooms } from '../../../main/domain/talk-size.ts'

const presetsDir = join(import.meta.dirname, '../../../main/presets/pipelines')
const presets = readdirSync(presetsDir).map((file) => [file, readFileSync(join(presetsDir, file), 'utf8')] as const)
const write = (...blocks: string[]) =>
  `version: 1\nname: mine\nchains:\n  freeform:\n${blocks.map((block) => `    - ${block}\n`).join('')}`

describe('a preset', () => {
  it.each(presets)('%s reads without an error, under the name of its file', (file, text) => {
    const { pipeline, problems } = readPipeline(text)
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(`${pipeline?.name}.yaml`).toBe(file)
  })
})

describe('a pipeline of the user', () => {
  it('is read with its blocks and their settings', () => {
    const text = write(
      'use: question',
      'use: answer\n      bestOf: 3\n      sampling: { temperature: 0.9 }',
      'use: new',
      'use: unseen',
    )
    const { pipeline, problems } = readPipeline(text)
    expect(problems).toEqual([])
    expect(pipeline?.chains.freeform?.[1]).toEqual({ use: 'answer', bestOf: 3, sampling: { temperature: 0.9 } })
  })
  it('is told the line of a block that is not known', () => {
    const { pipeline, problems } = readPipeline(write('use: question', 'use: magic'))
    expect(pipeline).toBeNull()
    expect(problems[0]).toMatchObject({ severity: 'error', line: 6, field: 'chains.freeform[1].use' })
  })
  it('is told the line of a setting that is out of range, and of one that is not known', () => {
    const { problems } = readPipeline(
      write('use: question', 'use: answer\n      bestOf: 99', 'use: pair-grade\n      voices: 3'),
    )
    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [7, 'chains.freeform[1].bestOf'],
      [8, 'chains.freeform[2]'],
    ])
  })
  it('may not judge what is not written yet', () => {
    const { pipeline, problems } = readPipeline(write('use: question', 'use: pair-grade', 'use: answer'))
    expect(pipeline).toBeNull()
    expect(problems[0]).toMatchObject({ line: 6, message: expect.stringContaining('needs a answer') })
  })
  it('may not put a block where it has no place', () => {
    const { problems } = readPipeline(write('use: question', 'use: answer', 'use: faithful'))
    expect(problems[0]).toMatchObject({ line: 7, message: '"faithful" has no place in a freeform chain.' })
  })
  it('must end with a question and an answer', () => {
    expect(readPipeline(write('use: question')).problems[0]?.message).toBe('The freeform chain never writes a answer.')
  })
  it('may let duplicates and exams through, and is told so', () => {
    const { pipeline, problems } = readPipeline(write('use: question', 'use: answer'))
    expect(pipeline).not.toBeNull()
    expect(problems.map(({ severity }) => severity)).toEqual(['hint', 'hint'])
  })
  it.each(['', '[]', 'version: 1', ': :', 'a: &a [*a, *a]', '\t- x', 'version: 2\nname: x\nchains: {}', 'null'])(
    'is refused with a reason when it is %j',
    (text) => {
      const { pipeline, problems } = readPipeline(text)
      expect(pipeline).toBeNull()
      expect(problems[0]).toMatchObject({
        severity: 'error',
        message: expect.stringMatching(/\w/),
        remedy: expect.stringMatching(/\w/),
      })
    },
  )
})

describe('the chain of a leaf', () => {
  const leaf = { branch: 'foundational_skills', isGrounded: false, seedCount: 0 } as const
  it('is mined where a foundational leaf has no seeds', () => {
    expect(chainOf(leaf)).toBe('mined')
    expect(chainOf({ ...leaf, seedCount: 2 })).toBe('freeform')
    expect(chainOf({ ...leaf, branch: 'compositional_skills', seedCount: 2, isGrounded: true })).toBe('grounded')
    expect(chainOf({ ...leaf, branch: 'knowledge' })).toBe('knowledge')
  })
})

describe('the room of a chain', () => {
  const packs = { teacher: 'standard', judge: 'standard' } as const
  const roomsOf = (name: string, chain: 'knowledge' | 'grounded', who: 'teacher' | 'judge') => {
    const text = presets.find(([file]) => file === `${name}.yaml`)?.[1] ?? ''
    const blocks = readPipeline(text).pipeline?.chains[chain] ?? []
    return callRooms({ chain, blocks, persona: 'precise', packs }, who)
  }
  it('counts a pair written by one call once, and what several calls wrote together', () => {
    expect(roomsOf('lab', 'knowledge', 'judge')).toEqual([
      { stage: 'knowledge-faithful', writtenTokens: 640, answerTokens: 256 },
      { stage: 'knowledge-relevant', writtenTokens: 640, answerTokens: 256 },
      { stage: 'knowledge-self-contained', writtenTokens: 640, answerTokens: 16 },
    ])
    const graded = roomsOf('lab', 'grounded', 'judge').find(({ stage }) => stage === 'skill-pair-judge')
    expect(graded?.writtenTokens).toBe(768 + 256 + 1024)
  })
  it('leaves room for a passage that took the place of the chunk', () => {
    const asked = roomsOf('instructlab-full', 'knowledge', 'teacher').find(({ stage }) => stage === 'knowledge-qa')
    expect(asked?.writtenTokens).toBe(768)
  })
})
