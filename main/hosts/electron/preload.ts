// The window's one bridge: frames of the contract over a port to the engine, and the native dialogs. Runs sandboxed, as CommonJS.

import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { channels } from './messages.ts'

let port: MessagePort | null = null
let unsent: unknown[] = []
let unread: unknown[] = []
const onMessage: ((frame: unknown) => void)[] = []
const onClose: (() => void)[] = []

ipcRenderer.on(channels.port, (event) => {
  port = event.ports[0] ?? null
  if (!port) return
  port.onmessage = ({ data }) => {
    if (onMessage.length === 0) unread.push(data)
    for (const listener of onMessage) listener(data)
  }
  port.addEventListener('close', () => {
    port = null
    for (const listener of onClose) listener()
  })
  for (const frame of unsent) port.postMessage(frame)
  unsent = []
})
ipcRenderer.send(channels.hello)

contextBridge.exposeInMainWorld('labdesk', {
  platform: process.platform,
  post(frame: unknown): void {
    if (port) port.postMessage(frame)
    else unsent.push(frame)
  },
  onMessage(listener: (frame: unknown) => void): void {
    onMessage.push(listener)
    for (const frame of unread) listener(frame)
    unread = []
  },
  onClose(listener: () => void): void {
    onClose.push(listener)
  },
  chooseFolder: (): Promise<string | null> => ipcRenderer.invoke(channels.chooseFolder),
  chooseFile: (): Promise<string | null> => ipcRenderer.invoke(channels.chooseFile),
  pathOf: (file: File): string => webUtils.getPathForFile(file),
  saveFile: (suggestedName: string): Promise<string | null> => ipcRenderer.invoke(channels.saveFile, suggestedName),
})
