// llama.cpp as the judge of the trainer: the loss of rows of tokens by node-llama-cpp, computed as exactly as its CPU code can. Keys and
// values are kept in F32, without flash attention, which would round them to F16.

import { getLlama, type Llama, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp'
import type { Microbatch } from '../../main/compute/trainer.ts'

/** llama.cpp on one thread without a GPU. */
export async function openLlama(): Promise<Llama> {
  return getLlama({ gpu: false, build: 'never', maxThreads: 1, logLevel: LlamaLogLevel.error })
}

export interface LlamaLossOptions {
  llama: Llama
  modelPath: string
  adapterPath?: string
  batches: readonly Microbatch[]
}

/** Weighted cross entropy of the rows by llama.cpp, in nats. */
export async function llamaLoss({ llama, modelPath, adapterPath, batches }: LlamaLossOptions): Promise<number> {
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 })
  try {
    return await lossOf(model, adapterPath, batches.flatMap(rowsOf))
  } finally {
    await model.dispose()
  }
}

type Row = Pick<Microbatch, 'tokens' | 'weights'>

async function lossOf(model: LlamaModel, adapterPath: string | undefined, rows: Row[]): Promise<number> {
  const context = await model.createContext({
    contextSize: 256,
    threads: 1,
    flashAttention: false,
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
    ...(adapterPath ? { lora: { adapters: [{ filePath: adapterPath }] } } : {}),
  })
  const sequence = context.getSequence()
  const wanted = { probabilities: true, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } } as const
  let loss = 0
  for (const { tokens, weights } of rows) {
    await sequence.clearHistory()
    const ids = Array.from(tokens) as Token[]
    const replies = await sequence.controlledEvaluate(ids.slice(0, -1).map((id) => [id, { generateNext: wanted }]))
    replies.forEach((reply, index) => {
      const chance = reply?.next.probabilities?.get(ids[index + 1] as Token)
      if (chance === undefined) throw new Error(`no probability at ${index}`)
      loss -= (weights[index + 1] ?? 0) * Math.log(chance)
    })
  }
  return loss
}

function rowsOf({ rowLengths, tokens, weights }: Microbatch): Row[] {
  let at = 0
  return rowLengths.map((length) => {
    const begin = at
    at += length
    return { tokens: tokens.subarray(begin, at), weights: weights.subarray(begin, at) }
  })
}
