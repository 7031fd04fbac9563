// MessageChannelMain and MessagePortMain, and PortTable, which carries ports to the other side of a process boundary.
// Invariant: a message posted before the receiving end listens waits for it; order is kept.
import { decode, encode, type Encoded } from './clone.ts'
import { KnownEmitter } from './known.ts'

/** What a port's listener gets. */
export interface PortMessage {
  data: unknown
  ports: MessagePortMain[]
}

interface Outlet {
  message(message: PortMessage): void
  close(): void
}

/** One end of a channel. A transferred end lives elsewhere: what reaches it leaves through its outlet. */
export class MessagePortMain extends KnownEmitter {
  peer: MessagePortMain | undefined = undefined
  private outlet: Outlet | undefined = undefined
  private waiting: PortMessage[] = []
  private started = false
  private closed = false

  constructor() {
    super('MessagePortMain', ['message', 'close'])
  }

  postMessage(value: unknown, transfer: MessagePortMain[] = []): void {
    if (this.outlet) throw new Error('electron stand-in: postMessage on a port that was transferred')
    const message = { data: decode(encode(value)), ports: transfer }
    setImmediate(() => this.peer?.receive(message))
  }

  start(): void {
    this.started = true
    for (const message of this.waiting.splice(0)) this.emit('message', message)
  }

  close(): void {
    setImmediate(() => {
      this.closeHere()
      this.peer?.closeHere()
    })
  }

  /** A message from the other end. */
  receive(message: PortMessage): void {
    if (this.closed) return
    if (this.outlet) this.outlet.message(message)
    else if (this.started) this.emit('message', message)
    else this.waiting.push(message)
  }

  /** The channel is gone; both ends say so once. */
  closeHere(): void {
    if (this.closed) return
    this.closed = true
    if (this.outlet) this.outlet.close()
    else this.emit('close')
  }

  /** Moves this end elsewhere, with what waits for it; that follows the message which takes the port along. */
  transferTo(outlet: Outlet): void {
    this.outlet = outlet
    queueMicrotask(() => {
      for (const message of this.waiting.splice(0)) outlet.message(message)
    })
  }
}

export class MessageChannelMain {
  readonly port1 = new MessagePortMain()
  readonly port2 = new MessagePortMain()

  constructor() {
    this.port1.peer = this.port2
    this.port2.peer = this.port1
  }
}

/** What crosses the boundary for ports. */
export type PortFrame = { t: 'port'; id: number; v: Encoded; ports: number[] } | { t: 'port-close'; id: number }

/** The ports shared with one other side. Each side numbers those it sends: one side even, the other odd. */
export class PortTable {
  private readonly ports = new Map<number, MessagePortMain>()
  private readonly send: (frame: PortFrame) => void
  private nextId: number

  constructor(send: (frame: PortFrame) => void, firstId: 1 | 2) {
    this.send = send
    this.nextId = firstId
  }

  /** Gives a port to the other side; returns its number there. */
  give(port: MessagePortMain): number {
    const id = this.nextId
    this.nextId += 2
    this.share(id, port)
    return id
  }

  /** Takes a port the other side gave. */
  take(id: number): MessagePortMain {
    const { port1, port2 } = new MessageChannelMain()
    this.share(id, port2)
    return port1
  }

  receive(frame: PortFrame): void {
    const far = this.ports.get(frame.id)
    if (frame.t === 'port') far?.peer?.receive({ data: decode(frame.v), ports: frame.ports.map((id) => this.take(id)) })
    else {
      this.ports.delete(frame.id)
      far?.peer?.closeHere()
    }
  }

  /** The other side is gone. */
  closeAll(): void {
    for (const far of this.ports.values()) far.peer?.closeHere()
    this.ports.clear()
  }

  private share(id: number, port: MessagePortMain): void {
    this.ports.set(id, port)
    port.transferTo({
      message: ({ data, ports }) =>
        this.send({ t: 'port', id, v: encode(data), ports: ports.map((one) => this.give(one)) }),
      close: () => {
        if (this.ports.delete(id)) this.send({ t: 'port-close', id })
      },
    })
  }
}
