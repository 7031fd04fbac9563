// What the engine asks of the llama worker (node-llama-cpp in a process of its own) and what it answers. Plain structured-clone values.
// One model set is loaded at a time per session; sequences of a session are stepped together (lock-step) for throughput.

import type { ChatFormat } from '../domain/chat-template.ts'

/** Opens a model with a context of `sequences` parallel sequences. */
export interface SessionRequest {
  modelPath: string
  /** LoRA adapters are fixed when a context is made. */
  adapterPath?: string
  /** Tokens per sequence. */
  contextTokens: number
  sequences: number
  threads: number
  gpu: 'auto' | 'off'
}
export interface SessionReply {
  sessionId: number
  vocabSize: number
  trainContextTokens: number
  /** Tokens one sequence can hold: prompt and answer together. */
  contextTokens: number
  /** How the model wants a conversation written. */
  chat: ChatFormat
  /** 'none' when on CPU. */
  gpu: string
}

/**
 * One generation. Prompt text is already rendered by the chat template and is tokenised with special tokens recognised. The answer is a
 * function of the request: of prompt, seed and settings, not of what else runs. (Where two tokens are equally likely up to rounding, the
 * company in a batch may decide: llama.cpp's sums depend on a batch's width.)
 */
export interface CompletionRequest {
  prompt: string
  /**
   * Tokens of the answer. With a grammar an answer this long is closed in its grammar's shortest form, which takes a few tokens more; its
   * `stop` is 'length', its form is whole.
   */
  maxTokens: number
  /** Tokens before which the answer may not end of itself. */
  minTokens?: number
  temperature: number
  topK?: number
  topP?: number
  minP?: number
  seed: number
  /** GBNF; absent = free text. */
  grammar?: string
  /** Free reasoning before the answer; grammar, stops and maxTokens are the answer's alone. */
  thinking?: Thinking
  /** Extra texts that end the answer (not included in it). */
  stops?: string[]
  /** Ask for `onText` pieces of the answer while it runs (chat). */
  stream?: boolean
}

/** How a model writes its reasoning, and how much of it is worth waiting for. */
export interface Thinking {
  /** Such as `<think>`; put behind the prompt when its end has not opened it already. */
  opening: string
  /** Such as `</think>`; written for the model when it has not closed after `maxTokens`. */
  closing: string
  maxTokens: number
}

export interface Completion {
  text: string
  promptTokens: number
  /** Of the prompt's tokens, those that had to be computed; the others were shared with earlier prompts. */
  evaluatedPromptTokens: number
  /** All that were sampled, reasoning included. */
  outputTokens: number
  ms: number
  stop: 'end' | 'length' | 'stop-text' | 'cancelled'
  /** What the model thought before it answered; only where it was asked to. */
  reasoning?: string
}

/** Log-likelihood of `continuation` after `prompt`, token by token. */
export interface ScoreRequest {
  prompt: string
  continuation: string
}
export interface Score {
  /** Sum over continuation tokens, nats. */
  logLikelihood: number
  tokens: number
}

/** The client's view of a loaded model. Every method rejects with AppError `worker-died` if the worker is gone. */
export interface LlamaSession {
  readonly reply: SessionReply
  /** Queued; many may be outstanding, as many as `sequences` run at once. */
  complete(
    request: CompletionRequest,
    options?: { signal?: AbortSignal; onText?: (piece: string) => void },
  ): Promise<Completion>
  score(request: ScoreRequest): Promise<Score>
  tokenize(text: string): Promise<Int32Array>
  detokenize(tokens: Int32Array): Promise<string>
  dispose(): Promise<void>
}

/** Opens a model that turns texts into vectors, one at a time. Longer texts are cut at `contextTokens`. */
export interface EmbedderRequest {
  modelPath: string
  contextTokens: number
  threads: number
  gpu: 'auto' | 'off'
}

/** Texts as vectors of length 1: how close two texts are in meaning is the product of theirs. */
export interface Embedder {
  embed(texts: readonly string[]): Promise<Float32Array[]>
  dispose(): Promise<void>
}

/** Supervises the worker process: started on first use, restarted with bounded retries, memory given back by ending it. */
export interface LlamaHost {
  openSession(request: SessionRequest): Promise<LlamaSession>
  openEmbedder(request: EmbedderRequest): Promise<Embedder>
  /** Pid of the worker when one runs (for tests that kill it). */
  readonly pid: number | null
  close(): Promise<void>
}
