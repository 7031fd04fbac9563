import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import type { TuningId } from '../../../main/contract/ids.ts'
import type { TuningRun, TuningWarning } from '../../../main/contract/tuning.ts'
import { RunWarnings } from '../../../renderer/views/tune/run-warnings.tsx'
import { draw } from './draw.tsx'
import { ScriptedEngine } from './scripted-engine.ts'

it('shows nothing while all is well, and each warning with its place, figures and remedy when the engine tells of it', async () => {
  const warning: TuningWarning = { kind: 'loss-rising', phase: 'KT/2', step: 1234, before: 1.25, now: 2.5 }
  const answers: TuningWarning[][] = [[], [warning]]
  const engine = new ScriptedEngine({ 'tuning.warnings': () => answers.shift() ?? [warning] })
  draw(engine, <RunWarnings run={{ id: 'tuning-1' as TuningId } as TuningRun} />)
  await expect.poll(() => engine.asked('tuning.warnings')).toHaveLength(1)
  expect(screen.queryByTestId('run-warnings')).toBeNull()
  engine.emit({ kind: 'changed', what: 'tuning' })
  const note = await screen.findByRole('status')
  expect(note.textContent).toMatch(/KT\/2 · Step 1,234: The loss has risen from 1\.25\d* to 2\.5\d*\. .*learning rate/)
})
