// What Labdesk's own trainer costs against sequence length and against the share of weights that train, on the small bench shape.
// Turns are interleaved over all points, as the cases are over engines. Explains nothing: the knees are for people to read.

import {
  attentionTargets,
  type BenchRow,
  type Failed,
  ffnTargets,
  type LoraPlan,
  loraOf,
  m15,
  type TurnLength,
  wholeRow,
} from './bench-cases.ts'
import { type LabdeskTurn, runLabdesk, type Trainable } from './bench-labdesk.ts'
import { middle } from './bench-report.ts'

export interface CurvePoint {
  curve: 'length' | 'share'
  label: string
  mode: 'full' | 'lora' | 'frozen'
  lora: LoraPlan | null
  rows: BenchRow[]
  turns: LabdeskTurn[]
  failed?: string
}

/** A point with its turns put together. */
export interface CurveValue {
  curve: CurvePoint['curve']
  label: string
  mode: CurvePoint['mode']
  tokens: number
  trainableShare: number
  tokensPerSecond: number
  peakBytes: number
}

const lengths = [128, 256, 512, 1024, 2048, 4096]

/** The points of one curve. */
export function pointsOf(curve: CurvePoint['curve']): CurvePoint[] {
  const point = (label: string, mode: CurvePoint['mode'], of: { lora?: LoraPlan; length: number }): CurvePoint => ({
    curve,
    label,
    mode,
    lora: of.lora ?? null,
    rows: wholeRow(of.length),
    turns: [],
  })
  if (curve === 'length')
    return lengths.flatMap((length) => [
      point('full', 'full', { length }),
      point('LoRA 16', 'lora', { length, lora: loraOf(16) }),
    ])
  const length = 512
  return [
    point('frozen (evaluate)', 'frozen', { length }),
    point('LoRA 4', 'lora', { length, lora: loraOf(4) }),
    point('LoRA 16, q and v', 'lora', { length, lora: loraOf(16, ['attn_q', 'attn_v']) }),
    point('LoRA 16, attention', 'lora', { length, lora: loraOf(16, attentionTargets) }),
    point('LoRA 16, feed-forward', 'lora', { length, lora: loraOf(16, ffnTargets) }),
    point('LoRA 16', 'lora', { length, lora: loraOf(16) }),
    point('LoRA 64', 'lora', { length, lora: loraOf(64) }),
    point('LoRA 256', 'lora', { length, lora: loraOf(256) }),
    point('full', 'full', { length }),
  ]
}

/** Measures all points, `rounds` turns each, and returns those that could be measured. */
export async function measureCurves(options: {
  points: CurvePoint[]
  trainable: Trainable
  modelPath: string
  rounds: number
  turn: TurnLength
  /** Called before each turn. */
  onTurn: () => Promise<void>
}): Promise<CurveValue[]> {
  const { points, trainable, modelPath, turn } = options
  for (let round = 1; round <= options.rounds; round++)
    for (const point of points) {
      if (point.failed) continue
      await options.onTurn()
      const measured: LabdeskTurn | Failed = await runLabdesk(trainable, {
        modelPath,
        mode: point.mode,
        lora: point.lora,
        rows: point.rows,
        vocabSize: m15.vocabSize,
        turn,
      })
      if ('reason' in measured) point.failed = measured.reason
      else point.turns.push(measured)
      const length = point.rows[0]?.length
      console.error(`curve ${point.curve}, round ${round}: ${point.label}, ${length} tokens ${point.failed ?? ''}`)
    }
  return points.filter(({ turns }) => turns.length > 0).map(valueOf)
}

function valueOf({ curve, label, mode, turns }: CurvePoint): CurveValue {
  const first = turns[0]
  const tokens = first?.tokensPerStep ?? 0
  return {
    curve,
    label,
    mode,
    tokens,
    trainableShare: mode === 'frozen' || !first ? 0 : first.trainableCount / first.parameterCount,
    tokensPerSecond: (1e3 * tokens) / middle(turns.flatMap(({ stepMs }) => stepMs)),
    peakBytes: Math.max(...turns.map(({ peakBytes }) => peakBytes)),
  }
}
