// An engine behind the client's own port, answering from a script. Stands in for the transport only: the code under test is the
// renderer's. A method without an answer fails the call by name.

import type { EngineEvent, MethodInput, MethodName, MethodOutput } from '../../../main/contract/api.ts'
import { AppError } from '../../../main/contract/errors.ts'
import type { EngineClient, Link } from '../../../renderer/engine.ts'

type Answers = { [Name in MethodName]?: (input: MethodInput<Name>) => MethodOutput<Name> | Promise<MethodOutput<Name>> }

export class ScriptedEngine implements EngineClient {
  readonly bridge = null
  /** Every call in order, as `[method, input]`. */
  readonly calls: [MethodName, unknown][] = []
  answers: Answers
  private state: Link = 'open'
  private readonly events = new Set<(event: EngineEvent) => void>()
  private readonly links = new Set<(link: Link) => void>()

  constructor(answers: Answers = {}) {
    this.answers = answers
  }

  async call<Name extends MethodName>(name: Name, input: MethodInput<Name>): Promise<MethodOutput<Name>> {
    this.calls.push([name, input])
    const answer = this.answers[name]
    if (!answer) throw new AppError({ code: 'internal', message: `${name} has no answer here`, remedy: 'Script one.' })
    return answer(input)
  }

  /** What was asked of one method. */
  asked<Name extends MethodName>(name: Name): MethodInput<Name>[] {
    return this.calls.filter(([method]) => method === name).map(([, input]) => input as MethodInput<Name>)
  }

  emit(event: EngineEvent): void {
    for (const listener of this.events) listener(event)
  }

  changeLink(link: Link): void {
    this.state = link
    for (const listener of this.links) listener(link)
  }

  link(): Link {
    return this.state
  }

  onLink(listener: (link: Link) => void): () => void {
    this.links.add(listener)
    return () => this.links.delete(listener)
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.events.add(listener)
    return () => this.events.delete(listener)
  }
}

/** A promise that is settled from outside. */
export function latch<Value>(): {
  promise: Promise<Value>
  open: (value: Value) => void
  fail: (error: Error) => void
} {
  let open: (value: Value) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const promise = new Promise<Value>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}
