// The app's own settings and which project was open last: one small JSON file in the data folder, replaced as a whole. A damaged
// file is set aside and the defaults apply; settings are never worth refusing to start.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Settings } from '../contract/workspace.ts'

const settingsFile = z.object({
  theme: z.enum(['system', 'light', 'dark']).optional(),
  language: z.enum(['en', 'ja']).optional(),
  threads: z.number().int().min(1).max(256).optional(),
  gpu: z.enum(['auto', 'off']).optional(),
  remoteTeacher: z
    .object({
      url: z.string(),
      model: z.string(),
      apiKey: z.string().optional(),
      isPublicAllowed: z.boolean().optional(),
    })
    .nullable()
    .optional(),
  lastProjectId: z.string().nullable().optional(),
})

export interface AppState extends Settings {
  lastProjectId: string | null
}

/** Reads the settings of a data folder; what is absent takes its default. `warn` hears of a damaged file. */
export function readAppState(dataDir: string, defaults: Settings, warn: (line: string) => void): AppState {
  const file = join(dataDir, 'settings.json')
  const fallback = { ...defaults, lastProjectId: null }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return fallback
    throw thrown
  }
  try {
    const { lastProjectId = null, ...known } = settingsFile.parse(JSON.parse(text))
    return { ...defaults, ...known, lastProjectId }
  } catch (thrown) {
    warn(`settings.json was unreadable and is kept as settings.json.broken: ${String(thrown)}`)
    renameSync(file, `${file}.broken`)
    return fallback
  }
}

/** Replaces the settings file; after a crash it is either the old or the new one. */
export function writeAppState(dataDir: string, state: AppState): void {
  const file = join(dataDir, 'settings.json')
  // It may hold the key of a remote teacher.
  const handle = openSync(`${file}.part`, 'w', 0o600)
  try {
    writeSync(handle, `${JSON.stringify(state, null, 2)}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(`${file}.part`, file)
}
