import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { DatasetRow } from '../../../main/contract/curation.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { contentKey, hashRows } from '../../../main/domain/dataset-hash.ts'
import { exportFiles, safeStem } from '../../../main/domain/formats.ts'

const row = (index: number, over: Partial<DatasetRow> = {}): DatasetRow => ({
  index,
  origin: `cand-${index}`,
  leaf: 'knowledge/birds' as LeafPath,
  branch: 'knowledge',
  system: '',
  user: `Question ${index}?`,
  assistant: `Answer "${index}"\nline two`,
  split: 'train',
  ...over,
})
const rows = [
  row(0),
  row(1, { split: 'validation' }),
  row(2, { branch: 'compositional_skills', leaf: 'skills/a' as LeafPath, system: 'Be brief.' }),
]
const read = (format: Parameters<typeof exportFiles>[0]) => {
  const files = exportFiles(format, rows, { stem: 'My data: 1' })
  return new Map(files.map((file) => [file.name, file]))
}
const json = (text = '') =>
  text
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('dataset hash', () => {
  const sha = (list: DatasetRow[]) => hashRows(list, () => createHash('sha256'))

  test('is the same for the same content, wherever it came from', () => {
    expect(sha([row(0, { origin: 'elsewhere' }), row(1)])).toBe(sha([row(0), row(1)]))
  })

  test('changes with any field, the split and the order', () => {
    const base = sha([row(0), row(1)])
    for (const over of [
      { system: 'x' },
      { user: 'x' },
      { assistant: 'x' },
      { split: 'validation' as const },
      { leaf: 'x' as LeafPath },
    ]) {
      expect(sha([row(0, over), row(1)])).not.toBe(base)
    }
    expect(sha([row(1), row(0)])).not.toBe(base)
  })

  test('the key of a row does not depend on its side', () => {
    expect(contentKey(row(0))).toBe(contentKey(row(0, { split: 'validation', index: 5 })))
  })
})

describe('files for other programs', () => {
  test('train and test rows have system, user and assistant', () => {
    const files = read('train')
    expect([...files.keys()]).toEqual(['train_My-data-1.jsonl', 'test_My-data-1.jsonl'])
    expect(json(files.get('train_My-data-1.jsonl')?.text)).toEqual([
      { system: '', user: 'Question 0?', assistant: 'Answer "0"\nline two' },
      { system: 'Be brief.', user: 'Question 2?', assistant: 'Answer "2"\nline two' },
    ])
  })

  test('messages carry roles and their metadata as a JSON string', () => {
    const [, second] = json(read('messages').get('messages_My-data-1.jsonl')?.text)
    expect(second?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Question 2?' },
      { role: 'assistant', content: 'Answer "2"\nline two' },
    ])
    expect(JSON.parse(String(second?.metadata))).toMatchObject({ leaf: 'skills/a' })
  })

  test('the InstructLab set has one file of messages and one recipe a phase', () => {
    const files = read('instructlab')
    expect([...files.keys()]).toEqual([
      'train_My-data-1.jsonl',
      'test_My-data-1.jsonl',
      'messages_My-data-1.jsonl',
      'knowledge_train_msgs_My-data-1.jsonl',
      'knowledge_recipe_My-data-1.yaml',
      'skills_train_msgs_My-data-1.jsonl',
      'skills_recipe_My-data-1.yaml',
    ])
    const [skill] = json(files.get('skills_train_msgs_My-data-1.jsonl')?.text)
    expect(skill).toMatchObject({ id: 'cand-2', unmask: false })
    expect(parse(files.get('skills_recipe_My-data-1.yaml')?.text ?? '')).toEqual({
      datasets: [{ path: 'skills_train_msgs_My-data-1.jsonl', sampling_size: 1 }],
      metadata: { sys_prompt: 'Be brief.' },
    })
  })

  test("Labdesk's own form keeps every row on its side", () => {
    const all = json(read('labdesk').get('labdesk_My-data-1.jsonl')?.text)
    expect(all.map((line) => line.split)).toEqual(['train', 'validation', 'train'])
  })

  test('a name fit for no file system still names a file', () => {
    expect(safeStem('../../etc/passwd')).toBe('etc-passwd')
    expect(safeStem('///')).toBe('dataset')
    expect(safeStem('鳥 データ')).toBe('鳥-データ')
  })
})
