// Side-by-side chats: columns, each one model with its own turns; the same prompt goes to all. Text streams in as tokens.

import { createStore, type StoreApi } from 'zustand/vanilla'
import { toAppError } from '../../main/contract/errors.ts'
import type { ModelId } from '../../main/contract/ids.ts'
import type { EngineClient } from '../engine.ts'

/** Columns a window holds. */
export const mostColumns = 4

export interface ChatTurn {
  role: 'user' | 'assistant'
  content: string
  /** A failure in place of an answer: message and remedy. */
  failure?: { message: string; remedy: string }
  /** How it was made. */
  note?: { tokens: number; ms: number }
}

export interface ChatColumn {
  chatId: string
  modelId: ModelId | null
  turns: ChatTurn[]
  isAnswering: boolean
}

export interface ChatState {
  columns: ChatColumn[]
  temperature: number
  seed: number
  maxTokens: number
}

/** The chats over an engine; they start with no column. */
export class Chat {
  readonly store: StoreApi<ChatState>
  private readonly engine: EngineClient

  constructor(engine: EngineClient) {
    this.engine = engine
    this.store = createStore<ChatState>(() => ({ columns: [], temperature: 0, seed: 1, maxTokens: 256 }))
  }

  addColumn(modelId: ModelId | null): void {
    const column: ChatColumn = { chatId: crypto.randomUUID(), modelId, turns: [], isAnswering: false }
    this.store.setState(({ columns }) => ({ columns: [...columns, column].slice(0, mostColumns) }))
  }

  /** Closes a column; an answer still coming is stopped. */
  removeColumn(chatId: string): void {
    this.stop(chatId)
    this.store.setState(({ columns }) => ({ columns: columns.filter((column) => column.chatId !== chatId) }))
  }

  setModel(chatId: string, modelId: ModelId): void {
    this.change(chatId, (column) => ({ ...column, modelId }))
  }

  /** Sends the prompt to every column that has a model. */
  send(prompt: string): void {
    for (const column of this.store.getState().columns) {
      if (column.modelId && !column.isAnswering) void this.answer({ ...column, modelId: column.modelId }, prompt)
    }
  }

  /** Stops one answer, or all. */
  stop(only?: string): void {
    for (const { chatId, isAnswering } of this.store.getState().columns) {
      if (!isAnswering || (only !== undefined && only !== chatId)) continue
      void this.engine.call('chat.stop', { chatId }).catch(() => this.rest(chatId))
    }
  }

  clear(): void {
    this.store.setState(({ columns }) => ({ columns: columns.map((column) => ({ ...column, turns: [] })) }))
  }

  /** Adds streamed text to the answer that is coming. */
  addToken(chatId: string, text: string): void {
    this.change(chatId, (column) => {
      const last = column.turns.at(-1)
      if (!column.isAnswering || last?.role !== 'assistant') return column
      return { ...column, turns: [...column.turns.slice(0, -1), { ...last, content: last.content + text }] }
    })
  }

  private async answer(column: ChatColumn & { modelId: ModelId }, prompt: string): Promise<void> {
    const { chatId, modelId } = column
    const turns: ChatTurn[] = [...column.turns, { role: 'user', content: prompt }]
    this.change(chatId, (before) => ({
      ...before,
      isAnswering: true,
      turns: [...turns, { role: 'assistant', content: '' }],
    }))
    const { temperature, seed, maxTokens } = this.store.getState()
    const told = turns.filter(({ content }) => content !== '').map(({ role, content }) => ({ role, content }))
    try {
      const call = { chatId, modelId, turns: told, temperature, seed, maxTokens }
      const { text, tokens, ms } = await this.engine.call('chat.send', call)
      this.finish(chatId, { role: 'assistant', content: text, note: { tokens, ms } })
    } catch (thrown) {
      const { message, remedy, code } = toAppError(thrown)
      if (code === 'cancelled') this.rest(chatId)
      else this.finish(chatId, { role: 'assistant', content: '', failure: { message, remedy } })
    }
  }

  private finish(chatId: string, last: ChatTurn): void {
    this.change(chatId, (column) => ({ ...column, isAnswering: false, turns: [...column.turns.slice(0, -1), last] }))
  }

  /** Ends the waiting and keeps the text that came. */
  private rest(chatId: string): void {
    this.change(chatId, (column) => ({ ...column, isAnswering: false }))
  }

  private change(chatId: string, update: (column: ChatColumn) => ChatColumn): void {
    this.store.setState(({ columns }) => ({
      columns: columns.map((column) => (column.chatId === chatId ? update(column) : column)),
    }))
  }
}
