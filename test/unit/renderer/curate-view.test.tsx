import { fireEvent, screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { Sample } from '../../../main/contract/curation.ts'
import { CurateView } from '../../../renderer/views/curate/curate-view.tsx'
import { draw } from './draw.tsx'
import { judged, sampleOf } from './samples.ts'
import { ScriptedEngine } from './scripted-engine.ts'

/** An engine with three samples that remembers verdicts and can undo and redo the last one. */
function reviewing(): ScriptedEngine {
  const rows = [0, 1, 2].map((number) => sampleOf(number))
  const undone: Sample[] = []
  let last: { before: Sample; after: Sample } | null = null
  return new ScriptedEngine({
    'taxonomy.paths': () => [],
    'sample.list': () => ({ rows, total: rows.length }),
    'sample.get': ({ candidateId }) => {
      const sample = rows.find(({ id }) => id === candidateId) ?? sampleOf(0)
      return { ...sample, stages: [], chunkText: '', chunkPages: null, duplicateOf: null }
    },
    'sample.judge': ({ candidateId, kind, question, answer }) => {
      const at = rows.findIndex(({ id }) => id === candidateId)
      const before = rows[at] ?? sampleOf(0)
      const texts = { question: question ?? before.question, answer: answer ?? before.answer }
      const status = kind === 'reject' ? 'rejected' : kind === 'edit' ? 'edited' : 'accepted'
      const after = judged({ ...before, ...texts }, status)
      rows[at] = after
      last = { before, after }
      return after
    },
    'sample.undo': () => {
      if (!last) return null
      undone.push(last.after)
      return last.before
    },
    'sample.redo': () => undone.pop() ?? null,
  })
}

const press = (key: string) => fireEvent.keyDown(document.body, { key })
const question = () => screen.getByTestId('sample-question').textContent

async function drawn(): Promise<ScriptedEngine> {
  const engine = reviewing()
  draw(engine, <CurateView />)
  await screen.findByText('Question 0?')
  return engine
}

describe('curating from the keyboard', () => {
  it('moves down with j and up with k, and stops at both ends', async () => {
    await drawn()
    press('k')
    expect(question()).toBe('Question 0?')
    press('j')
    expect(question()).toBe('Question 1?')
    press('j')
    press('j')
    expect(question()).toBe('Question 2?')
    press('k')
    expect(question()).toBe('Question 1?')
  })

  it('rejects with r and accepts with a, each going on to the next sample', async () => {
    const engine = await drawn()
    press('r')
    expect(question()).toBe('Question 1?')
    press('a')
    expect(question()).toBe('Question 2?')
    await waitFor(() =>
      expect(engine.asked('sample.judge').map(({ candidateId, kind }) => [candidateId, kind])).toEqual([
        ['candidate-0', 'reject'],
        ['candidate-1', 'accept'],
      ]),
    )
  })

  it('undoes with u and redoes with Shift+u', async () => {
    const engine = await drawn()
    press('r')
    press('k')
    const pane = screen.getByTestId('sample-pane')
    expect(pane.textContent).toContain('rejected')
    press('u')
    await waitFor(() => expect(pane.textContent).toContain('accepted'))
    press('U')
    await waitFor(() => expect(pane.textContent).toContain('rejected'))
    expect(engine.asked('sample.redo')).toHaveLength(1)
  })

  it('edits with e; letters typed there are text, and Ctrl+Enter saves', async () => {
    const engine = await drawn()
    press('e')
    const field = screen.getByLabelText('Answer')
    fireEvent.keyDown(field, { key: 'r' })
    expect(engine.asked('sample.judge')).toHaveLength(0)
    fireEvent.change(field, { target: { value: 'A better answer.' } })
    fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true })
    await waitFor(() => expect(screen.getByTestId('sample-answer').textContent).toBe('A better answer.'))
    expect(engine.asked('sample.judge')[0]).toMatchObject({ kind: 'edit', answer: 'A better answer.' })
  })

  it('gives up an edit with Escape', async () => {
    const engine = await drawn()
    press('e')
    const field = screen.getByLabelText('Answer')
    fireEvent.change(field, { target: { value: 'Not this.' } })
    fireEvent.keyDown(field, { key: 'Escape' })
    expect(screen.getByTestId('sample-answer').textContent).toBe('Answer 0.')
    expect(engine.asked('sample.judge')).toHaveLength(0)
  })

  it('puts the cursor into the search field with /', async () => {
    await drawn()
    press('/')
    expect(document.activeElement).toBe(screen.getByLabelText('Search text'))
  })

  it('asks the engine for what is typed into the search field', async () => {
    const engine = await drawn()
    fireEvent.change(screen.getByLabelText('Search text'), { target: { value: 'moss' } })
    await waitFor(() => expect(engine.asked('sample.list').at(-1)?.filter).toEqual({ text: 'moss' }))
  })
})
