import { describe, expect, it } from 'vitest'
import type { Branch, QnaProblem } from '../../main/contract/taxonomy.ts'
import { checkContent, readQna, writeQna } from '../../main/domain/qna.ts'
import { knowledge, pairs, skill } from '../support/qna-texts.ts'

/** `severity line:column field` of each problem. */
const places = (problems: readonly QnaProblem[]) =>
  problems.map(({ severity, line, column, field }) => `${severity} ${line}:${column} ${field}`)
const read = (text: string, branch: Branch = 'compositional_skills') => readQna(text, branch)

describe('readQna: what is valid', () => {
  it('takes a skill of version 3 as it is', () => {
    const file = read(skill())
    expect(file).toMatchObject({ outcome: 'valid', problems: [], upgradedText: null })
    expect(file.content).toMatchObject({
      version: 3,
      createdBy: 'ada',
      taskDescription: 'Do it.',
      documentSource: null,
    })
    expect(file.content?.seeds[4]).toEqual({ question: 'Q4?', answer: 'A4.' })
  })
  it('takes knowledge of version 3, one seed a pair, contexts shared by equal text', () => {
    const file = read(knowledge(), 'knowledge')
    expect(file).toMatchObject({ outcome: 'valid', problems: [] })
    expect(file.content?.seeds).toHaveLength(15)
    expect(file.content?.seeds[3]).toEqual({ context: 'Context 1.', question: 'Q0?', answer: 'A0.' })
    expect(file.content?.documentSource).toEqual({
      repo: 'https://example.org/r.git',
      commit: 'abc123',
      patterns: ['birds.md'],
    })
  })
  it('allows other keys beside question and answer in knowledge only', () => {
    const extra = (text: string) => text.replace('answer: A0.', 'answer: A0.\n        note: x')
    expect(read(extra(knowledge()), 'knowledge').outcome).toBe('valid')
    expect(read(skill().replace('answer: A0.', 'answer: A0.\n  note: x')).outcome).toBe('refused')
  })
  it('reads block texts without the blank lines around them, keeping those inside', () => {
    const file = read(skill('- question: |\n\n    Q?\n\n      more\n\n  answer: >\n    folded\n    text\n'))
    expect(file.content?.seeds).toEqual([{ question: 'Q?\n\n  more', answer: 'folded text' }])
  })
  it('hints at fewer than five seeds without refusing them', () => {
    const file = read(skill(pairs(2)))
    expect(file.outcome).toBe('valid')
    expect(places(file.problems)).toEqual(['hint 4:1 seed_examples'])
  })
  it('warns of texts longer than the guidance', () => {
    const long = (words: number) => 'word '.repeat(words)
    const file = read(skill(`- context: ${long(501)}\n  question: ${long(251)}\n  answer: A\n`))
    expect(file.problems.filter(({ severity }) => severity === 'warning')).toHaveLength(2)
    const many = Array.from({ length: 10 }, (_, at) => `- question: Q${at}\n  answer: ${long(240)}\n`).join('')
    expect(read(skill(many)).problems[0]?.message).toContain('All seeds together')
  })
  it('warns that InstructLab reads a bare yes as a truth value', () => {
    expect(places(read(skill(`${pairs(5)}- question: Is it?\n  answer: Yes\n`)).problems)).toEqual([
      'warning 16:11 seed_examples[5].answer',
    ])
    expect(read(skill(`${pairs(5)}- question: Is it?\n  answer: 'Yes'\n`)).problems).toEqual([])
  })
  it('follows a few aliases', () => {
    const file = read(skill(`- question: &q Same?\n  answer: A\n- question: Other?\n  answer: *q\n`))
    expect(file.content?.seeds[1]).toEqual({ question: 'Other?', answer: 'Same?' })
  })
})

describe('readQna: what is upgraded', () => {
  it('writes skills without a version, or of version 2, as version 3', () => {
    for (const head of ['', 'version: 2\n']) {
      const file = read(skill(pairs(5), head))
      expect(file.outcome).toBe('upgraded')
      const again = read(file.upgradedText ?? '')
      expect(again).toMatchObject({ outcome: 'valid', problems: [] })
      expect(again.content?.seeds).toEqual(file.content?.seeds)
    }
  })
  it('leaves an old skill with fewer than five seeds as it is', () => {
    expect(read(skill(pairs(3), ''))).toMatchObject({ outcome: 'valid', upgradedText: null })
  })
  it('drops repeated seeds of a version 1 skill with a warning', () => {
    const file = read(skill(pairs(5) + pairs(1), ''))
    expect(file.outcome).toBe('upgraded')
    expect(places(file.problems)).toEqual(['hint 1:1 version', 'warning 14:3 seed_examples[5]'])
    expect(read(file.upgradedText ?? '').content?.seeds).toHaveLength(5)
  })
  it('reads old knowledge and says what it lacks', () => {
    const old = knowledge(0, 'version: 2\ntask_description: Know.\n').replace(
      'document_outline: All about birds.\n',
      '',
    )
    const file = read(old + pairs(5), 'knowledge')
    expect(file).toMatchObject({ outcome: 'valid', content: { version: 2, taskDescription: 'Know.' } })
    expect(file.content?.seeds[0]).toEqual({ question: 'Q0?', answer: 'A0.' })
    expect(places(file.problems)).toEqual(['warning 1:1 version'])
    expect(file.problems[0]?.remedy).toContain('passage')
  })
})

describe('readQna: what is refused, where and why', () => {
  const refused: [what: string, text: string, place: string, branch?: Branch][] = [
    ['an empty file', '', 'error 1:1 '],
    ['a list', '- a\n', 'error 1:1 '],
    ['a missing author', skill().replace('created_by: ada\n', ''), 'error 1:1 created_by'],
    ['an empty text', skill().replace('Do it.', "''"), 'error 3:19 task_description'],
    ['a key without a text', skill().replace(' Do it.', ''), 'error 3:18 task_description'],
    ['a blank answer', skill().replace('A2.', '"  "'), 'error 10:11 seed_examples[2].answer'],
    ['a number as answer', skill().replace('A2.', '42'), 'error 10:11 seed_examples[2].answer'],
    ['a list as answer', skill().replace('A2.', '[a]'), 'error 10:11 seed_examples[2].answer'],
    ['a missing answer', skill().replace('  answer: A2.\n', ''), 'error 9:3 seed_examples[2].answer'],
    ['an unknown key', `${skill()}notes: x\n`, 'error 15:1 notes'],
    ['a domain in a skill', `${skill()}domain: x\n`, 'error 15:1 domain'],
    [
      'an unknown key in a seed',
      skill().replace('answer: A1.', 'answer: A1.\n  why: x'),
      'error 9:3 seed_examples[1].why',
    ],
    ['seeds that are a text', skill('').replace('seed_examples:', 'seed_examples: x'), 'error 4:16 seed_examples'],
    ['an empty list of seeds', skill('').replace('seed_examples:', 'seed_examples: []'), 'error 4:16 seed_examples'],
    ['a repeated seed', skill(pairs(5) + pairs(1)), 'error 15:3 seed_examples[5]'],
    [
      'a mixture of grounded and freeform',
      skill(`${pairs(5)}- context: C\n  question: Q\n  answer: A\n`),
      'error 15:3 seed_examples[5]',
    ],
    ['a newer version', skill().replace('3', '4'), 'error 1:10 version'],
    ['a version in quotes', skill().replace('3', "'3'"), 'error 1:10 version'],
    ['knowledge without a version', knowledge(5, ''), 'error 1:1 version', 'knowledge'],
    [
      'knowledge with a task',
      knowledge(5, 'version: 3\ntask_description: x\n'),
      'error 2:1 task_description',
      'knowledge',
    ],
    [
      'knowledge without an outline',
      knowledge().replace(/document_outline.*\n/, ''),
      'error 1:1 document_outline',
      'knowledge',
    ],
    [
      'a document without patterns',
      knowledge().replace(/ {2}patterns:\n.*\n/, ''),
      'error 6:3 document.patterns',
      'knowledge',
    ],
    [
      'an unknown key of a document',
      knowledge().replace('  repo', '  url: x\n  repo'),
      'error 6:3 document.url',
      'knowledge',
    ],
    [
      'a context without pairs',
      knowledge(1).replace(/ {4}questions_and_answers[^]*$/, ''),
      'error 11:5 seed_examples[0].questions_and_answers',
      'knowledge',
    ],
    [
      'a repeated pair',
      `${knowledge(1)}${pairs(1, '      ')}`,
      'error 19:9 seed_examples[0].questions_and_answers[3]',
      'knowledge',
    ],
    ['a key given twice', `${skill()}created_by: bob\n`, 'error 15:1 '],
    ['a tab as indentation', skill('- question: Q\n\tanswer: A\n'), 'error 6:1 '],
    ['an open quote', skill('- question: "Q\n  answer: A\n'), 'error 7:1 '],
    ['a colon inside a text', skill('- question: Q: what?\n  answer: A\n'), 'error 5:13 '],
    ['two documents', `${skill()}---\na: b\n`, 'error 15:1 '],
    ['an unknown alias', skill('- question: *star\n  answer: A\n'), 'error 5:13 '],
  ]
  it.each(refused)('%s', (...[, text, place, branch]) => {
    const file = read(text, branch ?? 'compositional_skills')
    expect(file.outcome).toBe('refused')
    expect(file.content).toBeNull()
    const errors = file.problems.filter(({ severity }) => severity === 'error')
    expect(places(errors)).toContain(place)
    for (const { message, remedy } of errors) {
      expect(message).toMatch(/\S.*[.)]$/s)
      expect(remedy).toMatch(/^[A-Z].*[.']$/s)
    }
  })
  it('guesses what a misspelt key was meant to be', () => {
    const file = read(skill().replace('task_description', 'task_descripton').replace('created_by', 'createdBy'))
    expect(file.problems.map(({ remedy }) => remedy)).toEqual(
      expect.arrayContaining(['Rename it to "created_by".', 'Rename it to "task_description".']),
    )
  })
  it('names every problem of a file, not only the first', () => {
    const file = read(skill().replace('A1.', '1').replace('A3.', '3'))
    expect(places(file.problems)).toEqual(['error 8:11 seed_examples[1].answer', 'error 12:11 seed_examples[3].answer'])
  })
})

describe('checkContent', () => {
  it('places problems of a draft in the file it would become', () => {
    const draft = {
      branch: 'knowledge' as const,
      createdBy: 'ada',
      taskDescription: '',
      domain: '',
      documentOutline: 'All.',
      documentSource: null,
      seeds: [{ question: 'Q?', answer: 'A.' }],
    }
    const problems = checkContent(draft)
    expect(problems.filter(({ severity }) => severity === 'error').map(({ field }) => field)).toEqual([
      'domain',
      'seed_examples[0].context',
    ])
    const lines = writeQna(draft).split('\n')
    for (const { line, field } of problems.filter((problem) => problem.severity === 'error')) {
      expect(lines[line - 1]).toContain(field.split('.').at(-1))
    }
  })
})
