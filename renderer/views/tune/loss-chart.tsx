// The live curves: loss (total, new, replay) above, gradient norm and learning rate below, over all optimiser steps of a run. A line
// marks where each phase begins.

import { useTranslation } from 'react-i18next'
import type uPlot from 'uplot'
import type { TuningStep } from '../../../main/contract/tuning.ts'
import { Plot } from './plot.tsx'

const height = 230
const smallHeight = 130

/** Draws into canvases; 100,000 steps stay fluid. */
export function LossChart({ steps }: { steps: readonly TuningStep[] }) {
  const { t } = useTranslation()
  const numbers = steps.map((_, index) => index + 1)
  const marks = phaseStarts(steps)
  const lossData: uPlot.AlignedData = [
    numbers,
    steps.map(({ loss }) => loss),
    steps.map(({ lossNew }) => lossNew),
    steps.map(({ lossReplay }) => lossReplay),
  ]
  const paceData: uPlot.AlignedData = [
    numbers,
    steps.map(({ gradNorm }) => gradNorm),
    steps.map(({ learningRate }) => learningRate),
  ]
  return (
    <>
      <Plot
        label={t('tune.loss')}
        xLabel={t('tune.step')}
        height={height}
        data={lossData}
        marks={marks}
        series={[
          { label: t('tune.lossTotal'), colour: '--accent' },
          { label: t('tune.lossNew'), colour: '--series-3' },
          { label: t('tune.lossReplay'), colour: '--series-2' },
        ]}
      />
      <Plot
        label={t('tune.gradNorm')}
        xLabel={t('tune.step')}
        height={smallHeight}
        data={paceData}
        marks={marks}
        series={[
          { label: t('tune.gradNorm'), colour: '--accent' },
          { label: t('tune.learningRate'), colour: '--series-2', isRate: true },
        ]}
      />
    </>
  )
}

function phaseStarts(steps: readonly TuningStep[]): { at: number; label: string }[] {
  const marks: { at: number; label: string }[] = []
  steps.forEach(({ phase }, index) => {
    if (index === 0 || steps[index - 1]?.phase !== phase) marks.push({ at: index + 1, label: phase })
  })
  return marks
}
