// What bench-train measures: shapes, rows, what trains, and which engines take part. Measures nothing itself.
// Invariant: every engine of a case gets rows of the same lengths with the same places counted in the loss.

import type { LoraTarget } from '../main/compute/trainer-protocol.ts'

export interface BenchShape {
  name: string
  vocabSize: number
  width: number
  layerCount: number
  headCount: number
  kvHeadCount: number
  ffnWidth: number
}

/** A row of `length` tokens; the loss is on its last `counted` ones. */
export interface BenchRow {
  length: number
  counted: number
}

export interface LoraPlan {
  rank: number
  alpha: number
  targets: LoraTarget[]
}

/** `torch-heap` is PyTorch with a malloc told to keep freed memory: faster and larger. `labdesk-q8` trains on a Q8_0 base. */
export type Engine = 'labdesk' | 'labdesk-q8' | 'torch' | 'torch-heap' | 'llama'

export interface BenchCase {
  name: string
  shape: BenchShape
  /** null: every weight trains. */
  lora: LoraPlan | null
  rows: BenchRow[]
  /** Holds every engine of the case to AVX2. */
  isAvx2: boolean
  engines: Engine[]
}

/** What one turn of one engine gave: a fresh process, its warm-up step left out. */
export interface Turn {
  stepMs: number[]
  tokensPerStep: number
  /** VmHWM of the process that trains. */
  peakBytes: number
}

/** An engine that could not be had, or ended badly; `reason` is one line. */
export interface Failed {
  reason: string
}

/** How long a turn lasts: at least `seconds`, and at least `leastSteps` steps. */
export interface TurnLength {
  seconds: number
  leastSteps: number
}

export const m15: BenchShape = {
  name: 'm15',
  vocabSize: 32_000,
  width: 288,
  layerCount: 6,
  headCount: 6,
  kvHeadCount: 6,
  ffnWidth: 768,
}
export const m135: BenchShape = {
  name: 'm135',
  vocabSize: 49_152,
  width: 576,
  layerCount: 30,
  headCount: 9,
  kvHeadCount: 3,
  ffnWidth: 1536,
}

export const attentionTargets: LoraTarget[] = ['attn_q', 'attn_k', 'attn_v', 'attn_output']
export const ffnTargets: LoraTarget[] = ['ffn_gate', 'ffn_up', 'ffn_down']

/** LoRA with the scale every case uses (alpha = 2 rank), on all seven linear layers unless said otherwise. */
export function loraOf(rank: number, targets: LoraTarget[] = [...attentionTargets, ...ffnTargets]): LoraPlan {
  return { rank, alpha: 2 * rank, targets }
}

/** One row, all of it in the loss (its first token has nothing before it). */
export function wholeRow(length: number): BenchRow[] {
  return [{ length, counted: length - 1 }]
}

/** Eight short rows, 1,024 tokens, as instruction samples are: the last 30 % of each is the response. */
const packedRows: BenchRow[] = [64, 82, 100, 118, 138, 154, 178, 190].map((length) => ({
  length,
  counted: Math.round(length * 0.3),
}))

/** All cases in the order they run: small shape first, the machine's best instruction set before AVX2. */
export const allCases: BenchCase[] = [m15, m135].flatMap((shape) =>
  [false, true].flatMap((isAvx2) => [
    makeCase({ shape, isAvx2, mode: 'full', rows: '512' }),
    makeCase({ shape, isAvx2, mode: 'full', rows: 'packed' }),
    makeCase({ shape, isAvx2, mode: 'lora', rows: '512' }),
    makeCase({ shape, isAvx2, mode: 'lora', rows: 'packed' }),
  ]),
)

interface CaseChoice {
  shape: BenchShape
  isAvx2: boolean
  mode: 'full' | 'lora'
  rows: '512' | 'packed'
}

function makeCase({ shape, isAvx2, mode, rows }: CaseChoice): BenchCase {
  const engines: Engine[] = ['labdesk', 'torch', 'torch-heap']
  if (mode === 'lora') engines.splice(1, 0, 'labdesk-q8')
  // llama.cpp's finetune knows neither LoRA, nor rows, nor a loss on a part of the tokens; its CPU library is chosen by the machine.
  if (mode === 'full' && rows === '512' && !isAvx2) engines.push('llama')
  return {
    name: `${shape.name}-${mode}-${rows}${isAvx2 ? '-avx2' : ''}`,
    shape,
    lora: mode === 'lora' ? loraOf(16) : null,
    rows: rows === '512' ? wholeRow(512) : packedRows,
    isAvx2,
    engines,
  }
}

export function tokensOf(rows: BenchRow[]): number {
  return rows.reduce((sum, { length }) => sum + length, 0)
}
