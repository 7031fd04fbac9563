import { fireEvent, screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { DatasetId, JobId, ModelId, TuningId } from '../../../main/contract/ids.ts'
import type { PhasePlan, TuningPlan } from '../../../main/contract/tuning.ts'
import { PlanEditor } from '../../../renderer/views/tune/plan-editor.tsx'
import { draw } from './draw.tsx'
import { ScriptedEngine } from './scripted-engine.ts'

const phase = (name: PhasePlan['name'], replayShare: number): PhasePlan => ({
  name,
  branches: ['knowledge'],
  responses: 'all',
  replayShare,
  epochs: 4,
  learningRate: 3e-4,
  batchRows: 32,
  warmupSteps: 10,
  schedule: 'constant',
  contextTokens: 256,
})
const preset: TuningPlan = {
  name: 'A tuning',
  studentId: 'model-2' as ModelId,
  datasetId: 'dataset-1' as DatasetId,
  preset: 'workstation-full',
  mode: 'full',
  phases: [phase('KT/1', 0), phase('KT/2', 0.3), phase('ST', 0.4)],
  seed: 1,
  threads: 1,
  checkpointEverySteps: 100,
  examIds: [],
}

function planning(): ScriptedEngine {
  const engine = new ScriptedEngine({
    'exam.list': () => [],
    'tuning.estimate': ({ phases }) => ({
      phases: phases.map(({ name }) => ({ name, rows: 100, tokens: 5000, steps: 12, seconds: 30 })),
      peakMemoryBytes: 2e8,
      diskBytes: 1e8,
      warnings: phases.every(({ replayShare }) => replayShare === 0) ? ['Nothing is replayed.'] : [],
    }),
    'tuning.start': () => ({ tuningId: 'tuning-1' as TuningId, jobId: 'job-1' as JobId }),
  })
  draw(engine, <PlanEditor preset={preset} />)
  return engine
}

const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
const start = () => screen.getByRole('button', { name: 'Start tuning' })

describe('a tuning plan', () => {
  it('starts with the numbers as they were typed, scientific ones too', async () => {
    const engine = planning()
    type('Learning rate KT/2', '2e-5')
    type('Epochs ST', '7')
    fireEvent.click(start())
    await waitFor(() => expect(engine.asked('tuning.start')).toHaveLength(1))
    const [plan] = engine.asked('tuning.start')
    expect(plan?.phases[1]?.learningRate).toBe(2e-5)
    expect(plan?.phases[2]?.epochs).toBe(7)
    expect(location.hash).toBe('#/tune/tuning-1')
  })

  it('takes its further options along, those of LoRA only with LoRA', async () => {
    const engine = planning()
    type('Embedding noise', '5')
    fireEvent.click(screen.getByRole('switch', { name: /Small optimiser state/, hidden: true }))
    expect(screen.queryByLabelText('Hold to the base')).toBeNull()
    fireEvent.click(screen.getByLabelText('LoRA'))
    type('Hold to the base', '0.5')
    fireEvent.click(screen.getByRole('switch', { name: /Least used directions/, hidden: true }))
    fireEvent.click(start())
    await waitFor(() => expect(engine.asked('tuning.start')).toHaveLength(1))
    const [plan] = engine.asked('tuning.start')
    expect(plan?.options).toEqual({ neftuneAlpha: 5, eightBitMoments: true, klWeight: 0.5 })
    expect(plan?.lora).toMatchObject({ leastUsed: true })
  })

  it('leaves behind what only LoRA can do when it goes back to all weights', async () => {
    const engine = planning()
    type('Embedding noise', '5')
    fireEvent.click(screen.getByLabelText('LoRA'))
    type('Hold to the base', '0.5')
    type('Adapter dropout', '0.1')
    fireEvent.click(screen.getByLabelText('All weights'))
    fireEvent.click(start())
    await waitFor(() => expect(engine.asked('tuning.start')).toHaveLength(1))
    const [plan] = engine.asked('tuning.start')
    expect(plan?.options).toEqual({ neftuneAlpha: 5 })
    expect(plan).not.toHaveProperty('lora')
  })

  it('cannot start while a field holds no usable number, and names the field', () => {
    planning()
    type('Epochs KT/1', 'many')
    expect(start()).toHaveProperty('disabled', true)
    expect(screen.getByText(/phases\.0\.epochs/)).toBeTruthy()
    type('Epochs KT/1', '0')
    expect(start()).toHaveProperty('disabled', true)
    type('Epochs KT/1', '3')
    expect(start()).toHaveProperty('disabled', false)
  })

  it('switches replay off in every phase and back to what the preset gave', async () => {
    planning()
    const replay = screen.getByRole('switch', { name: 'Replay earlier phases' })
    fireEvent.click(replay)
    expect(screen.getByLabelText('Replay share ST')).toHaveProperty('value', '0')
    expect(await screen.findByText('Nothing is replayed.')).toBeTruthy()
    fireEvent.click(replay)
    expect(screen.getByLabelText('Replay share ST')).toHaveProperty('value', '0.4')
    expect(screen.getByLabelText('Replay share KT/1')).toHaveProperty('value', '0')
  })

  it('gives LoRA a rank and an alpha, and takes them away for full tuning', async () => {
    const engine = planning()
    fireEvent.click(screen.getByRole('radio', { name: 'LoRA' }))
    expect(screen.getByLabelText('Rank')).toHaveProperty('value', '16')
    fireEvent.click(screen.getByRole('radio', { name: 'All weights' }))
    fireEvent.click(start())
    await waitFor(() => expect(engine.asked('tuning.start')[0]).not.toHaveProperty('lora'))
  })

  it('leaves out a phase', async () => {
    const engine = planning()
    fireEvent.click(screen.getByRole('button', { name: 'Leave out KT/2' }))
    fireEvent.click(start())
    await waitFor(() => expect(engine.asked('tuning.start')[0]?.phases.map(({ name }) => name)).toEqual(['KT/1', 'ST']))
  })
})
