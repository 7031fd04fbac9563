// Writes conversations the way a model was taught to read them: with the Jinja chat template of its own GGUF. Also cuts a written
// conversation into segments by role, so that tuning can count only what an assistant says (with the token that ends its turn).
// Pure; a template sees the conversation and nothing else (no clock), so the same turns always give the same text.

import { Template } from '@huggingface/jinja'
import { AppError } from '../contract/errors.ts'

/** What a GGUF says about conversations (`tokenizer.chat_template`, texts of its begin and end tokens). */
export interface ChatFormat {
  template: string | null
  bosText: string
  eosText: string
  /** The model expects the begin token in front of every text. */
  addBos: boolean
  /** How it marks what it thinks aloud, where its template does not show that. */
  thinking?: ThinkingMarks
}

/** What stands around what a model thinks before it answers. */
export interface ThinkingMarks {
  opening: string
  closing: string
}

export interface ChatTurn {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** A piece of a written conversation. Joined in order, the pieces are the whole text. */
export interface ChatSegment {
  text: string
  /** Who says it: the content of a turn, for an assistant with its end-of-turn token. Null: the template's own scaffolding. */
  role: ChatTurn['role'] | null
}

export interface ChatTemplate {
  /** The GGUF has no template; ChatML is used instead and the model may not know it. */
  readonly isFallback: boolean
  /** Texts that end an answer beside the model's own end token. */
  readonly stops: string[]
  /** Null when the model is not known to think aloud. */
  readonly thinking: ThinkingMarks | null
  /** The text to continue from: the conversation and the opening of the assistant's next turn. */
  renderPrompt(turns: readonly ChatTurn[], options?: { thinks: boolean }): string
  /** A finished conversation, by role. */
  renderSegments(turns: readonly ChatTurn[]): ChatSegment[]
}

const chatMl = `{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`

/** As in the templates of Qwen, DeepSeek and many others; of Mistral. */
const knownMarks: readonly ThinkingMarks[] = [
  { opening: '<think>', closing: '</think>' },
  { opening: '[THINK]', closing: '[/THINK]' },
]

/** Prepares a model's template. Throws `bad-gguf` when it cannot be read. */
export function createChatTemplate(format: ChatFormat): ChatTemplate {
  const template = compile(format.template ?? chatMl)
  const write = (turns: readonly ChatTurn[], opensAnswer: boolean, thinks = false): string => {
    const text = render(template, { format, turns, opensAnswer, thinks })
    return format.addBos && format.bosText !== '' && !text.startsWith(format.bosText) ? format.bosText + text : text
  }
  const isFallback = format.template === null
  return {
    isFallback,
    stops: isFallback ? ['<|im_end|>', '<|im_start|>'] : [],
    thinking: format.thinking ?? knownMarks.find(({ opening }) => format.template?.includes(opening)) ?? null,
    renderPrompt: (turns, { thinks } = { thinks: false }) => write(turns, true, thinks),
    renderSegments: (turns) => cutByRole(turns, { write, eosText: format.eosText }),
  }
}

function compile(source: string): Template {
  try {
    return new Template(source)
  } catch (thrown) {
    throw unusable('cannot be read', thrown)
  }
}

interface Rendering {
  format: ChatFormat
  turns: readonly ChatTurn[]
  opensAnswer: boolean
  thinks: boolean
}

/** Some templates refuse a system turn, some drop it without a word: its text then leads the first user turn. */
function render(template: Template, rendering: Rendering): string {
  const system = rendering.turns[0]?.role === 'system' ? rendering.turns[0].content.trim() : ''
  if (system === '') return apply(template, rendering)
  let text: string | null = null
  try {
    text = apply(template, rendering)
  } catch (thrown) {
    if (rendering.turns.length < 2) throw thrown
  }
  if (text?.includes(system)) return text
  return apply(template, { ...rendering, turns: foldSystem(rendering.turns) })
}

function apply(template: Template, { format, turns, opensAnswer, thinks }: Rendering): string {
  try {
    return template.render({
      messages: turns.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: opensAnswer,
      bos_token: format.bosText,
      eos_token: format.eosText,
      // Models that can think aloud are asked for the answer only, unless it is wanted.
      enable_thinking: thinks,
    })
  } catch (thrown) {
    throw unusable('does not accept this conversation', thrown)
  }
}

function foldSystem(turns: readonly ChatTurn[]): ChatTurn[] {
  const [system, first, ...rest] = turns
  if (!system || first?.role !== 'user') return turns.slice(1)
  return [{ role: 'user', content: `${system.content.trim()}\n\n${first.content}` }, ...rest]
}

interface Cutting {
  write: (turns: readonly ChatTurn[], opensAnswer: boolean) => string
  eosText: string
}

/**
 * Finds each turn in the whole text. An assistant's turn starts where the prompt before it ends (the text the model would go on
 * from) and ends with its end-of-turn token; what follows that (a line end) is scaffolding, since generation stops before it.
 */
function cutByRole(turns: readonly ChatTurn[], { write, eosText }: Cutting): ChatSegment[] {
  const whole = write(turns, false)
  const segments: ChatSegment[] = []
  let at = 0
  const cut = (end: number, role: ChatSegment['role']) => {
    if (end > at) segments.push({ text: whole.slice(at, end), role })
    at = Math.max(at, end)
  }
  turns.forEach(({ role, content }, index) => {
    const said = content.trim()
    if (role !== 'assistant') {
      const start = said === '' ? -1 : whole.indexOf(said, at)
      if (start < 0) return
      cut(start, null)
      cut(start + said.length, role)
      return
    }
    const prompt = write(turns.slice(0, index), true)
    const found = whole.indexOf(said, Math.max(at, sharedLength(prompt, whole)))
    const start = whole.startsWith(prompt) ? prompt.length : found
    if (start < at) throw unusable('leaves out what the assistant said')
    cut(start, null)
    const upTo = write(turns.slice(0, index + 1), false)
    const turnEnd = whole.startsWith(upTo) ? upTo.length : whole.length
    cut(endOfTurn(whole, { saidEnd: found < 0 ? start : found + said.length, turnEnd, eosText }), 'assistant')
  })
  cut(whole.length, null)
  return segments
}

function endOfTurn(
  whole: string,
  { saidEnd, turnEnd, eosText }: { saidEnd: number; turnEnd: number; eosText: string },
): number {
  const suffix = whole.slice(saidEnd, turnEnd)
  const eosAt = eosText === '' ? -1 : suffix.indexOf(eosText)
  return saidEnd + (eosAt >= 0 ? eosAt + eosText.length : suffix.trimEnd().length)
}

function sharedLength(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length += 1
  return length
}

function unusable(what: string, cause?: unknown): AppError {
  return new AppError(
    {
      code: 'bad-gguf',
      message: `The model's chat template ${what}.`,
      remedy: 'Use another copy of the model, or another model, whose chat template works.',
      detail: cause instanceof Error ? cause.message : undefined,
    },
    { cause },
  )
}
