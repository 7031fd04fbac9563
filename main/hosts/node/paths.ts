// Where the user's data lives when nothing else is said: one folder per user, shared by every host, never inside the program.

import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** `LABDESK_DATA`, else the platform's place for an app's data. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['LABDESK_DATA']
  if (given) return resolve(given)
  if (process.platform === 'darwin') return join(homedir(), 'Library/Application Support/Labdesk/data')
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData/Local'), 'Labdesk/data')
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'labdesk')
}
