import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type AnswerFormat, answerFormats } from '../../main/contract/taxonomy.ts'
import { answerInstruction, formatBreach } from '../../main/domain/answer-format.ts'
import { hashLeaf, hashWithDocuments, type TaughtLeaf } from '../../main/domain/leaf-content.ts'
import { addTurns, readSidecar, type SidecarLeaf, writeSidecar } from '../../main/domain/sidecar.ts'

describe('the answer format', () => {
  const kept: Record<AnswerFormat, string[]> = {
    text: ['', 'Anything at all.'],
    word: ['moss', '42', '苔'],
    number: ['42', '-1.5', '1,234', '3e8', '50 %', '.5'],
    list: ['- a\n- b', '1. a\n2. b', '・苔'],
    json: ['{"a": 1}', '[1, 2]'],
    'yes-no': ['yes', 'No.', 'はい'],
  }
  const broken: Record<AnswerFormat, string[]> = {
    text: [],
    word: ['two words', '', 'a\nb'],
    number: ['forty-two', '1 2', '', '-', '12 apples'],
    list: ['a, b', 'Here:\n- a'],
    json: ['{a: 1}', '"text"', 'null', '{"a": 1} done'],
    'yes-no': ['maybe', 'yes, it is'],
  }
  it.each(answerFormats)('%s takes what keeps it and says how the rest breaks it', (format) => {
    for (const answer of kept[format]) expect([answer, formatBreach(format, answer)]).toEqual([answer, null])
    for (const answer of broken[format])
      expect([answer, formatBreach(format, answer)]).toEqual([answer, expect.stringMatching(/^is /)])
  })
  it('is told to the teacher in the language of the leaf', () => {
    expect(answerInstruction('text', 'en')).toBe('')
    expect(answerInstruction('list', 'ja')).toMatch(/箇条書き/)
    expect(answerInstruction('number', 'de')).toMatch(/number/)
  })
})

describe('labdesk.yaml', () => {
  const turns = [{ question: 'Hello? # yes', answer: 'no' }]
  const leaf: SidecarLeaf = {
    persona: 'creative',
    language: 'ja',
    answerFormat: 'list',
    seeds: [
      { question: 'Q0?', answer: 'A0.', turns },
      { question: 'Q1?', answer: 'A1.' },
      { question: 'Q0?', answer: 'A2.', context: 'C', turns: [...turns, { question: 'b\n\nc', answer: ' d ' }] },
    ],
  }
  const bare = leaf.seeds.map(({ turns: _turns, ...seed }) => seed)
  it('brings back what was written, to the seeds it was written for', () => {
    const { sidecar, problems } = readSidecar(writeSidecar(leaf))
    expect(problems).toEqual([])
    expect(sidecar).toMatchObject({ persona: 'creative', language: 'ja', answerFormat: 'list' })
    expect(addTurns(bare, sidecar)).toEqual(leaf.seeds)
    expect(addTurns(bare.toReversed(), sidecar)).toEqual(leaf.seeds.toReversed())
    expect(addTurns([{ question: 'Q0?', answer: 'A0.', context: 'new' }], sidecar)[0]?.turns).toEqual(turns)
  })
  it.each([
    ['no YAML', 'persona: "'],
    ['a list', '- a\n'],
    ['another version', 'version: 2\npersona: creative\n'],
    ['an unknown persona', 'version: 1\npersona: loud\n'],
    ['an unknown format', 'version: 1\nanswer_format: poem\n'],
    ['conversations that are a text', 'version: 1\nconversations: x\n'],
    ['a turn without an answer', 'version: 1\nconversations:\n- question: Q\n  turns:\n  - question: q\n'],
    ['a bomb of aliases', `a: &a [x]\nb: [${'*a,'.repeat(200)}]\n`],
  ])('with %s is told about, and what is good of it is taken', (_, text) => {
    const { sidecar, problems } = readSidecar(text)
    expect(problems.length).toBeGreaterThan(0)
    for (const { severity, field, remedy } of problems)
      expect([severity, field, remedy.length > 5]).toEqual(['warning', 'labdesk.yaml', true])
    expect(sidecar.conversations).toEqual([])
    expect(sidecar.persona).toBe(text.includes('creative') ? 'creative' : undefined)
  })
})

describe("a leaf's hash", () => {
  const sha = () => createHash('sha256')
  const leaf: TaughtLeaf = {
    branch: 'compositional_skills',
    taskDescription: 'Rhyme.',
    domain: '',
    documentOutline: '',
    persona: 'precise',
    language: 'en',
    seeds: [{ question: 'Q?', answer: 'A.' }],
  }
  it('changes with everything that is taught', () => {
    const changes: Partial<TaughtLeaf>[] = [
      { taskDescription: 'Rhyme!' },
      { domain: 'x' },
      { documentOutline: 'x' },
      { persona: 'creative' },
      { language: 'ja' },
      { answerFormat: 'word' },
      { publicFileSha256: 'x' },
      { branch: 'knowledge' },
      { seeds: [] },
      { seeds: [{ question: 'Q?', answer: 'A.', context: 'C' }] },
      { seeds: [{ question: 'Q?', answer: 'A.', turns: [{ question: 'q', answer: 'a' }] }] },
      { seeds: [{ question: 'A.', answer: 'Q?' }] },
    ]
    const hashes = [{}, ...changes].map((change) => hashLeaf({ ...leaf, ...change }, sha))
    expect(new Set(hashes).size).toBe(hashes.length)
  })
  it('does not change with the words for nothing, or a move between branches of skills', () => {
    expect(hashLeaf({ ...leaf, answerFormat: 'text', publicFileSha256: null }, sha)).toBe(hashLeaf(leaf, sha))
    expect(hashLeaf({ ...leaf, branch: 'foundational_skills' }, sha)).toBe(hashLeaf(leaf, sha))
  })
  it('with documents does not depend on the order these were added in', () => {
    expect(hashWithDocuments('a', ['x', 'y'], sha)).toBe(hashWithDocuments('a', ['y', 'x'], sha))
    expect(hashWithDocuments('a', ['x'], sha)).not.toBe(hashWithDocuments('a', [], sha))
  })
})
