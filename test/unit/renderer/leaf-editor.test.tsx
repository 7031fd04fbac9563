import { fireEvent, screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { LeafPath, SeedId } from '../../../main/contract/ids.ts'
import type { LeafDetail } from '../../../main/contract/taxonomy.ts'
import { keptDraft } from '../../../renderer/state/drafts.ts'
import { LeafEditor } from '../../../renderer/views/taxonomy/leaf-editor.tsx'
import { draw } from './draw.tsx'
import { ScriptedEngine } from './scripted-engine.ts'

const leaf: LeafDetail = {
  path: 'compositional_skills/trade/bill' as LeafPath,
  branch: 'compositional_skills',
  taskDescription: 'Write a bill.',
  domain: '',
  documentOutline: '',
  createdBy: 'labdesk',
  isGrounded: false,
  persona: 'precise',
  language: 'en',
  seedCount: 1,
  documentCount: 0,
  datasetRowCount: 0,
  acceptedCount: 0,
  candidateCount: 7,
  problems: [],
  seeds: [{ id: 'seed-1' as SeedId, question: 'What is 2 x 3 coins?', answer: '6 coins.' }],
  documents: [],
  documentSource: null,
  attribution: '',
  sourceText: null,
}

function editing(): ScriptedEngine {
  const engine = new ScriptedEngine({
    'taxonomy.check': ({ seeds }) =>
      seeds.length < 5
        ? [{ severity: 'hint', line: 0, column: 0, field: 'seed_examples', message: 'Few seeds.', remedy: 'Add some.' }]
        : [],
    'taxonomy.save': () => leaf,
    'taxonomy.remove': () => null,
  })
  draw(engine, <LeafEditor leaf={leaf} />)
  return engine
}
const typeTask = (value: string) => fireEvent.change(screen.getByLabelText('Task description'), { target: { value } })

describe('the leaf editor', () => {
  it('shows broken rules in plain words while one types', async () => {
    editing()
    expect(await screen.findByText('Few seeds.')).toBeTruthy()
  })

  it('keeps typing as a draft after a pause, and brings it back', async () => {
    editing()
    typeTask('Write a short bill.')
    await waitFor(() => expect(keptDraft(leaf.path)?.taskDescription).toBe('Write a short bill.'))
    expect(screen.getByTestId('draft-state').textContent).toContain('Draft')
  })

  it('opens with the draft that was kept', () => {
    localStorage.setItem(`labdesk.draft.${leaf.path}`, JSON.stringify({ ...leaf, taskDescription: 'From yesterday.' }))
    editing()
    expect(screen.getByLabelText('Task description')).toHaveProperty('value', 'From yesterday.')
  })

  it('ignores a draft that cannot be read', () => {
    localStorage.setItem(`labdesk.draft.${leaf.path}`, '{"path":')
    editing()
    expect(screen.getByLabelText('Task description')).toHaveProperty('value', 'Write a bill.')
  })

  it('saves what is written and forgets the draft', async () => {
    const engine = editing()
    typeTask('Write a short bill.')
    fireEvent.click(screen.getByRole('button', { name: 'Save' }))
    await waitFor(() => expect(engine.asked('taxonomy.save')[0]?.taskDescription).toBe('Write a short bill.'))
    await waitFor(() => expect(location.hash).toContain('taxonomy'))
    expect(keptDraft(leaf.path)).toBeNull()
  })

  it('does not save a leaf with an unfinished seed, and says which rule that is', async () => {
    editing()
    fireEvent.click(screen.getByRole('button', { name: 'Add a seed' }))
    expect(screen.getByRole('button', { name: 'Save' })).toHaveProperty('disabled', true)
    expect(screen.getByTestId('leaf-problems').textContent).toContain('lacks its question or its answer')
  })

  it('removes a leaf at once: the notice brings it back', async () => {
    const engine = editing()
    fireEvent.click(screen.getByRole('button', { name: 'Remove' }))
    await waitFor(() => expect(engine.asked('taxonomy.remove')).toEqual([{ leaf: leaf.path }]))
    await waitFor(() => expect(location.hash).toBe('#/taxonomy'))
  })

  it('undoes and redoes typing with keys and buttons', () => {
    editing()
    typeTask('Write a short bill.')
    const task = screen.getByLabelText('Task description')
    fireEvent.keyDown(task, { key: 'z', ctrlKey: true })
    expect(task).toHaveProperty('value', 'Write a bill.')
    fireEvent.keyDown(task, { key: 'Z', ctrlKey: true, shiftKey: true })
    expect(task).toHaveProperty('value', 'Write a short bill.')
    fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
    expect(task).toHaveProperty('value', 'Write a bill.')
    expect(screen.getByRole('button', { name: 'Undo' })).toHaveProperty('disabled', true)
  })

  it('writes earlier turns and the answer format', async () => {
    const engine = editing()
    fireEvent.click(screen.getByRole('button', { name: 'Add an earlier turn to seed 1' }))
    expect(screen.getByRole('button', { name: 'Save' })).toHaveProperty('disabled', true)
    fireEvent.change(screen.getByLabelText('Earlier question 1.1'), { target: { value: 'Hello?' } })
    fireEvent.change(screen.getByLabelText('Earlier answer 1.1'), { target: { value: 'Good day.' } })
    fireEvent.click(screen.getByRole('button', { name: 'Save' }))
    await waitFor(() =>
      expect(engine.asked('taxonomy.save')[0]?.seeds[0]?.turns).toEqual([{ question: 'Hello?', answer: 'Good day.' }]),
    )
  })
})
