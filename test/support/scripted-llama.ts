// A llama host whose answers are written by the test: the port of the worker, without a model. Answers may come in any order.

import type { CompletionRequest, LlamaHost, LlamaSession } from '../../main/compute/llama-protocol.ts'
import { AppError } from '../../main/contract/errors.ts'

export interface Script {
  /** The answer to a prompt of the model at `modelPath`; a thrown error is the session's. */
  answer: (request: CompletionRequest, modelPath: string) => string
  /** The vector of a text; without it there is no embedding model. */
  vector?: (text: string) => readonly number[]
  /** What the model thinks aloud where it is let; without it it is not known to think. */
  reasoning?: string
  delayMs?: (request: CompletionRequest) => number
  contextTokens?: number
}

/** Counts what it was asked. One token is one character. */
export function createScriptedLlama(script: Script): LlamaHost & { asked: CompletionRequest[]; openSessions: number } {
  const host = {
    asked: [] as CompletionRequest[],
    openSessions: 0,
    pid: null,
    openSession: async ({ contextTokens, modelPath }: { contextTokens: number; modelPath: string }) => {
      host.openSessions += 1
      return scriptedSession(host, script, {
        modelPath,
        contextTokens: Math.min(contextTokens, script.contextTokens ?? 1 << 20),
      })
    },
    openEmbedder: async () => {
      const { vector } = script
      if (!vector) throw new AppError({ code: 'internal', message: 'No vectors here.', remedy: 'Ask a model.' })
      return {
        embed: async (texts: readonly string[]) => texts.map((text) => unit(vector(text))),
        dispose: async () => undefined,
      }
    },
    close: async () => undefined,
  }
  return host
}

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector)
  return Float32Array.from(vector, (value) => value / length)
}

function scriptedSession(
  host: { asked: CompletionRequest[]; openSessions: number },
  script: Script,
  { modelPath, contextTokens }: { modelPath: string; contextTokens: number },
): LlamaSession {
  return {
    reply: {
      sessionId: 1,
      vocabSize: 256,
      trainContextTokens: script.contextTokens ?? 1 << 20,
      contextTokens,
      chat: {
        template: null,
        bosText: '',
        eosText: '',
        addBos: false,
        ...(script.reasoning !== undefined && { thinking: { opening: '<think>', closing: '</think>' } }),
      },
      gpu: 'none',
    },
    complete: async (request, { signal } = {}) => {
      host.asked.push(request)
      await new Promise((resolve) => setTimeout(resolve, script.delayMs?.(request) ?? 0))
      if (signal?.aborted)
        return { text: '', promptTokens: 1, evaluatedPromptTokens: 0, outputTokens: 0, ms: 1, stop: 'cancelled' }
      const text = script.answer(request, modelPath)
      const isCut = text.length > request.maxTokens
      return {
        text: isCut ? text.slice(0, request.maxTokens) : text,
        promptTokens: request.prompt.length,
        evaluatedPromptTokens: request.prompt.length,
        outputTokens: Math.min(text.length, request.maxTokens),
        ms: 1,
        stop: isCut ? 'length' : 'end',
        ...(request.thinking && { reasoning: script.reasoning }),
      }
    },
    score: () => Promise.reject(new AppError({ code: 'internal', message: 'No scores here.', remedy: 'Ask a model.' })),
    tokenize: async (text) => new Int32Array(text.length),
    detokenize: async () => '',
    dispose: async () => {
      host.openSessions -= 1
    },
  }
}
