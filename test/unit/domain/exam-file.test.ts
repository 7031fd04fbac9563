import { describe, expect, test } from 'vitest'
import { AppError } from '../../../main/contract/errors.ts'
import { parseExamFile } from '../../../main/domain/exam-file.ts'

const lines = (...rows: (object | string)[]) =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n')
const refusal = (source: string): AppError => {
  try {
    parseExamFile(source, 'exam.jsonl')
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown
  }
  throw new Error('was not refused')
}

describe('exam files', () => {
  test('closed-book questions have one or several accepted answers', () => {
    const source = lines(
      { question: 'Q1?', answer: 'yes' },
      '',
      { question: 'Q2?', accepted: ['a', 'b'], leaf: 'x/y', context: 'Text.' },
      { question: 'Q3?', answer: 12 },
    )
    expect(parseExamFile(`\uFEFF${source}\r\n`, 'facts.jsonl')).toEqual({
      kind: 'closed-book',
      questions: [
        { index: 0, leaf: null, question: 'Q1?', accepted: ['yes'], choices: [], context: '' },
        { index: 1, leaf: 'x/y', question: 'Q2?', accepted: ['a', 'b'], choices: [], context: 'Text.' },
        { index: 2, leaf: null, question: 'Q3?', accepted: ['12'], choices: [], context: '' },
      ],
    })
  })

  test('choices name the right one by text, letter or place', () => {
    const choices = ['red', 'green', 'blue', 'black']
    for (const answer of ['blue', 'C', 'c', '2', 2]) {
      const { kind, questions } = parseExamFile(lines({ question: 'Q?', choices, answer }), 'x.jsonl')
      expect(kind).toBe('choice')
      expect(questions[0]).toMatchObject({ accepted: ['blue'], choices })
    }
  })

  test('a number is a place even where the options are numbers; a string is the option itself', () => {
    const keyOf = (answer: unknown) =>
      parseExamFile(lines({ question: '1 + 1?', choices: ['1', '2', '3', '12'], answer }), 'x').questions[0]?.accepted
    expect(keyOf(1)).toEqual(['2'])
    expect(keyOf('1')).toEqual(['1'])
    expect(keyOf(12)).toEqual(['12'])
  })

  test('an option that looks like a letter is taken by its text first', () => {
    const choices = ['B', 'A']
    expect(parseExamFile(lines({ question: 'Q?', choices, answer: 'A' }), 'x').questions[0]?.accepted).toEqual(['A'])
  })

  test('the kind comes from the lines, else from the name of the file', () => {
    const source = lines({ question: 'Q?', answer: 'x' })
    expect(parseExamFile(source, 'retention_exam.jsonl').kind).toBe('retention')
    expect(parseExamFile(source, 'My-Skill-Exam.jsonl').kind).toBe('skill')
    expect(parseExamFile(lines({ question: 'Q?', answer: 'x', kind: 'skill' }), 'retention.jsonl').kind).toBe('skill')
  })

  test.each([
    ['{"question": "Q?"', 'Line 1 of the exam is not JSON'],
    [lines({ question: 'Q?', answer: 'x' }, { question: '' }), 'Line 2'],
    [lines({ question: 'Q?' }), 'neither "answer" nor "accepted"'],
    [lines({ question: 'Q?', choices: ['a', 'b'], answer: 'z' }), 'right answer among its "choices"'],
    [lines({ question: 'Q?', choices: ['a', 'b'], answer: '7' }), 'right answer among its "choices"'],
    ['\n\n', 'holds no questions'],
  ])('%j is refused by name and line', (source, message) => {
    const error = refusal(source)
    expect(error.code).toBe('bad-input')
    expect(error.message).toContain(message)
    expect(error.remedy).not.toBe('')
  })
})
