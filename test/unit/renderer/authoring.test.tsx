import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LeafDraft, LeafRevision } from '../../../main/contract/authoring.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import type { QnaProblem } from '../../../main/contract/taxonomy.ts'
import { RepairableProblems } from '../../../renderer/components/repairable-problems.tsx'
import { linesOfDiff } from '../../../renderer/components/text-diff.tsx'
import { setLanguage } from '../../../renderer/i18n.ts'
import { beginHistory, changeDraft, redoDraft, undoDraft } from '../../../renderer/state/draft-history.ts'
import { HistoryDialog } from '../../../renderer/views/taxonomy/history-dialog.tsx'
import { draw } from './draw.tsx'
import { ScriptedEngine } from './scripted-engine.ts'

beforeAll(() => setLanguage('en'))

describe('undo of a draft', () => {
  const draft = { taskDescription: 'a', domain: '' } as LeafDraft
  it('takes back typing in one field as one step, other fields and pauses apart', () => {
    let history = beginHistory(draft)
    history = changeDraft(history, { taskDescription: 'ab' }, 0)
    history = changeDraft(history, { taskDescription: 'abc' }, 300)
    history = changeDraft(history, { taskDescription: 'abcd' }, 5000)
    history = changeDraft(history, { domain: 'x' }, 5100)
    const seen = [history]
    for (let step = 0; step < 4; step++) seen.push(undoDraft(seen.at(-1)!))
    expect(seen.map(({ present }) => [present.taskDescription, present.domain])).toEqual([
      ['abcd', 'x'],
      ['abcd', ''],
      ['abc', ''],
      ['a', ''],
      ['a', ''],
    ])
    const again = redoDraft(redoDraft(redoDraft(redoDraft(seen.at(-1)!))))
    expect(again.present).toEqual(history.present)
  })
  it('gives up what was undone once something else is typed', () => {
    const undone = undoDraft(changeDraft(beginHistory(draft), { domain: 'x' }, 0))
    const typed = changeDraft(undone, { domain: 'y' }, 1)
    expect(typed.future).toEqual([])
    expect(undoDraft(typed).present.domain).toBe('')
  })
  it('is bounded', () => {
    let history = beginHistory(draft)
    for (let at = 0; at < 1000; at++) history = changeDraft(history, { domain: `${at}` }, at * 2000)
    expect(history.past.length).toBeLessThanOrEqual(200)
  })
})

describe('a difference', () => {
  it('shows what changed with the lines around it, and spaces that end a line', () => {
    const before = `${'same\n'.repeat(10)}old  \nlast\n`
    const after = `${'same\n'.repeat(10)}old\nlast\n`
    expect(linesOfDiff(before, after)).toEqual([
      { kind: 'gap', count: 8 },
      { kind: 'same', text: 'same' },
      { kind: 'same', text: 'same' },
      { kind: 'gone', text: 'old··' },
      { kind: 'added', text: 'old' },
      { kind: 'same', text: 'last' },
    ])
  })
  it('of long foreign texts ends in time', () => {
    const text = (seed: number) =>
      Array.from({ length: 20_000 }, (_, at) => `${(at * 7919 + seed) % 10_007}`).join('\n')
    const started = performance.now()
    expect(linesOfDiff(text(1), text(2)).length).toBeGreaterThan(0)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('repairs', () => {
  const problems: QnaProblem[] = [
    {
      severity: 'error',
      line: 3,
      column: 7,
      field: 'a',
      message: 'Bad.',
      remedy: 'Mend.',
      repair: { kind: 'quotes', edits: [] },
    },
    {
      severity: 'hint',
      line: 9,
      column: 1,
      field: '',
      message: 'Spaces.',
      remedy: 'Cut.',
      repair: { kind: 'trailing-spaces', edits: [] },
    },
    { severity: 'hint', line: 1, column: 1, field: '', message: 'Few.', remedy: 'Add.' },
  ]
  const subject = { kind: 'file', path: '/t/knowledge/a/qna.yaml' } as const
  const outcome = { before: 'a\n', after: 'b\n', made: ['quotes' as const], problems: [], draft: null }

  it('are shown as a difference first, one or all of them, and made only then', async () => {
    const engine = new ScriptedEngine({ 'taxonomy.repair': () => outcome })
    const done: unknown[] = []
    draw(engine, <RepairableProblems problems={problems} subject={subject} onRepaired={(one) => done.push(one)} />)
    expect(screen.getAllByRole('button', { name: 'Repair' })).toHaveLength(2)
    fireEvent.click(screen.getAllByRole('button', { name: 'Repair' })[0]!)
    expect((await screen.findByTestId('text-diff')).textContent).toContain('− a+ b')
    const places = [{ kind: 'quotes', line: 3, column: 7 }]
    expect(engine.asked('taxonomy.repair')).toEqual([{ subject, places }])
    const dialog = screen.getByRole('dialog')
    fireEvent.click([...dialog.querySelectorAll('button')].find(({ textContent }) => textContent === 'Repair')!)
    await waitFor(() => expect(engine.asked('taxonomy.repair').at(-1)).toEqual({ subject, places, apply: true }))
    await waitFor(() => expect(done).toEqual([outcome]))
    fireEvent.click(screen.getByRole('button', { name: 'Repair all' }))
    await waitFor(() => expect(engine.asked('taxonomy.repair').at(-1)).toEqual({ subject }))
  })
  it('are not offered where nothing can be repaired', () => {
    draw(new ScriptedEngine(), <RepairableProblems problems={problems} subject={null} onRepaired={() => undefined} />)
    expect(screen.queryByRole('button', { name: /Repair/ })).toBeNull()
  })
})

describe('the history of a leaf', () => {
  const leaf = 'knowledge/birds' as LeafPath
  const revision = (number: number, act: LeafRevision['act']): LeafRevision => ({
    number,
    act,
    path: leaf,
    seedCount: number,
    createdAtMs: 1000 * number,
  })
  it('shows the difference of two states and brings one back', async () => {
    const engine = new ScriptedEngine({
      'taxonomy.revisions': () => [revision(3, 'saved'), revision(2, 'moved'), revision(1, 'imported')],
      'taxonomy.revision': ({ revision: number }) => ({
        ...revision(number, 'saved'),
        text: `state ${number}\n`,
        file: null,
      }),
      'taxonomy.restore': () => ({}) as never,
    })
    let isClosed = false
    draw(engine, <HistoryDialog leaf={leaf} onClose={() => (isClosed = true)} />)
    expect((await screen.findByTestId('text-diff')).textContent).toContain('− state 2+ state 3')
    fireEvent.click(screen.getByRole('button', { name: /imported/ }))
    await waitFor(() => expect(screen.getByTestId('text-diff').textContent).toContain('− state 1'))
    fireEvent.click(screen.getByRole('button', { name: 'Restore this state' }))
    await waitFor(() => expect(isClosed).toBe(true))
    expect(engine.asked('taxonomy.restore')).toEqual([{ leaf, revision: 1 }])
  })
})
