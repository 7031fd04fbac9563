// The engine's event stream: bursts become few events, nothing that matters is lost, one bad listener harms no other.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { EngineEvent } from '../../../main/contract/api.ts'
import type { TuningId } from '../../../main/contract/ids.ts'
import type { TuningStep } from '../../../main/contract/tuning.ts'
import { createEventStream } from '../../../main/pipelines/event-stream.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function listen(log: (line: string) => void = () => undefined) {
  const stream = createEventStream(log)
  const heard: EngineEvent[] = []
  stream.subscribe((event) => heard.push(event))
  return { stream, heard }
}
const step = (n: number): TuningStep => ({
  phase: 'ST',
  step: n,
  loss: 1,
  lossNew: null,
  lossReplay: null,
  learningRate: 1,
  gradNorm: 1,
  tokens: 1,
  ms: 1,
})
const steps = (...numbers: number[]): EngineEvent => ({
  kind: 'tuning.step',
  tuningId: 't' as TuningId,
  steps: numbers.map(step),
})

test('the first event comes at once, the rest of a burst as one', () => {
  const { stream, heard } = listen()
  for (let n = 0; n < 50; n++) stream.emit({ kind: 'changed', what: 'samples' })
  expect(heard).toHaveLength(1)
  vi.advanceTimersByTime(1000)
  expect(heard).toHaveLength(2)
})

test('a steady stream is at most ten a second of each kind', () => {
  const { stream, heard } = listen()
  for (let ms = 0; ms < 3000; ms += 5) {
    stream.emit({ kind: 'changed', what: 'models' })
    vi.advanceTimersByTime(5)
  }
  expect(heard.length).toBeGreaterThan(25)
  expect(heard.length).toBeLessThanOrEqual(31)
})

test('steps of a burst arrive all, in order', () => {
  const { stream, heard } = listen()
  for (let n = 1; n <= 20; n++) stream.emit(steps(n))
  vi.advanceTimersByTime(200)
  const numbers = heard.flatMap((event) => (event.kind === 'tuning.step' ? event.steps.map((one) => one.step) : []))
  expect(heard).toHaveLength(2)
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
})

test('different lists and runs do not hold each other up; chat tokens are never merged', () => {
  const { stream, heard } = listen()
  stream.emit({ kind: 'changed', what: 'models' })
  stream.emit({ kind: 'changed', what: 'exams' })
  stream.emit({ kind: 'chat.token', chatId: 'c', text: 'a' })
  stream.emit({ kind: 'chat.token', chatId: 'c', text: 'b' })
  expect(heard).toHaveLength(4)
})

test('a listener that throws is named in the log, and the others still hear', () => {
  const lines: string[] = []
  const stream = createEventStream((line) => lines.push(line))
  const heard: string[] = []
  stream.subscribe(() => {
    throw new Error('out of order')
  })
  const stop = stream.subscribe((event) => heard.push(event.kind))
  stream.emit({ kind: 'changed', what: 'models' })
  expect(heard).toEqual(['changed'])
  expect(lines.join()).toContain('out of order')
  stop()
  stream.emit({ kind: 'changed', what: 'exams' })
  expect(heard).toHaveLength(1)
})

test('a closed stream says nothing more', () => {
  const { stream, heard } = listen()
  stream.emit(steps(1))
  stream.emit(steps(2))
  stream.close()
  vi.advanceTimersByTime(1000)
  expect(heard).toHaveLength(1)
})
