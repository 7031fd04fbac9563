// Tokenised rows into the trainer's packed microbatches: rows laid end to end, never cut, never seeing each other; loss weights 1 on
// what the assistant says and 0 elsewhere. Refuses rows longer than a microbatch (the caller sets them aside and says so).

/** One conversation ready to train on. */
export interface TokenRow {
  tokens: Int32Array
  /** Weight of predicting tokens[i] from what precedes it; 0 for the first. */
  weights: Float32Array
}

export interface PackedRow extends TokenRow {
  group: number
}

/** Rows laid end to end, as the trainer takes them. */
export interface PackedMicrobatch {
  rowLengths: number[]
  rowGroups: number[]
  tokens: Int32Array
  weights: Float32Array
}

/**
 * A row of a prompt and what is to be learnt after it. `full` are the tokens of the whole conversation, `prompt` those of its start
 * as the model will meet it when asked; from the first token where they part, weights are 1.
 */
export function maskAfterPrompt(full: Int32Array, prompt: Int32Array): TokenRow {
  let shared = 0
  while (shared < prompt.length && shared < full.length && full[shared] === prompt[shared]) shared++
  const weights = new Float32Array(full.length)
  weights.fill(1, Math.max(1, shared))
  return { tokens: full, weights }
}

/** Number of tokens that count in the loss. */
export function countedTokens(row: TokenRow): number {
  let sum = 0
  for (const weight of row.weights) sum += weight
  return sum
}

/**
 * Packs rows into as few microbatches of at most `microbatchTokens` as first-fit, longest first, finds. Deterministic: equal input,
 * equal output. Throws RangeError for a row that fits none.
 */
export function packMicrobatches(rows: readonly PackedRow[], microbatchTokens: number): PackedMicrobatch[] {
  return firstFit(rows, microbatchTokens).map(joinRows)
}

/** Like packMicrobatches, but rows stay in the order given, so that the trainer's per-row answers line up with them. */
export function packInOrder(rows: readonly PackedRow[], microbatchTokens: number): PackedMicrobatch[] {
  const bins: PackedRow[][] = []
  let free = 0
  for (const row of rows) {
    const need = row.tokens.length
    refuseOversized(need, microbatchTokens)
    const bin = bins.at(-1)
    if (bin && free >= need) bin.push(row)
    else {
      bins.push([row])
      free = microbatchTokens
    }
    free -= need
  }
  return bins.map(joinRows)
}

function joinRows(rows: PackedRow[]): PackedMicrobatch {
  const rowLengths = rows.map((row) => row.tokens.length)
  const length = rowLengths.reduce((sum, tokens) => sum + tokens, 0)
  const joined = {
    rowLengths,
    rowGroups: rows.map((row) => row.group),
    tokens: new Int32Array(length),
    weights: new Float32Array(length),
  }
  let offset = 0
  for (const row of rows) {
    joined.tokens.set(row.tokens, offset)
    joined.weights.set(row.weights, offset)
    offset += row.tokens.length
  }
  return joined
}

function refuseOversized(need: number, capacity: number): void {
  if (need > capacity) throw new RangeError(`a row of ${need} tokens does not fit a microbatch of ${capacity}`)
}

function firstFit(rows: readonly PackedRow[], capacity: number): PackedRow[][] {
  const order = rows
    .map((row, place) => ({ row, place }))
    .sort((a, b) => b.row.tokens.length - a.row.tokens.length || a.place - b.place)
  const bins: { rows: PackedRow[]; free: number }[] = []
  for (const { row } of order) {
    const need = row.tokens.length
    refuseOversized(need, capacity)
    const bin = bins.find((candidate) => candidate.free >= need)
    if (bin) {
      bin.rows.push(row)
      bin.free -= need
    } else bins.push({ rows: [row], free: capacity - need })
  }
  return bins.map((bin) => bin.rows)
}
