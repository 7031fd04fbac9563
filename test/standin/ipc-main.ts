// ipcMain: listeners for what pages send, handlers for what they invoke.
import { EventEmitter } from 'node:events'
import { onlyKnown } from './known.ts'

type Handler = (event: object, ...values: unknown[]) => unknown

class IpcMain extends EventEmitter {
  private readonly handlers = new Map<string, Handler>()

  handle(channel: string, handler: Handler): void {
    if (this.handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    if (typeof handler !== 'function')
      throw new Error(`Expected handler to be a function, but found type '${typeof handler}'`)
    this.handlers.set(channel, handler)
  }

  handleOnce(channel: string, handler: Handler): void {
    this.handle(channel, (...values) => {
      this.removeHandler(channel)
      return handler(...values)
    })
  }

  removeHandler(channel: string): void {
    this.handlers.delete(channel)
  }

  /** Runs the handler of an invoke; throws Electron's words where there is none. */
  async answer(channel: string, event: object, values: unknown[]): Promise<unknown> {
    const handler = this.handlers.get(channel)
    if (!handler) throw new Error(`No handler registered for '${channel}'`)
    return handler(event, ...values)
  }
}

export const ipcMain = onlyKnown('ipcMain', new IpcMain())
