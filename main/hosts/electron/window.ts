// The one window: where it was last time, shown once it has something to show.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, screen } from 'electron'
import { z } from 'zod'
import { pageOrigin } from './page-scheme.ts'

const windowState = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int().min(800).max(20_000),
  height: z.number().int().min(500).max(20_000),
  isMaximized: z.boolean(),
})
type WindowState = z.infer<typeof windowState>

const firstState: WindowState = { width: 1360, height: 880, isMaximized: false }

/** Opens the window and loads the page. */
export function openWindow(): BrowserWindow {
  const { isMaximized, ...bounds } = readState()
  const window = new BrowserWindow({
    ...bounds,
    minWidth: 800,
    minHeight: 500,
    title: 'Labdesk',
    show: false,
    webPreferences: {
      preload: join(import.meta.dirname, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      spellcheck: false,
      navigateOnDragDrop: false,
    },
  })
  if (isMaximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', () => writeState({ ...window.getNormalBounds(), isMaximized: window.isMaximized() }))
  // A failed load shows as an empty window; the reason belongs into the log.
  window.loadURL(`${pageOrigin}/index.html`).catch((thrown: unknown) => console.error(String(thrown)))
  return window
}

const stateFile = () => join(app.getPath('userData'), 'window.json')

function readState(): WindowState {
  let state: WindowState
  try {
    state = windowState.parse(JSON.parse(readFileSync(stateFile(), 'utf8')))
  } catch {
    return firstState // never written, or not by us: a window opens all the same
  }
  return isOnScreen(state) ? state : { ...firstState, isMaximized: state.isMaximized }
}

/** A window whose title bar nobody can reach is as good as none. */
function isOnScreen({ x, y, width }: WindowState): boolean {
  if (x === undefined || y === undefined) return true
  return screen.getAllDisplays().some(({ workArea }) => {
    const visible = Math.min(x + width, workArea.x + workArea.width) - Math.max(x, workArea.x)
    return visible >= 200 && y >= workArea.y && y < workArea.y + workArea.height - 50
  })
}

function writeState(state: WindowState): void {
  try {
    writeFileSync(stateFile(), JSON.stringify(state))
  } catch (thrown) {
    console.error(`The window's place could not be kept: ${String(thrown)}`)
  }
}
