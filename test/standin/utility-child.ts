// Loaded first in a utility process: gives it process.parentPort. Messages wait for the first listener.
import { EventEmitter } from 'node:events'
import { registerHooks } from 'node:module'
import { decode, encode } from './clone.ts'
import { onlyKnown, unknownPart } from './known.ts'
import { type MessagePortMain, PortTable } from './ports.ts'
import type { UtilityFrame } from './utility-process.ts'

const send = process.send?.bind(process)
const post = (frame: UtilityFrame): void => {
  send?.(frame)
}
const ports = new PortTable(post, 1)

class ParentPort extends EventEmitter {
  private waiting: { data: unknown; ports: MessagePortMain[] }[] | undefined = []

  postMessage(value: unknown, transfer: MessagePortMain[] = []): void {
    if (transfer.length > 0) throw unknownPart('parentPort.postMessage with ports')
    post({ t: 'message', v: encode(value), ports: [] })
  }

  start(): void {
    queueMicrotask(() => {
      const waiting = this.waiting ?? []
      this.waiting = undefined
      for (const message of waiting) this.emit('message', message)
    })
  }

  deliver(message: { data: unknown; ports: MessagePortMain[] }): void {
    if (this.waiting) this.waiting.push(message)
    else this.emit('message', message)
  }
}

const parentPort = new ParentPort()
parentPort.on('newListener', (event) => {
  if (event === 'message') parentPort.start()
})
process.on('message', (frame) => {
  const known = frame as UtilityFrame
  if (known.t === 'message')
    parentPort.deliver({ data: decode(known.v), ports: known.ports.map((id) => ports.take(id)) })
  else ports.receive(known)
})
process.on('disconnect', () => process.exit(0))

Object.defineProperty(process, 'parentPort', { value: onlyKnown('process.parentPort', parentPort) })
Object.assign(process, { type: 'utility', send: undefined })

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'electron' || specifier.startsWith('electron/'))
      throw unknownPart(`'${specifier}' in a utility process`)
    return next(specifier, context)
  },
})
