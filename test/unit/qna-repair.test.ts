import { describe, expect, it } from 'vitest'
import type { Branch, RepairKind } from '../../main/contract/taxonomy.ts'
import { readQna, writeQna } from '../../main/domain/qna.ts'
import type { QnaContent } from '../../main/domain/qna-form.ts'
import { repairQna } from '../../main/domain/qna-repair.ts'
import { createRandom } from '../../main/domain/random.ts'
import { applyEdits } from '../../main/domain/text-edits.ts'
import { knowledge, pairs, skill } from '../support/qna-texts.ts'

const mend = (text: string, branch: Branch = 'compositional_skills') => repairQna(text, branch)
const words = (count: number, word = 'word') => Array.from({ length: count }, (_, at) => `${word}${at}`).join(' ')

describe('edits of a text', () => {
  it('are made in order, and of two that overlap only the first is', () => {
    const edits = [
      { start: 4, end: 5, text: 'E' },
      { start: 0, end: 1, text: 'A' },
      { start: 0, end: 3, text: 'no' },
      { start: 6, end: 99, text: 'no' },
    ]
    expect(applyEdits('abcdef', edits)).toBe('AbcdEf')
  })
})

describe('a repair', () => {
  const cases: [kind: RepairKind, broken: string, mended: string, branch?: Branch][] = [
    ['trailing-spaces', skill().replace('Q1?', 'Q1?  ').replace('A2.', 'A2.\t'), skill()],
    ['line-ends', skill().replaceAll('\n', '\r\n'), skill()],
    ['final-newline', skill().trimEnd(), skill()],
    ['tabs', skill().replaceAll('  answer', '\tanswer'), skill()],
    ['tabs', skill(pairs(5, '  ')).replaceAll('    answer', '\t\tanswer'), skill(pairs(5, '  '))],
    [
      'indentation',
      knowledge().replace('        answer: A1.', '       answer: A1.').replace('  commit', '    commit'),
      knowledge(),
      'knowledge',
    ],
    [
      'indentation',
      skill(pairs(5, '  '))
        .replace('    answer: A3.', '     answer: A3.')
        .replace('  - question: Q1', ' - question: Q1'),
      skill(pairs(5, '  ')),
    ],
    ['quotes', skill().replace('A1.', '42'), skill().replace('A1.', "'42'")],
    ['quotes', skill().replace('A1.', 'true'), skill().replace('A1.', "'true'")],
    ['quotes', skill().replace('A1.', 'No'), skill().replace('A1.', "'No'")],
    ['version', skill().replace('3', "'3'"), skill()],
    ['version', knowledge(5, ''), knowledge(), 'knowledge'],
    ['version', skill(pairs(5), 'version: 2\n'), skill()],
    ['version', skill(pairs(5), ''), skill()],
    ['misspelt-key', skill().replace('task_description', 'task_descripton'), skill()],
    ['misspelt-key', skill().replace('created_by', 'createdBy'), skill()],
    ['unknown-key', skill().replace('seed_examples', 'notes: |\n  x\n  y\nseed_examples'), skill()],
    ['unknown-key', `${skill()}notes: x # why\n`, skill()],
    ['unknown-key', skill().replace('answer: A1.', 'why: x\n  answer: A1.'), skill()],
    ['unknown-key', skill().replace('answer: A4.', 'answer: A4.\n  why: x'), skill()],
    ['unknown-key', skill().replace('- question: Q2', '- why: [a, b]\n  question: Q2'), skill()],
    ['empty-field', skill().replace('- question: Q2', "- context: ''\n  question: Q2"), skill()],
    ['repeated-seed', skill(pairs(2) + pairs(5)), skill()],
    ['repeated-seed', skill(pairs(5) + pairs(1)), skill()],
    ['repeated-seed', `${knowledge(1)}${pairs(1, '      ')}`, knowledge(1), 'knowledge'],
  ]
  it.each(cases)('of %s changes nothing else (%#)', (...[kind, broken, mended, branch]) => {
    const result = mend(broken, branch)
    expect(result.text).toBe(mended)
    expect(new Set(result.made)).toEqual(new Set([kind]))
    expect(result.file.problems.filter(({ repair }) => repair)).toEqual([])
  })
  it('of long lines folds the text and keeps every word, in any style', () => {
    const long = words(60)
    for (const written of [long, `'${long}'`, `"${long}"`, `|\n    ${long}\n    second\n`, `>-\n    ${long}`]) {
      const broken = skill(`${pairs(4)}- question: Q9?\n  answer: ${written}\n`)
      const { text, made, file } = mend(broken)
      expect(made).toContain('long-lines')
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
      expect(file.content).toEqual(readQna(broken, 'compositional_skills').content)
    }
  })
  it('leaves a long word, a long comment and an anchored text as they are', () => {
    const text = skill(`${pairs(4)}- question: Q9?\n  answer: ${'x'.repeat(300)}\n`)
    expect(mend(text).file.problems).toEqual([])
    const comment = `# ${words(60)}\n${skill()}`
    expect(mend(comment).text).toBe(comment)
    expect(mend(comment).file.problems.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
      'hint A line is longer than 120 characters.',
    ])
    const anchored = skill(`- question: &long ${words(60)}\n  answer: *long\n`)
    expect(mend(anchored).file.content?.seeds[0]?.answer).toBe(words(60))
  })
  it('can be asked for one place only', () => {
    const broken = skill().replace('A1.', '1').replace('A3.', '3')
    const [first] = readQna(broken, 'compositional_skills').problems
    const places = [{ kind: 'quotes' as const, line: first!.line, column: first!.column }]
    const { text } = repairQna(broken, 'compositional_skills', { places })
    expect(text).toBe(broken.replace(': 1\n', ": '1'\n"))
  })
  it('of one thing is made although another would do harm', () => {
    const broken = skill().replace('A1.', '1').replace('A2.  ', '')
    const flow = `${broken}extra: {a: 1}\n`
    expect(mend(flow).text).toBe(skill().replace('A1.', "'1'"))
  })
  it('is made in a file that begins with a byte order mark', () => {
    expect(mend(`\ufeff${skill().replace('A1.', '7').trimEnd()}`).text).toBe(`\ufeff${skill().replace('A1.', "'7'")}`)
  })
  it('of tabs is the only thing said about a text that is broken by them', () => {
    const { problems } = readQna(skill().replaceAll('  answer', '\tanswer'), 'compositional_skills')
    expect(problems.map(({ line, repair }) => [line, repair?.kind])).toEqual([[6, 'tabs']])
  })
  it('is not made up where nobody but the author can tell', () => {
    for (const text of ['', '- a\n', skill().replace('created_by: ada\n', ''), 'a: "\n', `${skill()}---\na: b\n`])
      expect(mend(text)).toMatchObject({ text, made: [] })
  })
})

describe('old knowledge', () => {
  const head = 'version: 2\ntask_description: Know birds.\n'
  const old = knowledge(0, head).replace('document_outline: All about birds.\n', '')
  const seeds = ['moss', 'reeds', 'honey', 'nuts', 'fish', 'eggs'].map(
    (food) => `- question: Who eats ${food}?\n  answer: The ${food} bird.\n`,
  )
  const text = old + seeds.join('')

  it('gets the passages of its documents as contexts and becomes valid version 3', () => {
    const passage = (food: string) => `Of all the birds on the moor it is only the ${food} bird that lives on ${food}.`
    const document = `# Birds\n\n${['fish', 'moss', 'honey', 'reeds', 'eggs', 'nuts'].map(passage).join('\n\n')}\n`
    const { text: mended, made, file } = repairQna(text, 'knowledge', { documents: [document] })
    expect(made).toEqual(['upgrade'])
    expect(file).toMatchObject({ outcome: 'valid', content: { version: 3, documentOutline: 'Know birds.' } })
    expect(file.content?.documentSource).toEqual(readQna(knowledge(), 'knowledge').content?.documentSource)
    for (const { context, question } of file.content?.seeds ?? [])
      expect(context).toBe(passage(/eats (\w+)/.exec(question)?.[1] ?? ''))
    expect(mended.startsWith('version: 3\n')).toBe(true)
  })
  it('gets its answers as contexts where there are no documents, and says that this is not enough', () => {
    const { file } = repairQna(text, 'knowledge')
    expect(file).toMatchObject({ outcome: 'valid', content: { version: 3 } })
    expect(new Set(file.content?.seeds.map(({ context }) => context)).size).toBe(2)
    const warnings = file.problems.filter(({ severity }) => severity === 'warning')
    expect(warnings.map(({ field }) => field)).toEqual(['seed_examples[0].context', 'seed_examples[1].context'])
  })
})

describe('repairs of any text', () => {
  it('end in time, never make it worse, and leave nothing to repair twice', () => {
    const random = createRandom('repairs')
    const originals: [string, Branch][] = [
      [skill(), 'compositional_skills'],
      [skill(pairs(4) + pairs(2), 'version: 2\n'), 'foundational_skills'],
      [knowledge(3), 'knowledge'],
    ]
    const odd = ['\t', '  ', ' ', '\r\n', "'", '- ', 'notes: x\n', ' yes', '7', '\n', ':', '#', words(40)]
    let mendedCount = 0
    let whole = 0
    for (let round = 0; round < 1500; round++) {
      const [original, branch] = random.pick(originals)
      let text = original
      for (let edit = 0; edit <= random.int(4); edit++) {
        const at = random.int(text.length + 1)
        text = text.slice(0, at) + random.pick(odd) + text.slice(at + random.int(3))
      }
      const before = readQna(text, branch)
      const started = performance.now()
      const { file, made } = repairQna(text, branch)
      expect(performance.now() - started).toBeLessThan(5000)
      const errors = (of: typeof before) => of.problems.filter(({ severity }) => severity === 'error').length
      if (before.isYaml) expect(errors(file)).toBeLessThanOrEqual(errors(before))
      expect(file.isYaml || !before.isYaml).toBe(true)
      if (made.length > 0) mendedCount++
      if (before.outcome === 'refused' && file.outcome !== 'refused') whole++
    }
    expect(mendedCount).toBeGreaterThan(300)
    expect(whole).toBeGreaterThan(100)
  })
  it('of form alone change no word of what it says', () => {
    const random = createRandom('form')
    for (let round = 0; round < 200; round++) {
      const seeds = Array.from({ length: 5 }, (_, at) => ({
        question: `${words(1 + random.int(60), 'q')} ${at}?`,
        answer: Array.from({ length: 1 + random.int(4) }, () => words(1 + random.int(50), 'a')).join('\n'),
      }))
      const content: Omit<QnaContent, 'version'> = {
        branch: 'compositional_skills',
        createdBy: 'ada',
        taskDescription: 'Do it.',
        domain: '',
        documentOutline: '',
        documentSource: null,
        seeds,
      }
      const text = writeQna(content)
        .trimEnd()
        .replace(/\n/g, random.pick(['\n', '\r\n']))
      expect(mend(text).file.content?.seeds).toEqual(seeds)
    }
  })
})
