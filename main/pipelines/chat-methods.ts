// chat.send and chat.stop: talks with any model of the project, several side by side. Up to four models stay loaded, the one unused
// longest goes first; one that was not used for a while is put away, so that its memory is free for tuning.

import { AppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import type { LlamaSession } from '../compute/llama-protocol.ts'
import { createChatTemplate } from '../domain/chat-template.ts'
import type { Handlers, Lab } from './lab.ts'
import { requireModel } from './models.ts'

type ChatMethods = 'chat.send' | 'chat.stop'

const maxLoaded = 4
const idleMs = 60_000
/** Tokens a conversation may have, where the model can hold that many. */
const contextTokens = 4096
/** Conversations with one model that are answered at once. */
const sequences = 2

interface Loaded {
  session: Promise<LlamaSession>
  /** Answers under way. */
  users: number
  usedAtMs: number
  idle: NodeJS.Timeout | null
}

export function chatMethods(lab: Lab): Handlers<ChatMethods> {
  const loaded = new Map<string, Loaded>()
  const running = new Map<string, AbortController>()

  const putAway = async (key: string, entry: Loaded) => {
    if (loaded.get(key) !== entry) return
    loaded.delete(key)
    if (entry.idle) clearTimeout(entry.idle)
    const session = await entry.session.catch(() => null)
    await session?.dispose()
  }
  const makeRoom = async () => {
    const idle = [...loaded].filter(([, entry]) => entry.users === 0).sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs)
    const [oldest] = idle
    if (loaded.size < maxLoaded) return
    if (!oldest) throw tooManyModels()
    await putAway(...oldest)
  }
  const take = async (model: Model): Promise<{ key: string; entry: Loaded }> => {
    const { threads, gpu } = lab.settings()
    const key = [model.path, model.sha256, threads, gpu].join('\u0000')
    if (!loaded.has(key)) await makeRoom()
    const entry = loaded.get(key) ?? {
      session: openLastingSession(lab.llama, { modelPath: model.path, contextTokens, sequences, threads, gpu }),
      users: 0,
      usedAtMs: 0,
      idle: null,
    }
    loaded.set(key, entry)
    entry.users += 1
    if (entry.idle) clearTimeout(entry.idle)
    return { key, entry }
  }
  const release = ({ key, entry }: { key: string; entry: Loaded }) => {
    entry.users -= 1
    entry.usedAtMs = performance.now()
    if (entry.users > 0) return
    entry.idle = setTimeout(() => void putAway(key, entry), idleMs)
    entry.idle.unref()
  }

  return {
    'chat.send': async ({ chatId, modelId, turns, temperature, seed, maxTokens }) => {
      const model = requireModel(lab, modelId)
      if (running.has(chatId)) throw stillAnswering()
      const abort = new AbortController()
      running.set(chatId, abort)
      let taken: Awaited<ReturnType<typeof take>> | null = null
      try {
        taken = await take(model)
        const session = await taken.entry.session
        const template = createChatTemplate(session.reply.chat)
        const sampling = { temperature, seed, topK: 40, topP: 0.95, minP: 0.05 }
        const request = { prompt: template.renderPrompt(turns), maxTokens, stops: template.stops, ...sampling }
        const onText = (text: string) => lab.emit({ kind: 'chat.token', chatId, text })
        const completion = await session.complete(request, { signal: abort.signal, onText })
        return { text: completion.text.trim(), tokens: completion.outputTokens, ms: completion.ms }
      } catch (thrown) {
        // A session that never opened is not kept: the next question tries again.
        if (taken) await taken.entry.session.catch(() => taken && loaded.delete(taken.key))
        throw thrown
      } finally {
        running.delete(chatId)
        if (taken) release(taken)
      }
    },
    'chat.stop': ({ chatId }) => {
      running.get(chatId)?.abort()
      return null
    },
  }
}

function stillAnswering(): AppError {
  return new AppError({
    code: 'conflict',
    message: 'This chat is still being answered.',
    remedy: 'Wait for the answer, or stop it first.',
  })
}
function tooManyModels(): AppError {
  return new AppError({
    code: 'conflict',
    message: `${maxLoaded} other models are answering right now.`,
    remedy: 'Wait for one of the answers, or stop one, then ask again.',
  })
}
