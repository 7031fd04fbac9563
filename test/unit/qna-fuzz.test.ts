import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Branch } from '../../main/contract/taxonomy.ts'
import { readQna, writeQna } from '../../main/domain/qna.ts'
import type { QnaContent } from '../../main/domain/qna-form.ts'
import { createRandom, type Random } from '../../main/domain/random.ts'
import { knowledge, pairs, skill } from '../support/qna-texts.ts'

describe('readQna: hostile files', () => {
  it.each([
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghijk'
        .split('')
        .map((key, at) => `${key}: &${key} [${`*${'abcdefghij'[at]},`.repeat(9)}]`)
        .join('\n')}\n`,
    ],
    ['an alias of itself', 'a: &a [*a]\n'],
    ['a thousand aliases', `a: &a x\nb: [${'*a,'.repeat(1000)}]\n`],
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['nested maps', Array.from({ length: 5000 }, (_, at) => `${' '.repeat(Math.min(at, 150))}a:`).join('\n')],
    ['a file of two million letters', `a: ${'x'.repeat(2_000_000)}`],
    ['a hundred thousand entries', `a:\n${'- b\n'.repeat(100_000)}`],
    ['NUL characters', 'a\u0000b: \u0000\u0001\n'],
    ['a tag to run code', 'a: !!js/function "x"\n'],
    ['a prototype', '__proto__: {x: 1}\nconstructor: x\n'],
  ])('%s is refused in seconds', (_, text) => {
    const started = performance.now()
    expect(readQna(text, 'compositional_skills').outcome).toBe('refused')
    expect(performance.now() - started).toBeLessThan(20_000)
  })
  it('never throws and never hangs on 4,000 mutated files', () => {
    const random = createRandom('mutants')
    const originals: [string, Branch][] = [
      [skill(), 'compositional_skills'],
      [skill(pairs(3), ''), 'foundational_skills'],
      [knowledge(2), 'knowledge'],
    ]
    const outcomes = { valid: 0, upgraded: 0, refused: 0 }
    for (let round = 0; round < 4000; round++) {
      const [text, branch] = random.pick(originals)
      const file = readQna(mutate(text, random), branch)
      outcomes[file.outcome]++
      expect(file.content === null).toBe(file.outcome === 'refused')
      expect(file.problems.some(({ severity }) => severity === 'error')).toBe(file.outcome === 'refused')
      for (const { line, column, remedy } of file.problems)
        expect(Math.min(line, column, remedy.length)).toBeGreaterThan(0)
    }
    expect(outcomes.refused).toBeGreaterThan(500)
    expect(outcomes.valid).toBeGreaterThan(100)
  })
})

describe('writeQna', () => {
  const base: Omit<QnaContent, 'version'> = {
    branch: 'compositional_skills',
    createdBy: 'ada',
    taskDescription: 'Do it.',
    domain: '',
    documentOutline: '',
    documentSource: null,
    seeds: [],
  }
  it('writes what reads back the same, whatever the texts hold', () => {
    const random = createRandom('round trip')
    for (let round = 0; round < 400; round++) {
      const branch = random.pick(['compositional_skills', 'knowledge'] as const)
      const isGrounded = branch === 'knowledge' || random.int(2) === 0
      const contexts = [awkward(random), awkward(random)]
      const seeds = Array.from({ length: 6 }, (_, at) => ({
        ...(isGrounded && { context: contexts[Math.floor(at / 3)] ?? 'c' }),
        question: `${awkward(random)} ${at}`,
        answer: awkward(random),
      }))
      const isKnowledge = branch === 'knowledge'
      const content = {
        ...base,
        branch,
        taskDescription: isKnowledge ? '' : awkward(random),
        domain: isKnowledge ? awkward(random) : '',
        documentOutline: isKnowledge ? awkward(random) : '',
        documentSource: isKnowledge ? { repo: awkward(random), commit: '0123', patterns: ['*.md', 'yes'] } : null,
        seeds,
      }
      const file = readQna(writeQna(content), branch)
      expect(file.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(file.content).toEqual({ ...content, version: 3 })
    }
  })
  it('quotes what YAML 1.1 would read as something else', () => {
    const answers = ['yes', 'No', 'on', '1:30', '0777', '1_000', '2024-01-01', '~', '.5', '1e3', '= x']
    const text = writeQna({ ...base, seeds: answers.map((answer, at) => ({ question: `Q${at}?`, answer })) })
    const asOld = parse(text, { version: '1.1' }) as { seed_examples: { answer: unknown }[] }
    expect(asOld.seed_examples.map(({ answer }) => answer)).toEqual(answers)
  })
})

function mutate(text: string, random: Random): string {
  const odd = [
    '\t',
    ':',
    '"',
    "'",
    '- ',
    '\n',
    '{',
    ']',
    '&a ',
    '*a',
    '|',
    '>',
    '#',
    '\u0000',
    '%',
    '!',
    '字',
    '---\n',
    '? ',
  ]
  let mutated = text
  for (let edit = 0; edit <= random.int(4); edit++) {
    const at = random.int(mutated.length + 1)
    const kind = random.int(5)
    const length = random.int(30)
    if (kind === 0) mutated = mutated.slice(0, at) + mutated.slice(at + length)
    else if (kind === 1) mutated = mutated.slice(0, at) + random.pick(odd) + mutated.slice(at)
    else if (kind === 2) mutated = mutated.slice(0, at) + mutated.slice(at, at + length).repeat(3) + mutated.slice(at)
    else if (kind === 3) mutated = mutated.slice(0, at)
    else
      mutated = mutated.replace(
        random.pick(['question', 'answer', 'seed_examples', 'version', 'ada']),
        random.pick(odd),
      )
  }
  return mutated
}

/** A text that YAML finds hard, without space around it. */
function awkward(random: Random): string {
  const parts = [
    'yes',
    '# no',
    ': ',
    '- ',
    '"',
    "'",
    '\n',
    '\n\n',
    '\t',
    '{',
    '}',
    '|',
    '>',
    '&',
    '*',
    '!',
    '%',
    '@',
    '\\',
    '`',
    '漢字',
    '👍',
    'é',
    ' ',
    '  ',
    'word',
    '---',
    '...',
    '?',
    '1',
    '~',
    '\u200b',
    '\u0007',
    '\u2028',
    'x'.repeat(130),
  ]
  const text = Array.from({ length: 1 + random.int(12) }, () => random.pick(parts)).join('')
  return `${random.pick(['a', 'yes', '-', '#', '1', '"', "'", '字'])}${text.trim()}.`
}
