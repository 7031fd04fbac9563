// Answers of models that no written slot holds yet, appended to a file as they come. A host that is killed loses only the calls that were
// under way: the next one finds the rest here. A line is whole or ignored; the file is rewritten when it has grown, and removed when
// the run is complete. Survives the process, not the power: what is lost then is asked again.

import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Completion, CompletionRequest } from '../compute/llama-protocol.ts'

/** Bytes after which lines of written slots are thrown out. */
const tidyBytes = 4_000_000

interface Line {
  slot: number
  key: string
  completion: Completion
}

/** One run's journal. */
export class CallJournal {
  readonly #path: string
  #lines: Line[]
  readonly #answers: Map<string, Completion>
  #file: number | null = null
  #sizeBytes = 0

  constructor(path: string) {
    this.#path = path
    this.#lines = readLines(path)
    this.#answers = new Map(this.#lines.map(({ key, completion }) => [key, completion]))
  }

  /** Equal for equal questions to the same model. */
  static keyOf(
    model: string,
    { prompt, seed, grammar, maxTokens, temperature, topP, minP }: CompletionRequest,
  ): string {
    const asked = JSON.stringify([model, prompt, seed, grammar, maxTokens, temperature, topP, minP])
    return createHash('sha256').update(asked).digest('base64url')
  }

  find(key: string): Completion | undefined {
    return this.#answers.get(key)
  }

  /** `slot` -1: shared by many slots, kept to the end of the run. */
  add(slot: number, key: string, completion: Completion): void {
    const line = { slot, key, completion }
    this.#lines.push(line)
    this.#append(line)
  }

  /** Throws out the lines of slots that are written, once there are many. */
  tidy(isOpen: (slot: number) => boolean): void {
    if (this.#sizeBytes < tidyBytes) return
    this.#close()
    this.#lines = this.#lines.filter(({ slot }) => slot === -1 || isOpen(slot))
    const part = `${this.#path}.part`
    const file = openSync(part, 'w')
    this.#sizeBytes = this.#lines.reduce((size, line) => size + writeSync(file, textOf(line)), 0)
    closeSync(file)
    renameSync(part, this.#path)
  }

  close(): void {
    this.#close()
  }

  /** The run is complete: every answer stands in a slot. */
  remove(): void {
    this.#close()
    rmSync(this.#path, { force: true })
  }

  #append(line: Line): void {
    if (this.#file === null) {
      mkdirSync(dirname(this.#path), { recursive: true })
      this.#file = openSync(this.#path, 'a')
    }
    this.#sizeBytes += writeSync(this.#file, textOf(line))
  }

  #close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

/** Begins with a line end, so that a line cut short by a kill spoils no other. */
function textOf(line: Line): string {
  return `\n${JSON.stringify(line)}`
}

function readLines(path: string): Line[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // The first start of a run, or a journal that cannot be read: its calls are asked again.
    return []
  }
  return text.split('\n').flatMap((line) => {
    const read = parseLine(line)
    return read ? [read] : []
  })
}

function parseLine(text: string): Line | null {
  try {
    const line = JSON.parse(text) as Partial<Line> | null
    const { slot, key, completion } = line ?? {}
    const isWhole = typeof slot === 'number' && typeof key === 'string' && typeof completion?.text === 'string'
    return isWhole ? { slot, key, completion } : null
  } catch {
    // The last line of a host that was killed.
    return null
  }
}
