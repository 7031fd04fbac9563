// A session on an OpenAI-compatible server instead of the llama worker. The server writes conversations in its model's own way, so prompts
// travel as messages: the session's chat template marks the turns, and they are read back before they are sent. A server that takes grammars
// is given them; with another the caller reads the answer and asks again. Scores and token texts cannot be had.

import { z } from 'zod'
import { AppError } from '../contract/errors.ts'
import type { RemoteTeacher, RemoteTest } from '../contract/workspace.ts'
import type { Completion, CompletionRequest, LlamaSession, SessionReply } from './llama-protocol.ts'
import { RemoteClient } from './remote-client.ts'

/** Context of a server that does not say. */
const usualContextTokens = 8192
/** Bytes of a token where a server cannot count; few, so that counts are rather too high. */
const bytesPerToken = 3

const [turnMark, endMark] = ['<|labdesk:', '<|labdesk:end|>']
const markedTurns = `{%- for turn in messages %}${turnMark}{{ turn.role }}|>{{ turn.content }}${endMark}{% endfor %}`

type Turn = { role: string; content: string }
type ServerKind = RemoteTest['server']

const modelList = z.object({
  data: z.array(z.object({ id: z.string(), max_model_len: z.number().int().positive().nullish() })),
})
const llamaProps = z.object({
  default_generation_settings: z.object({ n_ctx: z.number().int().positive() }),
})
const vllmVersion = z.object({ version: z.string() })
const tokenCount = z.union([
  z.object({ count: z.number().int() }).transform(({ count }) => count),
  z.object({ tokens: z.array(z.unknown()) }).transform(({ tokens }) => tokens.length),
])
const chatAnswer = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          reasoning_content: z.string().nullish(),
          reasoning: z.string().nullish(),
        }),
        finish_reason: z.string().nullish(),
        stop_reason: z.union([z.string(), z.number()]).nullish(),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: z.number().int().nullish(),
      completion_tokens: z.number().int().nullish(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().int().nullish() }).nullish(),
    })
    .nullish(),
})

export interface RemoteOptions {
  /** Requests under way at once. */
  sequences: number
  firstWaitMs?: number
}

interface ServerFacts {
  kind: ServerKind
  models: string[]
  contextTokens: number
}

/** Asks the server what it is. Throws what RemoteClient throws, and `model-missing` when it does not serve the model. */
export async function openRemoteSession(teacher: RemoteTeacher, options: RemoteOptions): Promise<RemoteTeacherSession> {
  const client = new RemoteClient(teacher, options)
  return new RemoteTeacherSession(client, { teacher, facts: await askFacts(client, teacher), options })
}

/** One try, one short answer. Throws like `openRemoteSession`. */
export async function testRemoteTeacher(teacher: RemoteTeacher): Promise<RemoteTest> {
  const client = new RemoteClient(teacher)
  const facts = await askFacts(client, teacher, 1)
  const session = new RemoteTeacherSession(client, { teacher, facts, options: { sequences: 1 } })
  const prompt = `${turnMark}user|>Answer with one word: which colour has the sky by day?${endMark}`
  const { text, ms } = await session.complete({ prompt, maxTokens: 64, temperature: 0, seed: 1 })
  const { kind: server, models, contextTokens } = facts
  return { server, models, contextTokens, hasGrammar: server !== 'other', answer: text.trim().slice(0, 400), ms }
}

export class RemoteTeacherSession implements LlamaSession {
  readonly reply: SessionReply
  readonly #client: RemoteClient
  readonly #teacher: RemoteTeacher
  readonly #kind: ServerKind
  readonly #turns: Turnstile
  #isDisposed = false

  constructor(
    client: RemoteClient,
    { teacher, facts, options }: { teacher: RemoteTeacher; facts: ServerFacts; options: RemoteOptions },
  ) {
    this.#client = client
    this.#teacher = teacher
    this.#kind = facts.kind
    this.#turns = new Turnstile(options.sequences)
    const { contextTokens } = facts
    const thinking = { opening: '<think>', closing: '</think>' }
    const chat = { template: markedTurns, bosText: '', eosText: '', addBos: false, thinking }
    this.reply = { sessionId: 0, vocabSize: 0, trainContextTokens: contextTokens, contextTokens, chat, gpu: 'none' }
  }

  complete: LlamaSession['complete'] = async (request, { signal, onText } = {}) => {
    await this.#turns.enter()
    try {
      if (this.#isDisposed) throw closed()
      if (signal?.aborted) return calledOff
      const startedAt = performance.now()
      const body = requestBody(request, this.#teacher.model, this.#kind)
      const answer = await this.#client
        .call({ path: '/v1/chat/completions', body, signal })
        .catch((thrown: unknown) => {
          if (signal?.aborted) return null
          throw thrown
        })
      if (answer === null) return calledOff
      const completion = { ...readAnswer(answer, request), ms: performance.now() - startedAt }
      if (completion.text !== '') onText?.(completion.text)
      return completion
    } finally {
      this.#turns.leave()
    }
  }

  /** Counted by the server where it can; else estimated, rather too high. The ids mean nothing. */
  tokenize: LlamaSession['tokenize'] = async (text) => {
    const body = this.#kind === 'vllm' ? { model: this.#teacher.model, prompt: text } : { content: text }
    const estimate = Math.ceil(Buffer.byteLength(text) / bytesPerToken)
    if (this.#kind === 'other') return new Int32Array(estimate)
    const found = tokenCount.safeParse(await this.#client.call({ path: '/tokenize', body }))
    return new Int32Array(found.success ? found.data : estimate)
  }

  detokenize: LlamaSession['detokenize'] = () => Promise.reject(cannot('Token texts'))
  score: LlamaSession['score'] = () => Promise.reject(cannot('Probabilities of given answers'))

  async dispose(): Promise<void> {
    this.#isDisposed = true
  }
}

/** Lets so many in at once; the others wait in their order. */
class Turnstile {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number) {
    this.#free = Math.max(1, places)
  }
  async enter(): Promise<void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }
}

async function askFacts(client: RemoteClient, teacher: RemoteTeacher, tries?: number): Promise<ServerFacts> {
  const listed = modelList.safeParse(await client.call({ method: 'GET', path: '/v1/models', tries }))
  if (!listed.success)
    throw new AppError({
      code: 'bad-input',
      message: 'The server does not list its models as an OpenAI-compatible one does.',
      remedy: 'Check the address of the remote teacher; it must be the root below which /v1/models is.',
      detail: z.prettifyError(listed.error),
    })
  const models = listed.data.data.map(({ id }) => id)
  const served = listed.data.data.find(({ id }) => id === teacher.model)
  if (!served)
    throw new AppError({
      code: 'model-missing',
      message: `The remote teacher does not serve a model "${teacher.model}".`,
      remedy: `Choose one it serves: ${models.slice(0, 10).join(', ') || 'it serves none'}.`,
    })
  const props = llamaProps.safeParse(await maybe(client, '/props'))
  if (props.success) {
    return { kind: 'llama-server', models, contextTokens: props.data.default_generation_settings.n_ctx }
  }
  const isVllm = vllmVersion.safeParse(await maybe(client, '/version')).success
  return { kind: isVllm ? 'vllm' : 'other', models, contextTokens: served.max_model_len ?? usualContextTokens }
}

/** Null when the server has no such path. */
function maybe(client: RemoteClient, path: string): Promise<unknown> {
  return client.call({ method: 'GET', path, tries: 1 }).catch(() => null)
}

function requestBody(request: CompletionRequest, model: string, kind: ServerKind): Record<string, unknown> {
  const { temperature, topP, topK, minP, seed, stops, maxTokens, grammar, thinking } = request
  // Only servers known to take them are sent fields that OpenAI's interface does not have.
  const more =
    kind === 'other'
      ? {}
      : {
          top_k: topK || undefined,
          min_p: minP,
          chat_template_kwargs: { enable_thinking: thinking !== undefined },
          ...(kind === 'llama-server' ? { grammar, cache_prompt: true } : grammarForVllm(grammar)),
        }
  return {
    model,
    messages: readTurns(request.prompt),
    max_tokens: maxTokens + (thinking?.maxTokens ?? 0),
    temperature,
    top_p: topP,
    seed: seed & 0x7fffffff,
    stop: stops?.length ? stops : undefined,
    ...more,
  }
}

/** The name of today's versions and that of those before; a server ignores the one it does not know. */
function grammarForVllm(grammar: string | undefined): Record<string, unknown> {
  return grammar === undefined ? {} : { structured_outputs: { grammar }, guided_grammar: grammar }
}

function readTurns(prompt: string): Turn[] {
  const turns = prompt
    .split(endMark)
    .map((text) => /^<\|labdesk:(\w+)\|>([\s\S]*)$/.exec(text.trimStart()))
    .flatMap((found) => (found ? [{ role: found[1] ?? 'user', content: found[2] ?? '' }] : []))
  return turns.length > 0 ? turns : [{ role: 'user', content: prompt }]
}

function readAnswer(answer: unknown, request: CompletionRequest): Omit<Completion, 'ms'> {
  const parsed = chatAnswer.safeParse(answer)
  if (!parsed.success)
    throw new AppError({
      code: 'bad-input',
      message: 'The remote teacher answered in a form that is not OpenAI-compatible.',
      remedy: 'Check that its address is that of an OpenAI-compatible server.',
      detail: z.prettifyError(parsed.error),
    })
  const [choice] = parsed.data.choices
  const { content, reasoning_content, reasoning } = choice!.message
  const { usage } = parsed.data
  const promptTokens = usage?.prompt_tokens ?? 0
  const thought = reasoning_content ?? reasoning
  return {
    ...splitReasoning(content ?? '', thought ?? null, request),
    promptTokens,
    evaluatedPromptTokens: promptTokens - (usage?.prompt_tokens_details?.cached_tokens ?? 0),
    outputTokens: usage?.completion_tokens ?? 0,
    stop: choice!.finish_reason === 'length' ? 'length' : typeof choice!.stop_reason === 'string' ? 'stop-text' : 'end',
  }
}

/** Some servers keep the reasoning apart, some leave it in the text. */
function splitReasoning(
  content: string,
  thought: string | null,
  { thinking }: CompletionRequest,
): Pick<Completion, 'text' | 'reasoning'> {
  if (!thinking) return { text: content }
  const at = thought === null ? content.indexOf(thinking.closing) : -1
  if (at < 0) return { text: content.trimStart(), reasoning: (thought ?? '').trim() }
  const reasoning = content.slice(0, at).replace(thinking.opening, '').trim()
  return { text: content.slice(at + thinking.closing.length).trimStart(), reasoning }
}

const calledOff: Completion = {
  text: '',
  promptTokens: 0,
  evaluatedPromptTokens: 0,
  outputTokens: 0,
  ms: 0,
  stop: 'cancelled',
}

function cannot(what: string): AppError {
  return new AppError({
    code: 'model-role',
    message: `${what} cannot be had from a remote teacher.`,
    remedy: 'Use a model file on this machine for this.',
  })
}

function closed(): AppError {
  return new AppError({ code: 'cancelled', message: 'The remote teacher was put away.', remedy: 'Ask again.' })
}
