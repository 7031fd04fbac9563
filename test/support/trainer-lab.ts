// What the trainer's tests share: an open trainer on a random model in a temporary folder.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe as plainDescribe, test as plainTest } from 'vitest'
import { type OpenTrainerOptions, openTrainer, type Trainer } from '../../main/compute/trainer.ts'
import { builtTrainer, findLibraryDir } from '../../main/compute/trainer-build.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The trainer under test: LABDESK_TRAINER (e.g. the sanitised one), else the built one. */
export const trainerPath = process.env.LABDESK_TRAINER ?? builtTrainer(root)
if (!trainerPath) console.log('skipped: no native trainer is built; run "npm run build:native" first')

/** Tests that need the trainer; skipped, with the reason printed, where it is not built. */
export const test = trainerPath ? plainTest : plainTest.skip
export const describe = trainerPath ? plainDescribe : plainDescribe.skip

/** A folder that is removed when the returned function is called. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'labdesk-trainer-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Opens the trainer under test. */
export async function startTrainer(options: Partial<OpenTrainerOptions> = {}): Promise<Trainer> {
  return openTrainer({ executable: trainerPath ?? '', libraryDir: findLibraryDir(root), threads: 1, ...options })
}
